import { isTemplate } from '../../workflows/plan/expressions/template.ts';
import { isMap, type Json } from '../../workflows/plan/values/json.ts';
import type { TemplateKeyword } from '../../lib/schema-keywords.ts';
import type { JsonSchema } from '../schema/json-schema.ts';
import type { Path } from '../read/source.ts';

/** A text that is an expression or contains some, with its schema. */
export interface FoundTemplate {
  readonly path: Path;
  readonly text: string;
  readonly schema: JsonSchema;
  readonly kind: Exclude<TemplateKeyword, 'prose'>;
}

/**
 * Finds every text in `value` that contains braces, or is an expression according to its schema.
 * @param outer how texts use expressions if their schema does not define it
 */
export function findTemplates(value: Json | undefined, schema: unknown, path: Path, outer: FoundTemplate['kind']): FoundTemplate[] {
  const branches: readonly unknown[] = isMap(schema) && Array.isArray(schema.anyOf) ? (schema.anyOf as readonly unknown[]) : [];
  const described = [schema, ...branches].filter((each): each is JsonSchema => isMap(each));
  const kind = described.map((each) => each.template).find((each): each is TemplateKeyword => typeof each === 'string') ?? outer;
  if (kind === 'prose') return [];
  if (typeof value === 'string') {
    return kind === 'expression' || isTemplate(value) ? [{ path, text: value, schema: isMap(schema) ? schema : {}, kind }] : [];
  }
  // If a list replaces an expression, its elements are ordinary values.
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

/** The schema of the value at `key`. */
export function propertyOf({ properties, additionalProperties, patternProperties }: JsonSchema, key: string): unknown {
  if (isMap(properties) && Object.hasOwn(properties, key)) return properties[key];
  if (isMap(patternProperties)) {
    const pattern = Object.keys(patternProperties).find((each) => new RegExp(each).test(key));
    if (pattern !== undefined) return patternProperties[pattern];
  }
  return isMap(additionalProperties) ? additionalProperties : undefined;
}
