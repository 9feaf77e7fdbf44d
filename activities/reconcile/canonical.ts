import { userFault } from '../errors.ts';
import { quoteIdentifier, quoteLiteral } from '../sql/identifiers.ts';
import type { ComparedColumn, Family } from './column-family.ts';

export type Dialect = 'postgres' | 'redshift';

/** What an analyst has declared to be no difference in a column. */
export interface Normalization {
  /** Numbers are rounded to so many digits after the point. */
  readonly scale?: number;
  /** Blanks at both ends do not count. */
  readonly trim?: boolean;
  /** The empty text counts as NULL. */
  readonly empty_is_null?: boolean;
  /** Upper and lower case count as the same. */
  readonly ignore_case?: boolean;
  /** Unicode's composed form. */
  readonly unicode?: 'nfc';
  /** 0 and 1 count as false and true. */
  readonly boolean?: boolean;
  /** Where a time without a zone was written down: an IANA name. */
  readonly timezone?: string;
  /** Times are cut down to it. */
  readonly precision?: 'day' | 'hour' | 'minute' | 'second' | 'millisecond';
}

/** How a column of two servers is written as the same text exactly when its values count as the same. */
export interface ColumnPair {
  readonly name: string;
  readonly source: ComparedColumn;
  readonly target: ComparedColumn;
  readonly normalization: Normalization;
}

export interface Expressions {
  readonly source: string;
  readonly target: string;
}

/**
 * SQL for both sides that makes a text of the column, NULL of NULL. Two values count as the same exactly when the texts are.
 * @throws ApplicationFailure InvalidParameters when the types of the two cannot be compared as declared
 */
export function canonicalText(pair: ColumnPair, dialects: { readonly source: Dialect; readonly target: Dialect }): Expressions {
  const write = writerOf(pair, dialects.source === dialects.target && dialects.source === 'postgres');
  return { source: write(pair.source, dialects.source), target: write(pair.target, dialects.target) };
}

type Writer = (column: ComparedColumn, dialect: Dialect) => string;

function writerOf(pair: ColumnPair, bothPostgres: boolean): Writer {
  const { source, target, normalization } = pair;
  const families = new Set<Family>([source.family, target.family]);
  const only = (...allowed: Family[]): boolean => [...families].every((family) => allowed.includes(family));
  if (normalization.boolean && only('boolean', 'number')) return booleanText;
  if (only('number') || (only('number', 'float') && normalization.scale !== undefined)) return numberText(pair, bothPostgres);
  if (families.size === 1 && families.has('float') && source.type === target.type && bothPostgres)
    return ({ name }) => `(${quoteIdentifier(name)} + 0)::text`;
  if (only('boolean')) return booleanText;
  if (only('date')) return ({ name }) => `${quoteIdentifier(name)}::text`;
  if (only('date', 'timestamp') && normalization.precision === 'day') return ({ name }) => `${quoteIdentifier(name)}::date::text`;
  if (only('timestamp', 'timestamptz') && (families.size === 1 || normalization.timezone !== undefined))
    return timeText(pair, bothPostgres);
  if (only('text', 'uuid')) return textText(normalization);
  if (only('bytes')) return ({ name }) => `encode(${quoteIdentifier(name)}, 'hex')`;
  if (source.type === target.type && bothPostgres)
    return ({ name, type }) => `${quoteIdentifier(name)}${type === 'json' ? '::jsonb' : ''}::text`;
  throw userFault(
    'InvalidParameters',
    `Column '${pair.name}' is ${source.type} in the source and ${target.type} in the target. ${adviceFor(families)}`,
  );
}

function adviceFor(families: ReadonlySet<Family>): string {
  const has = (...names: Family[]): boolean => names.some((name) => families.has(name));
  const declare = (what: string): string => `Declare under 'normalize' when they count as the same: ${what}; or compare other 'columns'.`;
  if (has('float')) return declare('{scale: 2} rounds both');
  if (has('boolean')) return declare('{boolean: true} takes 0 and 1 for false and true');
  if (has('date')) return declare('{precision: day} compares days');
  if (has('timestamp')) return declare('{timezone: Europe/Berlin} says where the time without a zone was written down');
  return "They cannot be compared: give a 'query' that casts one of them, or compare other 'columns'.";
}

