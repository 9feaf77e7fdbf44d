import { numberOf } from '../../../workflows/plan/values/exact-json.ts';
import type { Json } from '../../../workflows/plan/values/json.ts';
import { jsonValueOf } from '../../json-value.ts';
import { decimalText } from './decimal-text.ts';
import { isoDay, isoTime, isoTimeOfDay } from './iso-times.ts';

/** Attributes of a schema besides its type. */
export interface LogicalSchema {
  readonly logicalType: string;
  readonly type: string;
  readonly scale?: number;
  readonly size?: number;
}

type Convert = (value: unknown, schema: LogicalSchema) => Json | undefined;

const longOf = (value: unknown): bigint => BigInt(value as bigint | number);
const time =
  (digits: number, zone: string): Convert =>
  (value) => {
    const text = isoTime(longOf(value), digits);
    return text === undefined ? undefined : `${text}${zone}`;
  };
const timeOfDay =
  (digits: number): Convert =>
  (value) =>
    isoTimeOfDay(longOf(value), digits);

/** Converters of Avro's logical types, by underlying type. https://avro.apache.org/docs/1.12.0/specification/#logical-types */
const LOGICAL_TYPES: Readonly<Record<string, Readonly<Record<string, Convert>>>> = {
  decimal: { bytes: decimal, fixed: decimal },
  date: { int: (value) => isoDay(Number(value)) },
  'time-millis': { int: timeOfDay(3) },
  'time-micros': { long: timeOfDay(6) },
  'timestamp-millis': { long: time(3, 'Z') },
  'timestamp-micros': { long: time(6, 'Z') },
  'timestamp-nanos': { long: time(9, 'Z') },
  'local-timestamp-millis': { long: time(3, '') },
  'local-timestamp-micros': { long: time(6, '') },
  'local-timestamp-nanos': { long: time(9, '') },
  uuid: { fixed: uuid },
  duration: { fixed: duration },
};

/**
 * Converts a value of a logical type for an event. A value outside the range of the format, such as a time in the year 10000, stays
 * unchanged.
 */
export function logicalValue(value: unknown, schema: LogicalSchema): Json {
  return LOGICAL_TYPES[schema.logicalType]?.[schema.type]?.(value, schema) ?? jsonValueOf(value);
}

function decimal(value: unknown, { scale = 0 }: LogicalSchema): Json {
  return numberOf(decimalText(value as Buffer, scale));
}

function uuid(value: unknown, { size }: LogicalSchema): Json | undefined {
  if (size !== 16) return undefined;
  return (value as Buffer).toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** ISO 8601: `P1M2DT3.004S`. */
function duration(value: unknown, { size }: LogicalSchema): Json | undefined {
  if (size !== 12) return undefined;
  const bytes = value as Buffer;
  const [months, days, milliseconds] = [bytes.readUInt32LE(0), bytes.readUInt32LE(4), bytes.readUInt32LE(8)];
  const date = `${months > 0 ? `${months}M` : ''}${days > 0 ? `${days}D` : ''}`;
  return `P${date}${milliseconds > 0 || date === '' ? `T${milliseconds / 1000}S` : ''}`;
}
