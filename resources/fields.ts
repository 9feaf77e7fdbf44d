/** A value that is compared, but never shown. */
export class Hidden {
  constructor(readonly value: string) {}
}

export type FieldValue = string | number | boolean | Hidden;

/** The comparable state of a resource: flat, by the path of its key in YAML, such as `config.retention.ms`. */
export type Fields = Readonly<Record<string, FieldValue>>;

/** A field that differs between the server and the file. An absent value: the resource does not have the field there. */
export interface Difference {
  readonly field: string;
  readonly actual?: FieldValue;
  readonly declared?: FieldValue;
}

/** Lists the fields that differ, by name. A field that only the server has is a difference: the file does not declare it. */
export function diffFields(declared: Fields, actual: Fields): readonly Difference[] {
  const names = [...new Set([...Object.keys(declared), ...Object.keys(actual)])].sort();
  return names.flatMap((field): Difference[] => {
    const [wanted, found] = [valueIn(declared, field), valueIn(actual, field)];
    if (wanted !== undefined && found !== undefined && textOf(wanted) === textOf(found)) return [];
    return [{ field, ...(found !== undefined && { actual: found }), ...(wanted !== undefined && { declared: wanted }) }];
  });
}

function valueIn(fields: Fields, name: string): FieldValue | undefined {
  return Object.hasOwn(fields, name) ? fields[name] : undefined;
}

/** The text of a value as servers store it. Not for output: see `showValue`. */
export function textOf(value: FieldValue): string {
  return value instanceof Hidden ? value.value : String(value);
}

/** A difference for output. If one side is hidden, both are. */
export function showDifference({ field, actual, declared }: Difference): ShownDifference {
  const isHidden = actual instanceof Hidden || declared instanceof Hidden;
  const show = (value: FieldValue | undefined): string | null => (value === undefined ? null : isHidden ? '(hidden)' : textOf(value));
  return { field, actual: show(actual), declared: show(declared) };
}

/** null: absent there. */
export interface ShownDifference {
  readonly field: string;
  readonly actual: string | null;
  readonly declared: string | null;
}

/** Fields of a map in YAML: `config.cleanup.policy`. */
export function fieldsOfMap(prefix: string, map: Readonly<Record<string, string | number | boolean>>): Record<string, FieldValue> {
  return Object.fromEntries(Object.entries(map).map(([key, value]) => [`${prefix}.${key}`, String(value)]));
}
