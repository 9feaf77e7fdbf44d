import type { SqlClient } from '../../lib/databases/postgres.ts';
import { userFault } from '../run/errors.ts';
import { describe, isServerError } from '../support/sql/database-failure.ts';
import { formatTable } from '../support/sql/identifiers.ts';
import { listNames } from '../support/nearest.ts';
import { nameReaction, type Reaction } from '../support/sql/table-reactions.ts';
import { goesByKeys, type LoadMethod } from './load-methods.ts';
import type { LoadTarget } from './load-target.ts';
import type { MergeCounts } from './merge.ts';

const MERGE_INSTEAD = 'Use method: merge with upsert_keys, which deletes only the rows that are gone from the data and updates the others.';

/**
 * Makes sure that `replace` and `merge` leave exactly the new rows in the table and change no other table: it refuses deletes with further
 * effects before the first one runs.
 * @throws ApplicationFailure InvalidParameters
 */
export function refuseSideEffects(target: LoadTarget, method: LoadMethod): void {
  if (method !== 'replace' && method !== 'merge') return;
  const { reactions, cascades, heirs, hidesRows } = target.reactions;
  const table = formatTable(target);
  if (hidesRows) {
    throw userFault(
      'InvalidParameters',
      `Row-level security hides rows of ${table} from this user, so that method ${method} could not delete them. ` +
        'Nothing was loaded. Connect as a user with BYPASSRLS, or as the owner of the table, or use method append or upsert.',
    );
  }
  if (method === 'merge') return;
  const reasons = [
    ...cascades.map(({ constraint, from, action }) =>
      action === 'CASCADE'
        ? `rows of ${from} would be deleted too (foreign key '${constraint}', ON DELETE CASCADE)`
        : `rows of ${from} would be changed (foreign key '${constraint}', ON DELETE ${action})`,
    ),
    ...heirs.map((heir) => `rows of ${heir} would be deleted too, which inherits from it`),
    ...reactions
      .filter(({ events }) => events.includes('DELETE'))
      .map((each) => `${nameReaction(each)} may keep rows, or change something else`),
  ];
  if (reasons.length === 0) return;
  const movers = reactions.filter(keepsRowsOut).map((each) => ` ${nameReaction(each)} may also move the new rows elsewhere.`);
  throw userFault(
    'InvalidParameters',
    `Method replace deletes all rows of ${table}, and that would do more: ${reasons.join('; ')}.${movers.join('')} Nothing was loaded. ` +
      MERGE_INSTEAD,
  );
}

/** Suggests `merge` when other tables reference the rows: such rows cannot be deleted, and need not be. */
export function suggestMerge(error: unknown, target: LoadTarget, method: LoadMethod): unknown {
  if (method !== 'replace' || !isServerError(error) || error.code !== '23503') return error;
  // A foreign key of the loaded table itself means that the data refers to a missing row: a different error.
  if (error.schema === target.schema && error.table === target.table) return error;
  return userFault(
    'DataDoesNotFit',
    `Method replace could not delete the rows of ${formatTable(target)}: ${describe(error)} Nothing was loaded. ${MERGE_INSTEAD}`,
    error,
  );
}

/** Whether a trigger or rule may keep a new row out of the table. */
function keepsRowsOut({ kind, events, isBeforeRow }: Reaction): boolean {
  return events.includes('INSERT') && (kind === 'rule' || isBeforeRow);
}

/** Error for rows that the server did not store: the triggers are to blame, not the data. */
export function rowsKeptOut(target: LoadTarget, given: number, taken: number): Error | undefined {
  const movers = target.reactions.reactions.filter(keepsRowsOut).map(nameReaction);
  if (movers.length === 0) return undefined;
  const isOne = movers.length === 1;
  return userFault(
    'DataDoesNotFit',
    `${formatTable(target)} has taken ${taken} of ${given} rows: ${listNames(movers)} ${isOne ? 'moves rows elsewhere or keeps' : 'move rows elsewhere or keep'} them out. ` +
      `Nothing was loaded. Load the table that ${isOne ? 'it writes' : 'they write'} to, or disable ${isOne ? 'it' : 'them'}.`,
  );
}

/** A load in progress: its target, method and number of rows. */
export interface Loading {
  readonly client: SqlClient;
  readonly target: LoadTarget;
  readonly method: LoadMethod;
  /** Number of rows in the data. */
  readonly rows: number;
}

/** Number of rows before an append whose result must be counted; undefined if it need not be. */
export async function countBefore({ client, target, method }: Loading): Promise<number | undefined> {
  return method === 'append' && target.isWatched ? countRows(client, target) : undefined;
}

/**
 * Makes sure that the rows are in the table, within the transaction that loaded them. It counts them if something else could have moved,
 * dropped or added rows; otherwise the row counts of the statements suffice, and the table is not read again.
 * @param before the result of `countBefore`
 * @param missing counts rows of the data that the table lacks, for upsert and merge
 * @throws ApplicationFailure DataDoesNotFit
 */
export async function checkRows(
  { client, target, method, rows }: Loading,
  { inserted = 0, updated }: MergeCounts,
  before: number | undefined,
  missing: () => Promise<number>,
): Promise<void> {
  // Otherwise deferred triggers and foreign keys would be checked only at COMMIT.
  if (target.server === 'postgres') await client.query('SET CONSTRAINTS ALL IMMEDIATE');
  if (goesByKeys(method)) {
    const lacking = target.isWatched ? await missing() : 0;
    const untouched = updated === undefined ? 0 : rows - inserted - updated;
    if (Math.max(lacking, untouched) > 0) throw notThere(target, `lacks ${Math.max(lacking, untouched)} of ${rows} rows of the data`);
    if (method === 'upsert') return;
  }
  if (inserted !== rows && method !== 'merge') throw notThere(target, `has taken ${inserted} of ${rows} rows`);
  if (method !== 'merge' && !target.isWatched) return;
  const [found, expected] = [await countRows(client, target), (before ?? 0) + rows];
  if (found !== expected) throw notThere(target, `would hold ${found} rows after the load, and it must be ${expected}`, method);
}

async function countRows(client: SqlClient, { own }: LoadTarget): Promise<number> {
  const { rows } = await client.query<{ count: string }>(`SELECT count(*) AS count FROM ${own}`);
  return Number(rows[0]?.count);
}

function notThere(target: LoadTarget, what: string, method?: LoadMethod): Error {
  const names = target.reactions.reactions.map(nameReaction);
  const reason =
    names.length > 0
      ? `${listNames(names)} keeps, moves or adds rows. Disable it for the load, or load with a method that it does not touch.`
      : method === 'merge'
        ? 'rows of the table have the same upsert_keys. Choose keys that identify a row, or delete the surplus rows.'
        : 'something else than this load has changed them.';
  return userFault('DataDoesNotFit', `${formatTable(target)} ${what}: ${reason} Nothing was loaded.`);
}
