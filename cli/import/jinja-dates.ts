import { type Arguments, type JinjaNode, noEqual, pathOf } from './jinja-syntax.ts';
import { type Delta, formatted, inZone, later, part, pendulum, periodOf, strftime, type Value } from './jinja-values.ts';

/** Converts part of an expression to CEL. */
export type Evaluate = (node: JinjaNode) => Value;

/** A duration; `day`: the day of the month to set before the duration is added. */
type DatedDelta = Delta & { readonly day?: string };

/** Python's date attributes, with our date patterns. */
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
/** ISO 8601 as Python formats it. */
export const ISO = "yyyy-MM-dd'T'HH:mm:ssXXX";

/** Converts a duration such as `macros.timedelta(days=1)`. */
export function timeDelta(node: JinjaNode, value: Evaluate): DatedDelta | undefined {
  const path = node.kind === 'call' ? pathOf(node.of)?.join('.') : undefined;
  if (node.kind !== 'call' || path === undefined || !DELTAS.test(path)) return undefined;
  const { inOrder, byName } = node.arguments;
  const amounts: [string, JinjaNode][] = [...byName];
  if (inOrder.length === 1 && path.endsWith('timedelta')) amounts.push(['days', inOrder[0] ?? noEqual()]);
  else if (inOrder.length > 0) noEqual();
  return amountsOf(amounts, value);
}

/** Groups amounts by the functions that add them. */
export function amountsOf(amounts: readonly (readonly [string, JinjaNode])[], value: Evaluate): DatedDelta {
  return Object.fromEntries(
    amounts.map(([unit, amount]) => {
      const { cel, kind, constant: known } = value(amount);
      if (unit === 'seconds' && typeof known === 'number' && known % 60 === 0) return ['addMinutes', String(known / 60)];
      if (unit === 'day' && known === 1) return ['day', '1'];
      if (kind !== 'number' || !Object.hasOwn(UNITS, unit)) noEqual();
      return [UNITS[unit] ?? '', cel];
    }),
  );
}

/** A date shifted by a duration. */
export function shifted(value: Value, { day: first, ...delta }: DatedDelta, sign: '' | '-'): Value {
  // The day of the month is set before the duration is added.
  return later(first === undefined ? value : firstOfMonth(value), delta, sign);
}

/** An attribute of a date: `execution_date.year`. */
export function dateField(value: Value, name: string): Value {
  return Object.hasOwn(PARTS, name) ? part(value, PARTS[name] ?? '') : noEqual();
}

/** A method call on a date. */
export function dateMethod(
  value: Value,
  name: string,
  { inOrder, byName }: Arguments,
  evaluate: Evaluate,
  timezone: string | undefined,
): Value {
  const argument = (at: number): unknown => (inOrder[at] ? evaluate(inOrder[at]).constant : undefined);
  switch (name) {
    case 'strftime':
      return strftime(value, String(argument(0)));
    case 'format':
      return pendulum(value, String(argument(0)));
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
      if (inOrder.length > 0) return noEqual();
      return later(value, amountsOf([...byName], evaluate), name === 'add' ? '' : '-');
    case 'start_of':
      return periodOf(value, 'startOf', String(argument(0)));
    case 'end_of':
      return periodOf(value, 'endOf', String(argument(0)));
    case 'in_timezone':
    case 'in_tz':
    case 'astimezone':
      return inZone(value, pathOf(inOrder[0])?.join('.') === 'dag.timezone' ? (timezone ?? 'UTC') : argument(0));
    case 'at':
      return later(periodOf(value, 'startOf', 'day'), { addHours: String(Number(argument(0))) });
    case 'replace':
      return replacedParts(value, byName, evaluate);
    case 'weekday':
      return { cel: `dayOfWeek(${value.cel}) - 1`, kind: 'number' };
    case 'isoweekday':
      return { cel: `dayOfWeek(${value.cel})`, kind: 'number' };
    default:
      return noEqual();
  }
}

/** `replace(day=1)`, `replace(hour=4, minute=0)`. */
function replacedParts(value: Value, given: Arguments['byName'], evaluate: Evaluate): Value {
  const parts = new Map([...given].map(([name, node]) => [name, evaluate(node).constant]));
  const month = parts.get('day') === 1 ? firstOfMonth(value) : value;
  const known = [...parts].every(
    ([name, part]) => typeof part === 'number' && ['day', 'hour', 'minute', 'second', 'microsecond'].includes(name),
  );
  if (!known || (parts.has('day') && parts.get('day') !== 1) || (parts.get('second') ?? 0) !== 0) noEqual();
  if (!parts.has('hour')) return parts.has('minute') ? noEqual() : month;
  // Seconds and smaller units are 0 at every tick.
  if (!parts.has('minute')) noEqual();
  const minutes = Number(parts.get('hour')) * 60 + Number(parts.get('minute'));
  const start = periodOf(month, 'startOf', 'day');
  return minutes === 0 ? start : later(start, minutes % 60 === 0 ? { addHours: String(minutes / 60) } : { addMinutes: String(minutes) });
}

function firstOfMonth(value: Value): Value {
  if (value.kind === 'day' || value.dayOnly) return periodOf(value, 'startOf', 'month');
  return later(value, {
    addDays: `1 - int(date(${[value.cel, '"d"', ...(value.zone === undefined ? [] : [JSON.stringify(value.zone)])].join(', ')}))`,
  });
}
