import { isTimeZone } from '../../workflows/plan/timetable/time-zone.ts';
import { fromDirectives, fromTokens, hasClock } from './date-patterns.ts';
import { NoEquivalent } from './jinja-syntax.ts';

/** A value in an expression, as CEL. */
export interface Value {
  readonly cel: string;
  /** `day`: a text that names a day; `any`: known only in a run. */
  readonly kind: 'time' | 'day' | 'text' | 'number' | 'boolean' | 'any';
  /** The value, if it is known without a run. */
  readonly constant?: string | number | boolean | null;
  /** The zone in which a time is shown, if it is not the pipeline's. */
  readonly zone?: string;
  /** A time of which only the day is known. */
  readonly dayOnly?: boolean;
  /** The same value as text, if that is shorter than `string(cel)`. */
  readonly text?: string;
}

/** A duration: amounts by the functions that add them. */
export type Delta = Readonly<Record<string, string>>;

export const time = (cel: string): Value => ({ cel, kind: 'time' });
export const day = (cel: string): Value => ({ cel, kind: 'day' });
export const text = (cel: string): Value => ({ cel, kind: 'text' });
export const any = (cel: string): Value => ({ cel, kind: 'any' });
/** A time of which only the day is known. */
export const onlyDay = (cel: string): Value => ({ cel, kind: 'time', dayOnly: true });

export function constant(value: string | number | boolean | null): Value {
  const kind = typeof value === 'string' ? 'text' : typeof value === 'number' ? 'number' : typeof value === 'boolean' ? 'boolean' : 'any';
  return { cel: JSON.stringify(value), kind, constant: value };
}

export function isDate({ kind }: Value): boolean {
  return kind === 'time' || kind === 'day';
}

/** `date(x, pattern)`, in its shortest form. */
export function formatted(value: Value, pattern: string | undefined): Value {
  if (!isDate(value) || pattern === undefined || (value.dayOnly && hasClock(pattern))) throw new NoEquivalent();
  const isStart = value.zone === undefined && ['ds', 'logical_date', 'data_interval_start'].includes(value.cel);
  if (pattern === 'yyyy-MM-dd' && value.zone === undefined) {
    return isStart ? day('ds') : value.kind === 'day' || value.dayOnly ? day(value.cel) : day(`date(${value.cel})`);
  }
  if (pattern === 'yyyyMMdd' && isStart) return text('ds_nodash');
  const cel = `date(${[value.cel, JSON.stringify(pattern), ...zoneOf(value)].join(', ')})`;
  return pattern === 'yyyy-MM-dd' ? day(cel) : text(cel);
}

export const strftime = (value: Value, format: string): Value => formatted(value, fromDirectives(format));
export const pendulum = (value: Value, format: string): Value => formatted(value, fromTokens(format));

/** Part of a date as a number: `month`. */
export function part(value: Value, pattern: string): Value {
  const { cel } = formatted(value, pattern);
  // A pattern of two letters writes a leading zero, which Python's number does not have.
  return { cel: `int(${cel})`, kind: 'number', ...(pattern.length === 1 || pattern === 'yyyy' ? { text: cel } : {}) };
}

/** A date plus a duration. @param sign `-` subtracts it */
export function later(value: Value, delta: Delta, sign: '' | '-' = ''): Value {
  if (!isDate(value)) throw new NoEquivalent();
  const cel = Object.entries(delta).reduce((of, [add, amount]) => {
    if ((value.kind === 'day' || value.dayOnly) && /Hours|Minutes/.test(add)) throw new NoEquivalent();
    const signed = sign === '' ? amount : /^\d/.test(amount) ? `-${amount}` : /^-\d+$/.test(amount) ? amount.slice(1) : `-(${amount})`;
    return `${add}(${[of, signed, ...zoneOf(value)].join(', ')})`;
  }, value.cel);
  return { ...value, cel };
}

/** The start or end of the period that contains a date: `startOfMonth`. */
export function periodOf(value: Value, end: 'startOf' | 'endOf', unit: string): Value {
  const name = { day: 'Day', week: 'Week', month: 'Month', quarter: 'Quarter', year: 'Year' }[unit];
  if (!isDate(value) || name === undefined || (end === 'endOf' && name === 'Day')) throw new NoEquivalent();
  const cel = `${end}${name}(${[value.cel, ...zoneOf(value)].join(', ')})`;
  return end === 'endOf' ? onlyDay(cel) : { ...value, cel };
}

/** A time in another zone. */
export function inZone(value: Value, zone: unknown): Value {
  if (value.kind !== 'time' || value.dayOnly || typeof zone !== 'string' || !isTimeZone(zone)) throw new NoEquivalent();
  return { ...value, zone };
}

/** The value as an operand of a larger expression. */
export function operand({ cel }: Value): string {
  return /^[\w.]+$|^[\w.]+\([^()]*\)$|^"[^"]*"$/.test(cel) ? cel : `(${cel})`;
}

/** The value as text. */
export function asText(value: Value): string {
  if (value.kind === 'time') return formatted(value, "yyyy-MM-dd'T'HH:mm:ssXXX").cel;
  // As Python shows it.
  if (value.kind === 'boolean') return `(${operand(value)} ? "True" : "False")`;
  return value.kind === 'text' || value.kind === 'day' ? operand(value) : (value.text ?? `string(${value.cel})`);
}

/** Whether Jinja treats the value as true. */
export function truth(value: Value): string {
  if (value.kind === 'boolean') return operand(value);
  if (value.kind === 'text' || value.kind === 'day') return `${operand(value)} != ""`;
  if (value.kind === 'number') return `${operand(value)} != 0`;
  throw new NoEquivalent();
}

function zoneOf({ zone }: Value): string[] {
  return zone === undefined ? [] : [JSON.stringify(zone)];
}
