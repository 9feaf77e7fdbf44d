import { readableFields } from '../../connections/in-expressions.ts';
import type { JinjaNames } from './jinja-names.ts';
import { type Arguments, type JinjaNode, NoEqual } from './jinja-syntax.ts';
import * as values from './jinja-values.ts';
import {
  any,
  asText,
  constant,
  day,
  type Delta,
  formatted,
  inZone,
  isDate,
  later,
  onlyDay,
  operand,
  text,
  time,
  truth,
  type Value,
} from './jinja-values.ts';
import { adaptName } from './names.ts';

const START = time('logical_date');
const END = time('data_interval_end');

/** Names of Airflow that a run has here too. */
const NAMES: Readonly<Record<string, Value>> = {
  ds: day('ds'),
  ds_nodash: text('ds_nodash'),
  ts: text('ts'),
  ts_nodash: text('date(logical_date, "yyyyMMdd\'T\'HHmmss")'),
  ts_nodash_with_tz: text('date(logical_date, "yyyyMMdd\'T\'HHmmss\'+0000\'", "UTC")'),
  prev_ds: day('prev_ds'),
  next_ds: day('next_ds'),
  yesterday_ds: day('addDays(ds, -1)'),
  tomorrow_ds: day('addDays(ds, 1)'),
  prev_ds_nodash: text('date(prev_ds, "yyyyMMdd")'),
  next_ds_nodash: text('date(next_ds, "yyyyMMdd")'),
  yesterday_ds_nodash: text('date(addDays(ds, -1), "yyyyMMdd")'),
  tomorrow_ds_nodash: text('date(addDays(ds, 1), "yyyyMMdd")'),
  logical_date: START,
  execution_date: START,
  data_interval_start: time('data_interval_start'),
  data_interval_end: END,
  next_execution_date: END,
  prev_execution_date: onlyDay('prev_ds'),
  run_id: text('run_id'),
  'dag_run.run_id': text('run_id'),
  'dag_run.dag_id': text('dag_id'),
  'dag.dag_id': text('dag_id'),
  'ti.dag_id': text('dag_id'),
  'task_instance.dag_id': text('dag_id'),
  'ti.run_id': text('run_id'),
  'task_instance.run_id': text('run_id'),
  'dag_run.logical_date': START,
  'dag_run.execution_date': START,
  'ti.execution_date': START,
  'task_instance.execution_date': START,
  'dag_run.data_interval_start': time('data_interval_start'),
  'dag_run.data_interval_end': END,
};
const TASK_NAMES: ReadonlySet<string> = new Set(['task.task_id', 'ti.task_id', 'task_instance.task_id']);
/** Parts of a date, by the names of Python's attributes, as date patterns. */
const PARTS: Readonly<Record<string, string>> = { year: 'yyyy', month: 'M', day: 'd', hour: 'H', minute: 'mm', second: 'ss', quarter: 'Q' };
const UNITS: Readonly<Record<string, string>> = {
  minutes: 'addMinutes',
  hours: 'addHours',
  days: 'addDays',
  weeks: 'addWeeks',
  months: 'addMonths',
  years: 'addYears',
};
const DELTAS = /^(?:macros\.|datetime\.|dateutil\.relativedelta\.|pendulum\.)*(?:timedelta|relativedelta|duration)$/;
const STRPTIME = /^(?:macros\.)?datetime(?:\.datetime)?\.strptime$/;
const ISO = "yyyy-MM-dd'T'HH:mm:ssXXX";

/**
 * Makes CEL of an expression.
 * @param set what the text has set before
 * @throws NoEqual where a part of it has no equal here
 */
export function convertExpression(node: JinjaNode, names: JinjaNames, set: ReadonlyMap<string, Value>): Value {
  return new Converter(names, set).value(node);
}

class Converter {
  constructor(
    private readonly names: JinjaNames,
    private readonly set: ReadonlyMap<string, Value>,
  ) {}

