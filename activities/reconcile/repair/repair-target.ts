import { userFault } from '../../run/errors.ts';
import { columnsOf, findTable } from '../../support/sql/find-table.ts';
import { parseTableName } from '../../support/sql/identifiers.ts';
import { sqlAt } from '../../support/sql/database.ts';
import { rowExpressions } from '../row-expressions.ts';
import type { Difference } from '../rows/comparison.ts';
import { findMoved } from './find-moved.ts';
import { KeyedRows } from './keyed-rows.ts';
import type { Repair, Repaired } from './repair.ts';
import { TargetWriter } from './target-writer.ts';

/** Above this limit the load is at fault and not single rows: run the load again. */
export const MAX_REPAIRED_ROWS = 10_000;

/**
 * Makes the target's rows equal to the source's within the session's transaction: it updates the compared columns of changed rows, inserts
 * missing rows with all columns that both sides have, and deletes rows that only the target has. The caller commits.
 * A row whose day was corrected in the source matches the condition of one side only. It is looked up by its key without the conditions and
 * updated in place, so that it is neither duplicated nor lost.
 * @throws ApplicationFailure DataMismatch when the key does not identify rows, or when rows change during the repair
 */
export async function repairTarget(repair: Repair): Promise<Repaired> {
  const { sides, keys, columns, differences } = repair;
  if (differences.length > MAX_REPAIRED_ROWS) {
    throw userFault(
      'DataMismatch',
      `More than ${MAX_REPAIRED_ROWS.toLocaleString('en-US')} rows differ: too many to repair one by one. Load the target again, and then compare.`,
    );
  }
  const found = await findTable(repair.database, parseTableName(repair.table));
  const server = sides.target.postgresVersion > 0 ? 'postgres' : 'redshift';
  const kinds = await columnsOf(repair.database.client, found, server);
  const rows = new KeyedRows(sides, keys, await rowExpressions(sides, keys, columns));
  const writer = new TargetWriter(repair, rows, { found, server, kinds });
  const [extra, missing] = [differences.filter(({ source }) => !source), differences.filter(({ target }) => !target)];
  const moved = repair.where === undefined ? new Set<Difference>() : await findMoved(rows, repair, missing, extra);
  await writer.update(differences.filter(({ source, target }) => source && target));
  await writer.replace([...moved]);
  await writer.delete(extra.filter((each) => !moved.has(each)));
  await writer.insert(missing.filter((each) => !moved.has(each)));
  return { undo: sqlAt(repair.database, ['BEGIN;', ...writer.undo, 'COMMIT;', ''].join('\n')), moved: moved.size };
}
