import { parseDuration } from './duration.ts';
import { decimalOf, exactJsonText } from './exact-json.ts';
import { isExactNumber, isMap, type Json, type JsonObject } from './json.ts';
import { parseDay, parseMoment } from '../timetable/moment.ts';
import { schemaTypeInWords } from './schema-type-words.ts';

/** The allowed types of a parameter or form field. */
export const VALUE_TYPES = ['string', 'integer', 'number', 'boolean', 'array', 'object', 'null'] as const;

const ISO_TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2})$/;

type Formats = Readonly<Record<string, (text: string) => boolean>>;

/** The allowed formats of text. */
export const VALUE_FORMATS: Formats = {
  date: (text) => parseDay(text) !== undefined,
  'date-time': (text) => ISO_TIME.test(text) && parseMoment(text, 'UTC') !== undefined,
  duration: (text) => (parseDuration(text) ?? 0) > 0,
};

/** Dates as runs of earlier releases accept them: 30 February is 1 March. */
export const FORMER_VALUE_FORMATS: Formats = {
  ...VALUE_FORMATS,
  date: (text) => /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(text)),
  'date-time': (text) => ISO_TIME.test(text) && !Number.isNaN(Date.parse(text)),
};

/**
 * Validates a value given to a run: parameters at its start, the form of an approval. Supports the part of JSON Schema that the compiler
 * allows (compiler/schema/value-schema.ts). Validators that generate code do not work in the workflow sandbox.
 * @param name how messages call the value
 * @param formats the checks for text formats
 * @returns one message per mistake
 */
export function checkValue(schema: JsonObject, value: Json, name: string, formats = VALUE_FORMATS): string[] {
  const types = [schema.type ?? []].flat() as readonly string[];
  const shown = exactJsonText(value);
  if (types.length > 0 && !types.some((type) => hasType(value, type))) {
    return [`'${name}' must be ${schemaTypeInWords(types)}, not ${shown}.`];
  }
  const allowed = schema.enum as readonly Json[] | undefined;
  if (allowed && !allowed.some((each) => exactJsonText(each) === shown)) {
    return [`'${name}' is ${shown}; allowed: ${allowed.map((each) => exactJsonText(each)).join(', ')}.`];
  }
  if (typeof value === 'string') return checkText(schema, value, name, formats);
  if (typeof value === 'number' || isExactNumber(value)) return checkNumber(schema, value, name);
  if (Array.isArray(value)) return checkList(schema, value as readonly Json[], name, formats);
  return isMap(value) ? checkMap(schema, value, name, formats) : [];
}

function hasType(value: Json, type: string): boolean {
  switch (type) {
    case 'null':
      return value === null;
    case 'array':
      return Array.isArray(value);
    case 'object':
      return isMap(value);
    case 'integer':
      return Number.isSafeInteger(value) || (isExactNumber(value) && decimalOf(value)?.isWhole === true);
    case 'number':
      return typeof value === 'number' || isExactNumber(value);
    default:
      return typeof value === type;
  }
}

function checkText(schema: JsonObject, text: string, name: string, formats: Formats): string[] {
  const { minLength, maxLength, format } = schema;
  const length = [...text].length;
  if (typeof minLength === 'number' && length < minLength) return [`'${name}' must have at least ${minLength} characters.`];
  if (typeof maxLength === 'number' && length > maxLength) return [`'${name}' must have at most ${maxLength} characters.`];
  if (typeof format === 'string' && formats[format]?.(text) === false)
    return [`'${name}' is '${text}', which is not a ${format}${dayNote(text)}.`];
  return [];
}

/** Why a text that looks like a date is invalid. */
function dayNote(text: string): string {
  const [day] = /^\d{4}-\d{2}-\d{2}/.exec(text) ?? [];
  return day !== undefined && parseDay(day) === undefined ? ': the calendar has no such day' : '';
}

function checkNumber(schema: JsonObject, value: Json, name: string): string[] {
  const number = decimalOf(value);
  const bounds: readonly (readonly [key: string, words: string, breaks: (order: number) => boolean])[] = [
    ['minimum', 'at least', (order) => order < 0],
    ['maximum', 'at most', (order) => order > 0],
    ['exclusiveMinimum', 'more than', (order) => order <= 0],
    ['exclusiveMaximum', 'less than', (order) => order >= 0],
  ];
  for (const [key, words, breaks] of bounds) {
    const bound = decimalOf(schema[key]);
    if (number && bound && breaks(number.compare(bound)))
      return [`'${name}' must be ${words} ${bound.toString()}, not ${number.toString()}.`];
  }
  return [];
}

function checkList(schema: JsonObject, list: readonly Json[], name: string, formats: Formats): string[] {
  const { minItems, maxItems, items } = schema;
  if (typeof minItems === 'number' && list.length < minItems) return [`'${name}' must have at least ${minItems} elements.`];
  if (typeof maxItems === 'number' && list.length > maxItems) return [`'${name}' must have at most ${maxItems} elements.`];
  return isMap(items) ? list.flatMap((each, index) => checkValue(items, each, `${name}[${index}]`, formats)) : [];
}

function checkMap(schema: JsonObject, map: JsonObject, name: string, formats: Formats): string[] {
  const properties = isMap(schema.properties) ? schema.properties : {};
  const required = Array.isArray(schema.required) ? (schema.required as readonly string[]) : [];
  const mistakes = required.filter((key) => map[key] === undefined).map((key) => `'${name}.${key}' is missing.`);
  for (const [key, value] of Object.entries(map)) {
    const property = Object.hasOwn(properties, key) ? properties[key] : undefined;
    if (isMap(property) && value !== undefined) mistakes.push(...checkValue(property, value, `${name}.${key}`, formats));
    else if (property === undefined && schema.additionalProperties === false) {
      mistakes.push(`'${name}.${key}' is not a field; fields: ${Object.keys(properties).join(', ')}.`);
    }
  }
  return mistakes;
}
