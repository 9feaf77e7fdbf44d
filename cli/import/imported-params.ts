import type { Json, JsonObject } from '../../workflows/plan/values/json.ts';
import type { Value } from './jinja-values.ts';
import { adaptName } from './names.ts';
import type { Report } from './report.ts';
import type { Place } from './source-value.ts';

/** Names of Variables that nobody should write into a file. */
const SECRET = /(?:^|_)(?:key|token|secret|passw(?:or)?d|pwd|credentials?|auth)(?:$|_)/i;

/** The parameters of a pipeline that is written: those of its DAG, and those that stand for Variables and for `dag_run.conf`. */
export class ImportedParams {
  private readonly added = new Map<string, { readonly name: string; readonly fallback: Json | undefined }>();

  /** @param names the DAG's parameters, with our names @param declared what the pipeline says of them */
  constructor(
    private readonly names: ReadonlyMap<string, string>,
    private readonly declared: JsonObject,
    private readonly report: Report,
    private readonly place: Place,
  ) {}

  /** The parameters of the DAG as expressions see them. */
  get known(): ReadonlyMap<string, { readonly name: string; readonly kind: Value['kind'] }> {
    return new Map([...this.names].map(([theirs, name]) => [theirs, { name, kind: kindOf(this.declared[name]) }]));
  }

  /** `params` of the pipeline; undefined where it has none. */
  get keys(): JsonObject | undefined {
    const added = [...this.added.values()].map(({ name, fallback }): [string, Json] => [
      name,
      // What people give may be of any type.
      fallback === undefined ? {} : fallback === null || fallback === '' ? { default: fallback } : fallback,
    ]);
    return Object.keys(this.declared).length + added.length === 0 ? undefined : { ...this.declared, ...Object.fromEntries(added) };
  }

  /**
   * A parameter in place of a Variable or of what `dag_run.conf` may hold.
   * @param fallback its value where none is given; null: none
   * @returns its name here; undefined for a secret
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
    // Without a value Airflow renders nothing of `conf`.
    const value = fallback === undefined && origin === 'conf' ? '' : fallback;
    this.added.set(key, { name, fallback: value });
    const what = origin === 'conf' ? `dag_run.conf.${theirs}` : `Variable ${theirs}`;
    const missing = value === undefined ? `: write its value, as \`${name}: …\` under params` : '';
    this.report.changed(what, `is the parameter '${name}'${missing}`, this.place);
    return name;
  }
}

function kindOf(declared: Json | undefined): Value['kind'] {
  const { type, default: fallback } = (typeof declared === 'object' && declared !== null ? declared : { default: declared }) as JsonObject;
  const known = typeof type === 'string' ? type : typeof fallback;
  const kinds: Readonly<Record<string, Value['kind']>> = { string: 'text', integer: 'number', number: 'number', boolean: 'boolean' };
  return kinds[known] ?? 'any';
}