  value(node: JinjaNode): Value {
    const named = this.named(node);
    if (named) return named;
    switch (node.kind) {
      case 'literal':
        return constant(node.value);
      case 'not':
        return { cel: `!(${truth(this.value(node.of))})`, kind: 'boolean' };
      case 'negative': {
        const of = this.value(node.of);
        if (typeof of.constant === 'number') return constant(-of.constant);
        return { cel: `-${operand(of)}`, kind: of.kind === 'number' ? 'number' : noEqual() };
      }
      case 'choice':
        return this.choice(node);
      case 'operation':
        return this.operation(node.operator, node.left, node.right);
      case 'filter':
        return this.filter(this.filtered(node.of, node.name), node.name, node.arguments, node.of);
      case 'field':
        return this.field(this.value(node.of), node.name);
      case 'call':
        return this.call(node.of, node.arguments);
      default:
        throw new NoEqual();
    }
  }

  /** What a path such as `params.x`, `params['x']` or `dag_run.conf.x` names. */
  private named(node: JinjaNode): Value | undefined {
    const path = pathOf(node);
    if (!path) return undefined;
    const whole = path.join('.');
    const own = path.length === 1 ? this.set.get(whole) : undefined;
    if (own) return own;
    if (Object.hasOwn(NAMES, whole)) return NAMES[whole];
    if (TASK_NAMES.has(whole)) return constant(this.names.task);
    const [first, second = '', third = '', ...more] = path;
    const inside = (name: string, rest: readonly string[]): Value =>
      any(['params', name, ...rest.map((each) => (/^[A-Za-z_]\w*$/.test(each) ? each : noEqual()))].join('.'));
    if (first === 'params' && path.length > 1) {
      const known = this.names.params.get(second);
      if (!known) throw new NoEqual();
      if (known.constant !== undefined) return path.length === 2 ? constant(known.constant) : noEqual();
      return third === '' ? { cel: `params.${known.name}`, kind: known.kind } : inside(known.name, path.slice(2));
    }
    if (first === 'dag_run' && second === 'conf' && third !== '' && third !== 'get') return this.parameter('conf', third, undefined, more);
    if (first === 'var' && (second === 'value' || second === 'json') && third !== '' && third !== 'get') {
      return this.parameter('variable', third, undefined, more);
    }
    if (first === 'conn' && path.length === 3) {
      const field = third === 'schema' ? 'database' : third;
      if (!Object.hasOwn(readableFields(), field)) throw new NoEqual();
      return { cel: `conn.${adaptName(second, 'connection')}.${field}`, kind: field === 'port' ? 'number' : 'text' };
    }
    return undefined;
  }

  private parameter(origin: 'variable' | 'conf', name: string, fallback?: Value, rest: readonly string[] = []): Value {
    const ours = this.names.parameter(origin, name, fallback?.constant);
    if (ours === undefined) throw new NoEqual();
    const kind = rest.length > 0 || fallback?.kind === undefined ? 'any' : fallback.kind;
    return { cel: ['params', ours, ...rest].join('.'), kind: kind === 'time' || kind === 'day' ? 'any' : kind };
  }

  /** `x if y else z`; with `dag_run.conf` as the condition, which is empty where nothing was given, a parameter with a default. */
  private choice({ condition, then, otherwise }: Extract<JinjaNode, { kind: 'choice' }>): Value {
    const asked = pathOf(condition)?.join('.');
    const given = pathOf(then);
    if (asked === 'dag_run' || asked === 'dag_run.conf') {
      if (given?.[0] === 'dag_run' && given[1] === 'conf' && given.length === 3) return this.withDefault('conf', given[2] ?? '', otherwise);
      return this.value(then);
    }
    const [yes, no] = [this.value(then), this.value(otherwise)];
    const kind = yes.kind === no.kind ? yes.kind : 'any';
    if (kind === 'any') throw new NoEqual();
    return { cel: `${truth(this.value(condition))} ? ${operand(yes)} : ${operand(no)}`, kind };
  }

  /** What was given, else what a constant or an expression says. */
  private withDefault(origin: 'variable' | 'conf', name: string, otherwise: JinjaNode | undefined): Value {
    const fallback = otherwise === undefined ? undefined : this.value(otherwise);
    if (!fallback || fallback.constant !== undefined) return this.parameter(origin, name, fallback);
    const ours = this.names.parameter(origin, name, null);
    if (ours === undefined) throw new NoEqual();
    return { cel: `params.${ours} == null ? ${asText(fallback)} : string(params.${ours})`, kind: 'text' };
  }

