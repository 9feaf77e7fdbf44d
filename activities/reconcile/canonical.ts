import { userFault } from '../run/errors.ts';
import type { ComparedColumn, Family } from './column-family.ts';
import type { Dialect } from './dialects/dialect.ts';
import type { Normalization } from './normalization.ts';

/** Writes a column of both sides as text so that the texts are equal exactly when the values count as equal. */
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
 * SQL for both sides that converts the column to text, NULL to NULL. Two values count as equal exactly when their texts are equal.
 * @throws ApplicationFailure InvalidParameters when the two types cannot be compared as declared
 */
export function canonicalText(pair: ColumnPair, dialects: { readonly source: Dialect; readonly target: Dialect }): Expressions {
  const write = writerOf(pair, dialects.source.name === dialects.target.name);
  return { source: write(pair.source, dialects.source), target: write(pair.target, dialects.target) };
}

type Writer = (column: ComparedColumn, dialect: Dialect) => string;

function writerOf(pair: ColumnPair, alike: boolean): Writer {
  const { source, target, normalization } = pair;
  const families = new Set<Family>([source.family, target.family]);
  const only = (...allowed: Family[]): boolean => [...families].every((family) => allowed.includes(family));
  if (normalization.boolean && only('boolean', 'number')) return (column, dialect) => dialect.boolean(column);
  if (only('number') || (only('number', 'float') && normalization.scale !== undefined)) return numberText(pair, alike);
  if (only('boolean')) return (column, dialect) => dialect.boolean(column);
  if (only('date') || (only('date', 'timestamp') && normalization.precision === 'day')) return (column, dialect) => dialect.date(column);
  if (only('timestamp', 'timestamptz') && (families.size === 1 || normalization.timezone !== undefined))
    return (column, dialect) => dialect.time(column, normalization, alike);
  if (only('text', 'uuid')) return (column, dialect) => dialect.text(column, normalization);
  if (only('bytes')) return (column, dialect) => dialect.bytes(column);
  if (source.type === target.type && alike) return (column, dialect) => dialect.exact?.(column) ?? refuse(pair, families);
  return refuse(pair, families);
}

function refuse({ name, source, target }: ColumnPair, families: ReadonlySet<Family>): never {
  throw userFault(
    'InvalidParameters',
    `Column '${name}' is ${source.type} in the source and ${target.type} in the target. ${adviceFor(families)}`,
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

function numberText({ name, source, target, normalization }: ColumnPair, alike: boolean): Writer {
  const known = source.scale !== undefined && target.scale !== undefined ? Math.max(source.scale, target.scale) : undefined;
  const scale = normalization.scale ?? known;
  if (scale !== undefined) return (column, dialect) => dialect.number(column, scale);
  const undeclared = (): never => {
    throw userFault(
      'InvalidParameters',
      `Column '${name}' is ${source.type} in the source and ${target.type} in the target. Declare how many digits count: normalize: {${name}: {scale: 2}}.`,
    );
  };
  return (column, dialect) => (alike && dialect.exact ? dialect.exact(column) : undeclared());
}

/**
 * Whether two PostgreSQL servers hash the values of this column equally exactly when the values count as equal. If so, differences can be
 * found without converting values to text.
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
