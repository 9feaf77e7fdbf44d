import type { Json } from '../../../workflows/plan/values/json.ts';
import type { ColumnPair } from '../canonical.ts';
import type { Sides } from '../row-expressions.ts';

/** Texts of a row's columns. */
export type Row = readonly (string | null)[];

/** A row that differs between the sides; a side that lacks it has no values. All values are canonical texts. */
export interface Difference {
  readonly key: Row;
  readonly source: Row | undefined;
  readonly target: Row | undefined;
}

export interface RowComparison {
  readonly sides: Sides;
  readonly keys: readonly ColumnPair[];
  readonly columns: readonly ColumnPair[];
  /** SQL conditions for rows that changed too late to be compared; a row that is late on one side is compared on neither. */
  readonly late: { readonly source: string; readonly target: string } | undefined;
  readonly resumePoint: Json | undefined;
  progress(point: Json): void;
  /** Called with each difference, in no particular order. */
  found(difference: Difference): Promise<void>;
}

export interface RowCounts {
  /** Number of rows compared: those of the source, and those that only the target has. */
  readonly compared: number;
  readonly changed: number;
  /** Only in the source. */
  readonly missing: number;
  /** Only in the target. */
  readonly extra: number;
}