  private operation(operator: string, left: JinjaNode, right: JinjaNode): Value {
    if (operator === 'or') {
      const call = left.kind === 'call' ? this.lookup(left.of, left.arguments) : undefined;
      const path = pathOf(left);
      const conf = path?.[0] === 'dag_run' && path[1] === 'conf' && path.length === 3 ? path[2] : undefined;
      if (call && !call.fallback) return this.withDefault(call.origin, call.name, right);
      if (conf !== undefined) return this.withDefault('conf', conf, right);
    }
    if (operator === 'or' || operator === 'and') {
      const [a, b] = [this.value(left), this.value(right)];
      if (a.kind !== 'boolean' || b.kind !== 'boolean') throw new NoEqual();
      return { cel: `${operand(a)} ${operator === 'or' ? '||' : '&&'} ${operand(b)}`, kind: 'boolean' };
    }
    if (operator === '+' || operator === '-') {
      const delta = this.delta(right);
      if (delta) return this.shifted(this.value(left), delta, operator === '-' ? '-' : '');
    }
    const [a, b] = [this.value(left), this.value(right)];
    if (['==', '!=', '<', '<=', '>', '>='].includes(operator)) {
      if (a.kind !== b.kind && a.kind !== 'any' && b.kind !== 'any') throw new NoEqual();
      return { cel: `${operand(a)} ${operator} ${operand(b)}`, kind: 'boolean' };
    }
    if (operator === '~' || (operator === '+' && [a, b].every(({ kind }) => kind === 'text' || kind === 'day'))) {
      return text(`${asText(a)} + ${asText(b)}`);
    }
    if (a.kind !== 'number' || b.kind !== 'number') throw new NoEqual();
    if (typeof a.constant === 'number' && typeof b.constant === 'number') {
      return constant(operator === '+' ? a.constant + b.constant : operator === '-' ? a.constant - b.constant : a.constant * b.constant);
    }
    return { cel: `${operand(a)} ${operator} ${operand(b)}`, kind: 'number' };
  }

  /** A length of time, such as `macros.timedelta(days=1)`. */
  private delta(node: JinjaNode): (Delta & { readonly day?: string }) | undefined {
    const path = node.kind === 'call' ? pathOf(node.of)?.join('.') : undefined;
    if (node.kind !== 'call' || path === undefined || !DELTAS.test(path)) return undefined;
    const { inOrder, byName } = node.arguments;
    const amounts: [string, JinjaNode][] = [...byName];
    if (inOrder.length === 1 && path.endsWith('timedelta')) amounts.push(['days', inOrder[0] ?? noEqual()]);
    else if (inOrder.length > 0) throw new NoEqual();
    return this.amounts(amounts);
  }

  private amounts(amounts: readonly (readonly [string, JinjaNode])[]): Delta {
    return Object.fromEntries(
      amounts.map(([unit, amount]) => {
        const { cel, kind, constant: known } = this.value(amount);
        if (unit === 'seconds' && typeof known === 'number' && known % 60 === 0) return ['addMinutes', String(known / 60)];
        if (unit === 'day' && known === 1) return ['day', '1'];
        if (kind !== 'number' || !Object.hasOwn(UNITS, unit)) throw new NoEqual();
        return [UNITS[unit] ?? '', cel];
      }),
    );
  }

  private shifted(value: Value, { day: first, ...delta }: Delta & { readonly day?: string }, sign: '' | '-'): Value {
    // A day of the month is set before anything is added.
    return later(first === undefined ? value : firstOfMonth(value), delta, sign);
  }

  private filtered(node: JinjaNode, name: string): Value {
    // `default` is for what may be missing, of which a Variable or a part of `conf` here is a parameter.
    return name === 'default' || name === 'd' ? text('') : this.value(node);
  }

  private filter(value: Value, name: string, { inOrder }: Arguments, of: JinjaNode): Value {
    switch (name) {
      case 'ds':
        return formatted(value, 'yyyy-MM-dd');
      case 'ds_nodash':
        return formatted(value, 'yyyyMMdd');
      case 'ts':
        return formatted(value, ISO);
      case 'ts_nodash':
        return formatted(value, "yyyyMMdd'T'HHmmss");
      case 'string':
      case 'safe':
      case 'e':
        return text(asText(value));
      case 'int':
        return value.kind === 'number' ? value : { cel: `int(${value.cel})`, kind: 'number' };
      case 'lower':
        return text(`${asText(value)}.lowerAscii()`);
      case 'upper':
        return text(`${asText(value)}.upperAscii()`);
      case 'trim':
        return text(`${asText(value)}.trim()`);
      case 'replace': {
        const [from, to] = inOrder.map((each) => this.value(each).constant);
        return replaced(value, from, to);
      }
      case 'default':
      case 'd': {
        const path = pathOf(of);
        const [first, second, third] = path ?? [];
        const origin = first === 'var' ? 'variable' : first === 'dag_run' && second === 'conf' ? 'conf' : undefined;
        if (origin !== undefined && path?.length === 3) return this.withDefault(origin, third ?? '', inOrder[0]);
        return this.value(of);
      }
      default:
        throw new NoEqual();
    }
  }