const booleanText: Writer = ({ name, family }) => {
  const column = quoteIdentifier(name);
  return family === 'boolean'
    ? `CASE ${column} WHEN true THEN '1' WHEN false THEN '0' END`
    : `CASE WHEN ${column} IS NULL THEN NULL WHEN ${column} = 0 THEN '0' WHEN ${column} = 1 THEN '1' ELSE ${column}::text END`;
};

function numberText({ name, source, target, normalization }: ColumnPair, bothPostgres: boolean): Writer {
  const known = source.scale !== undefined && target.scale !== undefined ? Math.max(source.scale, target.scale) : undefined;
  const scale = normalization.scale ?? known;
  if (scale === undefined && !bothPostgres) {
    throw userFault(
      'InvalidParameters',
      `Column '${name}' is ${source.type} in the source and ${target.type} in the target. Declare how many digits count: normalize: {${name}: {scale: 2}}.`,
    );
  }
  return (column, dialect) => {
    const quoted = quoteIdentifier(column.name);
    if (scale === undefined) return column.scale === 0 ? `${quoted}::text` : `trim_scale(${quoted})::text`;
    if (column.scale === scale) return `${quoted}::text`;
    return dialect === 'redshift' ? `${quoted}::numeric(38, ${scale})::text` : `round(${quoted}::numeric, ${scale})::text`;
  };
}

function timeText({ normalization }: ColumnPair, bothPostgres: boolean): Writer {
  const { timezone, precision } = normalization;
  return ({ name, family }) => {
    const quoted = quoteIdentifier(name);
    // Sessions are in UTC, so that a time with a zone is told in UTC.
    const zoned = timezone === undefined ? quoted : family === 'timestamp' ? `(${quoted} AT TIME ZONE ${quoteLiteral(timezone)})` : quoted;
    const utc = timezone === undefined ? zoned : `(${zoned} AT TIME ZONE 'UTC')`;
    const cut = precision === undefined ? utc : `date_trunc(${quoteLiteral(precision)}, ${utc})`;
    return bothPostgres ? `${cut}::text` : `to_char(${cut}, 'YYYY-MM-DD HH24:MI:SS.US')`;
  };
}

function textText({ trim, empty_is_null: emptyIsNull, ignore_case: ignoreCase, unicode }: Normalization): Writer {
  return ({ name }, dialect) => {
    if (unicode !== undefined && dialect === 'redshift') {
      throw userFault('InvalidParameters', `Column '${name}': Redshift cannot compose Unicode. Take 'unicode' away from 'normalize'.`);
    }
    let text = `${quoteIdentifier(name)}::text`;
    if (dialect === 'redshift') text = `${quoteIdentifier(name)}::varchar(65535)`;
    if (unicode !== undefined) text = `normalize(${text}, NFC)`;
    if (trim) text = `btrim(${text})`;
    if (ignoreCase) text = `lower(${text})`;
    return emptyIsNull ? `nullif(${text}, '')` : text;
  };
}

/**
 * Whether PostgreSQL's own hash of the values is the same on two servers exactly when the values count as the same: then nothing needs to
 * be made a text of to find where two tables differ.
 */
export function hashesAlike({ source, target, normalization }: ColumnPair): boolean {
  if (Object.keys(normalization).length > 0) return false;
  const group = ({ family, type, scale }: ComparedColumn): string => {
    if (family === 'number') return scale === 0 && !type.startsWith('numeric') ? 'integer' : 'numeric';
    if (family === 'text') return type.startsWith('character(') || type === 'bpchar' ? 'padded' : 'text';
    return ['boolean', 'date', 'timestamp', 'timestamptz', 'uuid', 'bytes'].includes(family) || family === 'float' ? type : '';
  };
  return group(source) !== '' && group(source) === group(target);
}
