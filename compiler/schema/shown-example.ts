import { isMap, type Json } from '../../workflows/plan/values/json.ts';
import { propertyOf } from '../expressions/find-templates.ts';
import type { Path } from '../read/source.ts';
import type { JsonSchema } from './json-schema.ts';

/**
 * The examples of the deepest key on a path, as YAML: `expect: {status: 200}`. Without its own examples, those of an outer key are used.
 * @param root the schema of files
 * @param part the schema of the map where `path` begins
 */
export function shownExamples(root: JsonSchema, part: JsonSchema, path: Path): string[] {
  let shown: string[] = [];
  let schema: JsonSchema | undefined = resolve(root, part);
  let inherited: unknown;
  for (const step of path) {
    schema = schema && stepInto(root, schema, step);
    inherited =
      typeof inherited === 'object' && inherited !== null ? (inherited as Readonly<Record<string | number, unknown>>)[step] : undefined;
    const own = (schema?.examples ?? []) as readonly unknown[];
    if (own.length > 0) inherited = own[0];
    if (typeof step !== 'string' || inherited === undefined) continue;
    shown = (own.length > 0 ? own : [inherited]).slice(0, MAX_SHOWN).map((example) => `${step}: ${flowText(example as Json)}`);
  }
  return shown;
}

const MAX_SHOWN = 2;

function resolve(root: JsonSchema, part: unknown): JsonSchema | undefined {
  if (!isMap(part)) return undefined;
  if (typeof part.$ref !== 'string') return part;
  const target = part.$ref
    .split('/')
    .slice(1)
    .reduce<unknown>((schema, step) => (isMap(schema) ? schema[step] : undefined), root);
  return isMap(target) ? { ...resolve(root, target), ...part } : undefined;
}

function stepInto(root: JsonSchema, schema: JsonSchema, step: string | number): JsonSchema | undefined {
  const branches = Array.isArray(schema.anyOf) ? (schema.anyOf as readonly unknown[]) : [];
  for (const each of [schema, ...branches]) {
    const branch = resolve(root, each);
    const next = branch && resolve(root, typeof step === 'number' ? branch.items : propertyOf(branch, step));
    if (next) return next;
  }
  return undefined;
}

/** Formats a value as YAML on one line, with quotes only where needed. */
export function flowText(value: Json): string {
  if (Array.isArray(value)) return `[${(value as readonly Json[]).map(flowText).join(', ')}]`;
  if (isMap(value)) {
    const entries = Object.entries(value).flatMap(([key, part]) => (part === undefined ? [] : [`${flowText(key)}: ${flowText(part)}`]));
    return `{${entries.join(', ')}}`;
  }
  return typeof value === 'string' && isPlain(value) ? value : JSON.stringify(value);
}

/** Whether YAML reads an unquoted text as that text in every context. */
function isPlain(text: string): boolean {
  return /^[A-Za-z_](?:[\w./()*+-]|[ ](?=[\w(*+-])|:(?=\/\/))*$/.test(text) && !/^(?:true|false|null|yes|no|on|off|y|n)$/i.test(text);
}