  private field(value: Value, name: string): Value {
    if (!isDate(value)) {
      if (value.kind === 'any' && /^[A-Za-z_]\w*$/.test(name)) return any(`${value.cel}.${name}`);
      throw new NoEqual();
    }
    if (!Object.hasOwn(PARTS, name)) throw new NoEqual();
    return values.part(value, PARTS[name] ?? '');
  }

  /** `dag_run.conf.get('x')` and its kin. */
  private lookup(
    of: JinjaNode,
    { inOrder, byName }: Arguments,
  ): { readonly origin: 'variable' | 'conf'; readonly name: string; readonly fallback?: JinjaNode } | undefined {
    const origin = { 'dag_run.conf.get': 'conf', 'params.get': 'conf', 'var.value.get': 'variable', 'var.json.get': 'variable' }[
      pathOf(of)?.join('.') ?? ''
    ] as 'variable' | 'conf' | undefined;
    const [name] = inOrder.map((each) => (each.kind === 'literal' ? each.value : undefined));
    if (origin === undefined || typeof name !== 'string') return undefined;
    const fallback = inOrder[1] ?? byName.get('default_var') ?? byName.get('default');
    return { origin, name, ...(fallback && { fallback }) };
  }

  private call(of: JinjaNode, given: Arguments): Value {
    const path = pathOf(of)?.join('.') ?? '';
    const found = this.lookup(of, given);
    if (found) {
      const known = path === 'params.get' ? this.names.params.get(found.name) : undefined;
      return known ? { cel: `params.${known.name}`, kind: known.kind } : this.withDefault(found.origin, found.name, found.fallback);
    }
    const inOrder = given.inOrder;
    const argument = (at: number): unknown => (inOrder[at] ? this.value(inOrder[at]).constant : undefined);
    switch (path) {
      case 'macros.ds_add':
        return later(this.dayOf(inOrder[0]), this.amounts([['days', inOrder[1] ?? noEqual()]]));
      case 'macros.ds_format':
        return this.parsed(inOrder[0], argument(1), (read) => values.strftime(read, String(argument(2))));
      case 'ti.xcom_pull':
      case 'task_instance.xcom_pull':
        return this.pulled(given);
      case 'str':
        return text(asText(this.value(inOrder[0] ?? noEqual())));
    }
    if (STRPTIME.test(path)) return this.parsed(inOrder[0], argument(1), (read) => read);
    return this.method(of, given, argument);
  }

  /** A method of a date, or of a text. */
  private method(of: JinjaNode, { inOrder, byName }: Arguments, argument: (at: number) => unknown): Value {
    if (of.kind !== 'field') throw new NoEqual();
    const value = this.value(of.of);
    if (value.kind === 'text' || value.kind === 'any' || (value.kind === 'day' && of.name === 'replace' && inOrder.length > 0)) {
      if (of.name === 'replace') return replaced(value, argument(0), argument(1));
      const method = { lower: 'lowerAscii', upper: 'upperAscii', strip: 'trim' }[of.name];
      if (method === undefined || value.kind === 'any') throw new NoEqual();
      return text(`${asText(value)}.${method}()`);
    }
    if (!isDate(value)) throw new NoEqual();
    switch (of.name) {
      case 'strftime':
        return values.strftime(value, String(argument(0)));
      case 'format':
        return values.pendulum(value, String(argument(0)));
      case 'isoformat':
      case 'to_iso8601_string':
        return formatted(value, ISO);
      case 'date':
      case 'to_date_string':
        return formatted(value, 'yyyy-MM-dd');
      case 'to_datetime_string':
        return formatted(value, 'yyyy-MM-dd HH:mm:ss');
      case 'add':
      case 'subtract':
        if (inOrder.length > 0) throw new NoEqual();
        return later(value, this.amounts([...byName]), of.name === 'add' ? '' : '-');
      case 'start_of':
        return values.periodOf(value, 'startOf', String(argument(0)));
      case 'end_of':
        return values.periodOf(value, 'endOf', String(argument(0)));
      case 'in_timezone':
      case 'in_tz':
      case 'astimezone':
        return inZone(value, pathOf(inOrder[0])?.join('.') === 'dag.timezone' ? (this.names.timezone ?? 'UTC') : argument(0));
      case 'at':
        return later(values.periodOf(value, 'startOf', 'day'), { addHours: String(Number(argument(0))) });
      case 'replace':
        return this.replacedParts(value, byName);
      case 'weekday':
        return { cel: `dayOfWeek(${value.cel}) - 1`, kind: 'number' };
      case 'isoweekday':
        return { cel: `dayOfWeek(${value.cel})`, kind: 'number' };
      default:
        throw new NoEqual();
    }
  }

