import type { Database } from '../../support/sql/opened-database.ts';
import type { ColumnPair } from '../canonical.ts';
import type { Sides } from '../row-expressions.ts';
import type { Difference } from '../rows/comparison.ts';

export interface Repair {
  /** The target's. */
  readonly database: Database;
  readonly sides: Sides;
  /** The target's table, as the analyst names it. */
  readonly table: string;
  /** The target's condition. */
  readonly where: string | undefined;
  /** Whether the source has a condition too: then a row may lie within one of the two and outside the other. */
  readonly isSourceFiltered: boolean;
  readonly keys: readonly ColumnPair[];
  readonly columns: readonly ColumnPair[];
  readonly differences: readonly Difference[];
}

export interface Repaired {
  /** SQL that takes it back. */
  readonly undo: string;
  /** Rows that were found on the other side of the condition and updated there, rather than inserted or deleted. */
  readonly moved: number;
}
