import { isMap, type Json, type JsonObject } from '../../../workflows/plan/values/json.ts';
import { didYouMean } from '../../support/nearest.ts';
import { OutsideOfSubset } from './outside-of-subset.ts';

/** Keywords that describe, or whose check the service makes itself: left out. */
const IGNORED =
  /^(?:x-.*|\$comment|\$schema|title|description|examples?|default|deprecated|readOnly|writeOnly|xml|externalDocs|discriminator|format|pattern|content(?:MediaType|Encoding))$/;
/** Keywords that are kept as they are. */
const KEPT: ReadonlySet<string> = new Set([
  ...['enum', 'const', 'minimum', 'maximum', 'minLength', 'maxLength', 'minItems', 'maxItems', 'uniqueItems', 'required', 'multipleOf'],
  ...['minProperties', 'maxProperties'],
]);
/** Keywords that are converted. */
const CONVERTED: ReadonlySet<string> = new Set([
  ...['type', 'nullable', 'properties', 'additionalProperties', 'items', 'anyOf', 'oneOf', 'allOf', 'exclusiveMinimum', 'exclusiveMaximum'],
]);

/** Converts schemas of one OpenAPI document (3.0 or 3.1) to JSON Schema without references. */
export class OpenApiSchemas {
  /** References that are being resolved: a schema that contains itself accepts anything there. */
  private readonly open = new Set<string>();

  constructor(private readonly document: JsonObject) {}

  /** The value that `{$ref: '#/…'}` refers to; other values as they are. @throws OutsideOfSubset */
  resolve(value: Json | undefined): Json | undefined {
    if (!isMap(value) || typeof value.$ref !== 'string') return value;
    return this.target(value.$ref);
  }

  /**
   * Converts a schema.
   * @param isClosed whether maps may have only the keys that are described, unless `additionalProperties` says otherwise
   * @throws OutsideOfSubset for a keyword that is not supported
   */
  convert(schema: Json | undefined, isClosed: boolean): JsonObject {
    if (schema === undefined || schema === true) return {};
    if (!isMap(schema)) throw new OutsideOfSubset(`a schema is ${JSON.stringify(schema)}, which is not a map`);
    const { $ref: reference, ...rest } = schema;
    if (typeof reference !== 'string') return this.convertOwn(rest, isClosed);
    if (this.open.has(reference)) return {};
    this.open.add(reference);
    try {
      const target = this.convert(this.target(reference), isClosed);
      const siblings = this.convertOwn(rest, false);
      return Object.keys(siblings).length === 0 ? target : merged([target, siblings], isClosed);
    } finally {
      this.open.delete(reference);
    }
  }

  private target(reference: string): Json {
    if (!reference.startsWith('#/')) throw new OutsideOfSubset(`\`$ref: ${reference}\` is in another document`);
    let at: Json | undefined = this.document;
    for (const step of reference.slice(2).split('/')) {
      const key = decodeURIComponent(step).replaceAll('~1', '/').replaceAll('~0', '~');
      const known: JsonObject = isMap(at) ? at : {};
      if (!Object.hasOwn(known, key)) {
        const near = didYouMean(key, Object.keys(known));
        throw new OutsideOfSubset(`\`$ref: ${reference}\` refers to nothing${near === '' ? '' : `;${near.toLowerCase()}`}`);
      }
      at = known[key];
    }
    return at ?? null;
  }

  private convertOwn(schema: JsonObject, isClosed: boolean): JsonObject {
    const unknown = Object.keys(schema).find((key) => !IGNORED.test(key) && !KEPT.has(key) && !CONVERTED.has(key));
    if (unknown !== undefined) throw new OutsideOfSubset(`a schema uses \`${unknown}\``);
    const { type, nullable, properties, additionalProperties, items, anyOf, oneOf, allOf } = schema;
    const convert = (each: Json | undefined): JsonObject => this.convert(each, isClosed);
    const own: Record<string, Json> = Object.fromEntries(Object.entries(schema).filter(([key]) => KEPT.has(key))) as Record<string, Json>;
    Object.assign(own, limitsOf(schema));
    if (isMap(properties)) {
      own.properties = Object.fromEntries(Object.entries(properties).map(([key, each]) => [key, convert(each)]));
      if (type === undefined) own.type = 'object';
    }
    if (items !== undefined) own.items = convert(items);
    if (additionalProperties !== undefined)
      own.additionalProperties = typeof additionalProperties === 'boolean' ? additionalProperties : convert(additionalProperties);
    else if (isClosed && isMap(properties)) own.additionalProperties = false;
    const parts = Array.isArray(allOf) ? (allOf as readonly Json[]).map(convert) : [];
    // Values that match several branches of `oneOf` are left to the service.
    const branches = [anyOf, oneOf].flatMap((list) => (Array.isArray(list) ? [(list as readonly Json[]).map(convert)] : []));
    const types = [...new Set([...(type === undefined ? [] : ([type].flat() as string[])), ...(nullable === true ? ['null'] : [])])];
    const [single] = types;
    const typed =
      types.length > 1
        ? { anyOf: types.map((each) => (each === 'null' ? { type: each } : { ...own, type: each })) }
        : { ...own, ...(single !== undefined && { type: single }) };
    return merged([typed, ...parts, ...branches.map((list) => ({ anyOf: list }))], isClosed);
  }
}

/** The limits that are exclusive: in 3.0 a flag beside `minimum`, in 3.1 a number. */
function limitsOf({ minimum, maximum, exclusiveMinimum, exclusiveMaximum }: JsonObject): Record<string, Json> {
  const lower = exclusiveMinimum === true ? minimum : exclusiveMinimum;
  const upper = exclusiveMaximum === true ? maximum : exclusiveMaximum;
  return {
    ...(typeof lower === 'number' && { exclusiveMinimum: lower }),
    ...(typeof upper === 'number' && { exclusiveMaximum: upper }),
  };
}

/** One schema in place of several that must all hold. */
function merged(schemas: readonly JsonObject[], isClosed: boolean): JsonObject {
  const parts = schemas.filter((each) => Object.keys(each).length > 0);
  const [first = {}, ...others] = parts;
  if (others.length === 0) return first;
  if (parts.some((each) => each.type !== 'object' || each.anyOf !== undefined))
    throw new OutsideOfSubset('a schema combines several (`allOf`, or `anyOf` beside other keywords) that are not all maps');
  const properties = Object.assign({}, ...parts.map((each) => each.properties ?? {})) as JsonObject;
  const required = [...new Set(parts.flatMap((each) => (each.required ?? []) as readonly string[]))];
  const stated = parts.map((each) => each.additionalProperties).filter((each) => each !== undefined && each !== false);
  return {
    type: 'object',
    properties,
    ...(required.length > 0 && { required }),
    ...(stated[0] !== undefined ? { additionalProperties: stated[0] } : isClosed && { additionalProperties: false }),
  };
}
