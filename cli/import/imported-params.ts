import type { Json, JsonObject } from '../../workflows/plan/values/json.ts';
import type { ImportedParam } from './jinja-names.ts';
import type { Value } from './jinja-values.ts';
import { adaptName } from './names.ts';
import type { Report } from './report.ts';
import type { Place } from './source-value.ts';

/** Names of Variables that are probably secrets and must not be written to a file. */
const SECRET = /(?:^|_)(?:key|token|secret|passw(?:or)?d|pwd|credentials?|auth)(?:$|_)/i;

/** The parameters of a pipeline to write: those of its DAG, and those that replace Variables and `dag_run.conf`. */
export class ImportedParams {
  private readonly added = new Map<string, { readonly name: string; readonly fallback: Json | undefined }>();

  /** @param names our names by the DAG's parameter names @param declared the `params` key of the pipeline */
  constructor(
    private readonly names: ReadonlyMap<string, string>,
    private readonly declared: JsonObject,
    private readonly report: Report,
    private readonly place: Place,
  ) {}

  /** The DAG's parameters as expressions read them. */
  get known(): ReadonlyMap<string, ImportedParam> {
    return new Map(
      [...this.names].map(([theirs, name]) => {
        const hasCapitals = /[A-Z]/.test(String(defaultOf(this.declared[name])));
        return [theirs, { name, kind: kindOf(this.declared[name]), ...(hasCapitals && { hasCapitals }) }];
      }),
    );
  }

  /** The `params` key of the pipeline; undefined if it has none. */
  get keys(): JsonObject | undefined {
    const added = [...this.added.values()].map(({ name, fallback }): [string, Json] => [
      name,
      // Users may pass a value of any type.
      fallback === undefined ? {} : fallback === null || fallback === '' ? { default: fallback } : fallback,
    ]);
    return Object.keys(this.declared).length + added.length === 0 ? undefined : { ...this.declared, ...Object.fromEntries(added) };
  }

  /**
   * Adds a parameter that replaces a Variable or a key of `dag_run.conf`.
   * @param fallback the default value; null: none
   * @returns its name in the pipeline; undefined for a secret
   */
  parameter(origin: 'variable' | 'conf', theirs: string, fallback: Json | undefined): string | undefined {
    if (SECRET.test(theirs)) return undefined;
    const declared = origin === 'conf' ? this.names.get(theirs) : undefined;
    if (declared !== undefined) return declared;
    const key = `${origin} ${theirs}`;
    const known = this.added.get(key);
    if (known) return known.name;
    const taken = [...Object.keys(this.declared), ...[...this.added.values()].map(({ name }) => name)];
    const plain = adaptName(theirs, 'param');
    const name = taken.includes(plain) ? `${origin === 'conf' ? 'conf' : 'var'}_${plain}`.slice(0, 64) : plain;
    // Airflow renders a missing key of `conf` as an empty text.
    const value = fallback === undefined && origin === 'conf' ? '' : fallback;
    this.added.set(key, { name, fallback: value });
    const what = origin === 'conf' ? `dag_run.conf.${theirs}` : `Variable ${theirs}`;
    const missing = value === undefined ? `: write its value, as \`${name}: …\` under params` : '';
    this.report.changed(what, `is the parameter '${name}'${missing}`, this.place);
    return name;
  }
}

function defaultOf(declared: Json | undefined): Json | undefined {
  return typeof declared === 'object' && declared !== null ? (declared as JsonObject).default : declared;
}

function kindOf(declared: Json | undefined): Value['kind'] {
  const { type, default: fallback } = (typeof declared === 'object' && declared !== null ? declared : { default: declared }) as JsonObject;
  const known = typeof type === 'string' ? type : typeof fallback;
  const kinds: Readonly<Record<string, Value['kind']>> = { string: 'text', integer: 'number', number: 'number', boolean: 'boolean' };
  return kinds[known] ?? 'any';
}
