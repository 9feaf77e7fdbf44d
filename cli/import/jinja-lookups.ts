import { readableFields } from '../../connections/in-expressions.ts';
import { AIRFLOW_NAMES, TASK_NAMES } from './jinja-airflow-names.ts';
import type { Evaluate } from './jinja-dates.ts';
import type { JinjaNames } from './jinja-names.ts';
import { type Arguments, type JinjaNode, NoEquivalent, noEqual, pathOf } from './jinja-syntax.ts';
import { any, asText, constant, type Value } from './jinja-values.ts';
import { adaptName } from './names.ts';

/** A value passed to a run: `dag_run.conf.get('x', fallback)` and similar. */
interface Lookup {
  readonly origin: 'variable' | 'conf';
  readonly name: string;
  readonly fallback?: JinjaNode;
}

/** Resolves Airflow names: parameters, Variables, connections, outputs. */
export class JinjaLookups {
  constructor(
    private readonly names: JinjaNames,
    private readonly set: ReadonlyMap<string, Value>,
    private readonly value: Evaluate,
  ) {}

  /** Resolves a path such as `params.x`, `params['x']` or `dag_run.conf.x`. */
  named(node: JinjaNode): Value | undefined {
    const path = pathOf(node);
    if (!path) return undefined;
    const whole = path.join('.');
    const own = path.length === 1 ? this.set.get(whole) : undefined;
    if (own) return own;
    if (Object.hasOwn(AIRFLOW_NAMES, whole)) return AIRFLOW_NAMES[whole];
    if (TASK_NAMES.has(whole)) return constant(this.names.task);
    const [first, second = '', third = '', ...more] = path;
    const inside = (name: string, rest: readonly string[]): Value =>
      any(['params', name, ...rest.map((each) => (/^[A-Za-z_]\w*$/.test(each) ? each : noEqual()))].join('.'));
    if (first === 'params' && path.length > 1) {
      const known = this.names.params.get(second);
      if (!known) throw new NoEquivalent();
      if (known.constant !== undefined) return path.length === 2 ? constant(known.constant) : noEqual();
      return third === '' ? { cel: `params.${known.name}`, kind: known.kind } : inside(known.name, path.slice(2));
    }
    if (first === 'dag_run' && second === 'conf' && third !== '' && third !== 'get') return this.parameter('conf', third, undefined, more);
    if (first === 'var' && (second === 'value' || second === 'json') && third !== '' && third !== 'get') {
      return this.parameter('variable', third, undefined, more);
    }
    if (first === 'conn' && path.length === 3) {
      const field = third === 'schema' ? 'database' : third;
      if (!Object.hasOwn(readableFields(), field)) throw new NoEquivalent();
      return { cel: `conn.${adaptName(second, 'connection')}.${field}`, kind: field === 'port' ? 'number' : 'text' };
    }
    return undefined;
  }

  private parameter(origin: 'variable' | 'conf', name: string, fallback?: Value, rest: readonly string[] = []): Value {
    const ours = this.names.parameter(origin, name, fallback?.constant);
    if (ours === undefined) throw new NoEquivalent();
    const kind = rest.length > 0 || fallback?.kind === undefined ? 'any' : fallback.kind;
    return { cel: ['params', ours, ...rest].join('.'), kind: kind === 'time' || kind === 'day' ? 'any' : kind };
  }

  /** The given value, or the value of a constant or expression as the default. */
  withDefault(origin: 'variable' | 'conf', name: string, otherwise: JinjaNode | undefined): Value {
    const fallback = otherwise === undefined ? undefined : this.value(otherwise);
    if (!fallback || fallback.constant !== undefined) return this.parameter(origin, name, fallback);
    const ours = this.names.parameter(origin, name, null);
    if (ours === undefined) throw new NoEquivalent();
    return { cel: `params.${ours} == null ? ${asText(fallback)} : string(params.${ours})`, kind: 'text' };
  }

  /** Parses `dag_run.conf.get('x')` and similar. */
  lookup(of: JinjaNode, { inOrder, byName }: Arguments): Lookup | undefined {
    const origin = { 'dag_run.conf.get': 'conf', 'params.get': 'conf', 'var.value.get': 'variable', 'var.json.get': 'variable' }[
      pathOf(of)?.join('.') ?? ''
    ] as 'variable' | 'conf' | undefined;
    const [name] = inOrder.map((each) => (each.kind === 'literal' ? each.value : undefined));
    if (origin === undefined || typeof name !== 'string') return undefined;
    const fallback = inOrder[1] ?? byName.get('default_var') ?? byName.get('default');
    return { origin, name, ...(fallback && { fallback }) };
  }

  /** The output of a task: `ti.xcom_pull('task')`. */
  pulled({ inOrder, byName }: Arguments): Value {
    const task = [byName.get('task_ids') ?? inOrder[0]].map((node) => (node?.kind === 'literal' ? node.value : undefined))[0];
    const key = byName.get('key');
    if (typeof task !== 'string' || (key && !(key.kind === 'literal' && key.value === 'return_value'))) throw new NoEquivalent();
    return this.names.output(task) ?? noEqual();
  }
}
