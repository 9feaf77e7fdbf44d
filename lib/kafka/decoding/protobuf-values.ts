import protobuf from 'protobufjs';
import { numberOf } from '../../../workflows/plan/values/exact-json.ts';
import type { Json } from '../../../workflows/plan/values/json.ts';
import { jsonValueOf } from '../../json-value.ts';
import { decimalText } from './decimal-text.ts';
import { isoTime, secondsText } from './iso-times.ts';

type Fields = Readonly<Record<string, unknown>>;

/** Converts a message for an event, with the schema's field names; unset fields get their defaults, unset messages null. */
export function messageValue(message: unknown, type: protobuf.Type): Json {
  const fields = message as Fields;
  const special = SPECIAL[type.fullName];
  const value = special?.(fields, type);
  return value === undefined ? fieldsOf(fields, type) : value;
}

function fieldsOf(message: Fields, type: protobuf.Type): Json {
  const entries = type.fieldsArray.flatMap((field): [string, Json][] => {
    field.resolve();
    if (Object.hasOwn(message, field.name)) return [[field.name, fieldValue(message[field.name], field)]];
    // Only the set field of a oneof is present; `optional` is a oneof with one field.
    return field.partOf ? [] : [[field.name, emptyValue(field)]];
  });
  return Object.fromEntries(entries);
}

function emptyValue(field: protobuf.Field): Json {
  if (field.map) return {};
  if (field.repeated) return [];
  return field.resolvedType instanceof protobuf.Type ? null : scalarValue(field.defaultValue, field);
}

function fieldValue(value: unknown, field: protobuf.Field): Json {
  if (field instanceof protobuf.MapField) {
    return Object.fromEntries(
      Object.entries(value as Fields).map(([key, part]) => [keyText(key, field.keyType), elementValue(part, field)]),
    );
  }
  return field.repeated ? (value as readonly unknown[]).map((each) => elementValue(each, field)) : elementValue(value, field);
}

function elementValue(value: unknown, field: protobuf.Field): Json {
  return field.resolvedType instanceof protobuf.Type ? messageValue(value, field.resolvedType) : scalarValue(value, field);
}

function scalarValue(value: unknown, { resolvedType, type }: protobuf.Field): Json {
  if (resolvedType instanceof protobuf.Enum) return resolvedType.valuesById[Number(value)] ?? Number(value);
  if (Object.hasOwn(protobuf.types.long, type)) return numberOf(String(value));
  if (type === 'bytes') return Buffer.from((value ?? []) as Uint8Array).toString('base64');
  return jsonValueOf(value);
}

/** protobufjs keeps 64-bit keys as eight characters. */
function keyText(key: string, type: string): string {
  if (!Object.hasOwn(protobuf.types.long, type)) return key;
  const isUnsigned = type === 'uint64' || type === 'fixed64';
  return key.length === 8 ? String(protobuf.util.longFromHash(key, isUnsigned)) : key;
}

/** A wrapper type becomes the value of its only field. */
const wrapped = (message: Fields, type: protobuf.Type): Json | undefined => {
  const [field] = type.fieldsArray;
  return field && (Object.hasOwn(message, field.name) ? fieldValue(message[field.name], field) : emptyValue(field.resolve()));
};
const WRAPPERS = ['Double', 'Float', 'Int64', 'UInt64', 'Int32', 'UInt32', 'Bool', 'String', 'Bytes'];

const longOf = (value: unknown): bigint => BigInt(String(value ?? 0));

/**
 * Types with a special JSON form, as in https://protobuf.dev/programming-guides/json/; decimals of Confluent and Google become numbers.
 * Undefined: converted like other messages.
 */
const SPECIAL: Readonly<Record<string, (message: Fields, type: protobuf.Type) => Json | undefined>> = {
  ...Object.fromEntries(WRAPPERS.map((name) => [`.google.protobuf.${name}Value`, wrapped])),
  '.google.protobuf.ListValue': wrapped,
  '.google.protobuf.Struct': wrapped,
  '.google.protobuf.Value': (message, type) => {
    const field = type.fieldsArray.find(({ name }) => Object.hasOwn(message, name));
    return field === undefined || field.name === 'null_value' || field.name === 'nullValue'
      ? null
      : fieldValue(message[field.name], field.resolve());
  },
  '.google.protobuf.FieldMask': ({ paths }) => ((paths ?? []) as readonly string[]).join(','),
  '.google.protobuf.Timestamp': ({ seconds, nanos }) => {
    const text = isoTime(longOf(seconds) * 1_000_000_000n + longOf(nanos), 9);
    return text === undefined ? undefined : `${text}Z`;
  },
  '.google.protobuf.Duration': ({ seconds, nanos }) => `${secondsText(longOf(seconds), Number(nanos ?? 0))}s`,
  '.confluent.type.Decimal': ({ value, scale }) => numberOf(decimalText((value ?? []) as Uint8Array, Number(scale ?? 0))),
  '.google.type.Decimal': ({ value }) => numberOf(String(value ?? '0')) ?? undefined,
};