  /** `replace(day=1)`, `replace(hour=4, minute=0)`. */
  private replacedParts(value: Value, given: Arguments['byName']): Value {
    const parts = new Map([...given].map(([name, node]) => [name, this.value(node).constant]));
    const month = parts.get('day') === 1 ? firstOfMonth(value) : value;
    const known = [...parts].every(
      ([name, part]) => typeof part === 'number' && ['day', 'hour', 'minute', 'second', 'microsecond'].includes(name),
    );
    if (!known || (parts.has('day') && parts.get('day') !== 1) || (parts.get('second') ?? 0) !== 0) throw new NoEqual();
    if (!parts.has('hour')) return parts.has('minute') ? noEqual() : month;
    // Seconds and what is smaller are 0 at every tick.
    if (!parts.has('minute')) throw new NoEqual();
    const minutes = Number(parts.get('hour')) * 60 + Number(parts.get('minute'));
    const start = values.periodOf(month, 'startOf', 'day');
    return minutes === 0 ? start : later(start, minutes % 60 === 0 ? { addHours: String(minutes / 60) } : { addMinutes: String(minutes) });
  }

  private dayOf(node: JinjaNode | undefined): Value {
    const value = this.value(node ?? noEqual());
    return value.kind === 'day' || value.kind === 'any' ? { ...value, kind: 'day' } : noEqual();
  }

  /** A text that is read as a date. */
  private parsed(node: JinjaNode | undefined, format: unknown, then: (read: Value) => Value): Value {
    const value = this.value(node ?? noEqual());
    if ((value.kind === 'day' || value.kind === 'any') && format === '%Y-%m-%d') return then({ ...value, kind: 'day' });
    if (value.cel === 'ds_nodash' && format === '%Y%m%d') return then(day('ds'));
    throw new NoEqual();
  }

  private pulled({ inOrder, byName }: Arguments): Value {
    const task = [byName.get('task_ids') ?? inOrder[0]].map((node) => (node?.kind === 'literal' ? node.value : undefined))[0];
    const key = byName.get('key');
    if (typeof task !== 'string' || (key && !(key.kind === 'literal' && key.value === 'return_value'))) throw new NoEqual();
    return this.names.output(task) ?? noEqual();
  }
}

function firstOfMonth(value: Value): Value {
  if (value.kind === 'day' || value.dayOnly) return values.periodOf(value, 'startOf', 'month');
  return later(value, {
    addDays: `1 - int(date(${[value.cel, '"d"', ...(value.zone === undefined ? [] : [JSON.stringify(value.zone)])].join(', ')}))`,
  });
}

function replaced(value: Value, from: unknown, to: unknown): Value {
  if (value.cel === 'ds' && from === '-' && to === '') return text('ds_nodash');
  if (typeof from !== 'string' || typeof to !== 'string') throw new NoEqual();
  return text(`${asText(value)}.split(${JSON.stringify(from)}).join(${JSON.stringify(to)})`);
}

function noEqual(): never {
  throw new NoEqual();
}

/** `a.b['c']` as its parts; undefined for what is none. */
function pathOf(node: JinjaNode | undefined): string[] | undefined {
  if (node?.kind === 'name') return [node.name];
  if (node?.kind === 'field') return pathOf(node.of)?.concat(node.name);
  if (node?.kind === 'item' && node.index.kind === 'literal' && typeof node.index.value === 'string') {
    return pathOf(node.of)?.concat(node.index.value);
  }
  return undefined;
}
