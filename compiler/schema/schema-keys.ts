import type { TSchema } from 'typebox';

/** The parts of a JSON Schema that the documentation uses. */
export type Described = TSchema & {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly default?: unknown;
  readonly anyOf?: readonly Described[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly properties?: Readonly<Record<string, Described>>;
  readonly required?: readonly string[];
  readonly items?: Described;
  readonly additionalProperties?: Described | boolean;
  readonly patternProperties?: Readonly<Record<string, Described>>;
};

/** A key with its path: `expect.status`, `checks[].name`. */
export interface DescribedKey {
  readonly key: string;
  readonly schema: Described;
  readonly isNeeded: boolean;
}

/** Lists the keys of a map, each followed by its nested keys. */
export function keysOf({ properties = {}, required = [] }: Described, before = ''): DescribedKey[] {
  return Object.entries(properties).flatMap(([name, schema]) => {
    const key = `${before}${name}`;
    return [{ key, schema, isNeeded: required.includes(name) }, ...inside(schema, key)];
  });
}

function inside(schema: Described, key: string): DescribedKey[] {
  const { properties, items, anyOf = [], patternProperties, additionalProperties } = schema;
  if (properties) return keysOf(schema, `${key}.`);
  if (items) return inside(items, `${key}[]`);
  const named = Object.values(patternProperties ?? {})[0] ?? (typeof additionalProperties === 'object' ? additionalProperties : undefined);
  if (named) return inside(named, `${key}.<name>`);
  // Variants of a map share keys, which have the same meaning in each.
  const all = anyOf.flatMap((branch) => inside(branch, key));
  return all.filter(({ key: one }, index) => all.findIndex(({ key: other }) => other === one) === index);
}

/** Describes the values that a key accepts. */
export function typeOf({ type, anyOf, enum: values, const: only }: Described): string {
  const closed = values ?? (only === undefined ? anyOf?.map((branch) => branch.const).filter((value) => value !== undefined) : [only]);
  if (closed && closed.length > 0) {
    const others = [...new Set(anyOf?.filter((branch) => branch.const === undefined).map(typeOf))];
    return [closed.map((value) => `\`${String(value)}\``).join(', '), ...others].join(' or ');
  }
  if (anyOf) return [...new Set(anyOf.map(typeOf))].join(' or ');
  const types = [type ?? []].flat().map((each) => WORDS[each] ?? each);
  return types.length > 0 ? types.join(' or ') : 'any value';
}

const WORDS: Readonly<Record<string, string>> = {
  string: 'text',
  integer: 'whole number',
  number: 'number',
  array: 'list',
  object: 'map',
  boolean: '`true`, `false`',
  null: '`null`',
};

/** Formats the keys of a type as a table; empty if it has none. */
export function keysTable(params: TSchema): string[] {
  const rows = keysOf(params as Described).map(({ key, schema, isNeeded }) => {
    const form = schema.default === undefined ? '' : ` Default: \`${JSON.stringify(schema.default).replaceAll('"', '')}\`.`;
    return `| \`${key}\` | ${typeOf(schema)} | ${isNeeded ? '**yes**' : ''} | ${(schema.description ?? '').replaceAll('|', '\\|')}${form} |`;
  });
  return rows.length > 0 ? [`| key | value | needed | meaning |\n|---|---|---|---|\n${rows.join('\n')}`] : [];
}

/** Describes the output of a task in one line: `{rows: whole number, first: map}`. */
export function outputOf(schema: Described): string {
  if (schema.type === 'null') return 'none.';
  const shape = ({ properties, required = [], items, ...rest }: Described): string => {
    if (properties) {
      const fields = Object.entries(properties).map(
        ([name, each]) => `\`${name}\`${required.includes(name) ? '' : ' (perhaps)'}: ${shape(each)}`,
      );
      return fields.join('; ');
    }
    const filled = rest.anyOf?.find((branch) => branch.properties !== undefined);
    if (filled) return `${shape(filled)}; or null`;
    if (items) return items.properties ? `list of maps with ${shape(items).replaceAll('; ', ', ')}` : `list of ${shape(items)}`;
    return typeOf(rest).replaceAll('`', '');
  };
  return `${shape(schema)}.`;
}
