import { isTemplate } from '../../workflows/plan/expressions/template.ts';
import { isMap, type Json } from '../../workflows/plan/values/json.ts';
import type { JsonSchema, TemplateKeyword } from '../schema/json-schema.ts';
import type { Path } from '../read/source.ts';

/** A text that holds expressions, or is one, with what the schema says of its place. */
export interface FoundTemplate {
  readonly path: Path;
  readonly text: string;
  readonly schema: JsonSchema;
  readonly kind: Exclude<TemplateKeyword, 'prose'>;
}

/**
 * Every text in `value` that has to do with expressions: it holds braces, or its schema says that it is an expression.
 * @param outer how texts take expressions where their schema does not say
 */
export function findTemplates(value: Json | undefined, schema: unknown, path: Path, outer: FoundTemplate['kind']): FoundTemplate[] {
  const branches: readonly unknown[] = isMap(schema) && Array.isArray(schema.anyOf) ? (schema.anyOf as readonly unknown[]) : [];
  const described = [schema, ...branches].filter((each): each is JsonSchema => isMap(each));
  const kind = described.map((each) => each.template).find((each): each is TemplateKeyword => typeof each === 'string') ?? outer;
  if (kind === 'prose') return [];
  if (typeof value === 'string') {
    return kind === 'expression' || isTemplate(value) ? [{ path, text: value, schema: isMap(schema) ? schema : {}, kind }] : [];
  }
  // What stands inside a list in place of an expression is an ordinary value.
  const inner = kind === 'expression' ? 'value' : kind;
  if (Array.isArray(value)) {
    const items = described.map((each) => each.items).find((each) => each !== undefined);
    return (value as readonly Json[]).flatMap((each, index) => findTemplates(each, items, [...path, index], inner));
  }
  if (!isMap(value)) return [];
  return Object.entries(value).flatMap(([key, part]) => {
    const property = described.map((each) => propertyOf(each, key)).find((each) => each !== undefined);
    return findTemplates(part, property, [...path, key], inner);
  });
}

/** What a schema says of the value of `key`. */
export function propertyOf({ properties, additionalProperties, patternProperties }: JsonSchema, key: string): unknown {
  if (isMap(properties) && Object.hasOwn(properties, key)) return properties[key];
  if (isMap(patternProperties)) {
    const pattern = Object.keys(patternProperties).find((each) => new RegExp(each).test(key));
    if (pattern !== undefined) return patternProperties[pattern];
  }
  return isMap(additionalProperties) ? additionalProperties : undefined;
}
