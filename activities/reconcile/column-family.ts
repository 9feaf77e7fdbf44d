/** The kind of values in a column, for comparisons. */
export type Family = 'number' | 'float' | 'boolean' | 'date' | 'timestamp' | 'timestamptz' | 'text' | 'uuid' | 'bytes' | 'other';

export interface ComparedColumn {
  readonly name: string;
  /** The server's name of the type: `numeric(12,2)`, `character varying(40)`. */
  readonly type: string;
  readonly family: Family;
  /** Digits after the decimal point; undefined if the column allows any number of them. */
  readonly scale: number | undefined;
}

const FAMILIES: readonly (readonly [RegExp, Family])[] = [
  [/^(small|big)?int(eger)?$|^int[248]$|^(numeric|decimal)(\(\d+(, ?-?\d+)?\))?$/, 'number'],
  [/^real$|^double precision$|^float[48]$/, 'float'],
  [/^bool/, 'boolean'],
  [/^date$/, 'date'],
  [/^timestamp.* with time zone$|^timestamptz/, 'timestamptz'],
  [/^timestamp/, 'timestamp'],
  [/^text$|^char|^varchar|^bpchar|^name$|^"char"$/, 'text'],
  [/^uuid$/, 'uuid'],
  [/^bytea$/, 'bytes'],
];

/** A column, given its name and PostgreSQL's name of its type. */
export function comparedColumn(name: string, type: string): ComparedColumn {
  const lower = type.toLowerCase();
  const family = FAMILIES.find(([pattern]) => pattern.test(lower))?.[1] ?? 'other';
  const decimals = /^(?:numeric|decimal)(?:\((\d+)(?:, ?(-?\d+))?\))?$/.exec(lower);
  const scale = family !== 'number' ? undefined : decimals === null ? 0 : decimals[1] === undefined ? undefined : Number(decimals[2] ?? 0);
  return { name, type, family, scale };
}

/** Whether values are whole numbers, so that they can be cut into ranges. */
export function isInteger({ family, type }: ComparedColumn): boolean {
  return family === 'number' && !/^(numeric|decimal)/i.test(type);
}
