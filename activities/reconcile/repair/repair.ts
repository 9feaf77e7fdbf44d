import type { Database } from '../../support/sql/opened-database.ts';
import type { ColumnPair } from '../canonical.ts';
import type { Sides } from '../row-expressions.ts';
import type { Difference } from '../rows/comparison.ts';

export interface Repair {
  /** The target's session. */
  readonly database: Database;
  readonly sides: Sides;
  /** The target's table, as the analyst wrote it. */
  readonly table: string;
  /** The target's condition. */
  readonly where: string | undefined;
  /** Whether the source has a condition too: then a row may match one condition and not the other. */
  readonly isSourceFiltered: boolean;
  readonly keys: readonly ColumnPair[];
  readonly columns: readonly ColumnPair[];
  readonly differences: readonly Difference[];
}

export interface Repaired {
  /** SQL that reverts the repair. */
  readonly undo: string;
  /** Rows that were found outside the condition and updated there, instead of inserted or deleted. */
  readonly moved: number;
}
