import type { Load } from './load-order.ts';
import { checkRowCount } from '../support/dataset/min-rows.ts';
import { userFault } from '../run/errors.ts';
import { fixFormats } from '../support/sql/database.ts';
import { columnsOf, findTable, type FoundTable, quoteList, type TableColumn } from '../support/sql/find-table.ts';
import { followSequences } from '../support/sql/follow-sequences.ts';
import { formatTable, quoteIdentifier, quoteTable } from '../support/sql/identifiers.ts';
import { checkRows, countBefore, refuseSideEffects, suggestMerge } from './check-effects.ts';
import { chooseColumns } from './choose-columns.ts';
import { copyIntoPostgres } from './copy-into-postgres.ts';
import { checkOverlapRule, deleteInterval, findLoad, resolveOverlap, rowsOfLastLoad, writeLoad } from './ledger.ts';
import { ledger, prepareLedger } from './ledger-table.ts';
import { goesByKeys, replacesAll } from './load-methods.ts';
import { loadTarget } from './load-target.ts';
import { countMissing, merge, type MergeCounts } from './merge.ts';
import { newStagingTable } from './staging-table.ts';
import { stageFromRedshift } from './stage-redshift.ts';

/** Result of a load. */
export interface Loaded extends MergeCounts {
  readonly rows: number;
  readonly already_loaded: boolean;
}

/**
 * Loads all or nothing: one transaction brings the data into the table and writes the ledger row. A failure leaves the table unchanged. An
 * attempt that follows one with a lost answer finds the ledger row and does nothing. Nothing is prepared outside the transaction: behind a
 * pooler the next statement may run in another session.
 *
 * Data that needs checks before it enters the table is staged first: rows matched by keys, rows with generated columns, and everything on
 * Redshift, where COPY checks nothing against the manifest. Otherwise PostgreSQL copies rows directly, which is twice as fast.
 *
 * PostgreSQL stages before it locks: no one waits while S3 is read, and each statement sees everything committed before it. Redshift takes
 * a transaction's snapshot at its first query, and a snapshot from before the lock would not show another load: it locks first, so that
 * loads into one schema run one after another there.
 */
export async function loadDataset(load: Load): Promise<Loaded> {
  const { database, warehouse, manifest, upsertKeys } = load;
  const { client } = database;
  const isPostgres = warehouse.type === 'postgres';
  const found = await findTarget(load);
  const present = await columnsOf(client, found, warehouse.type);
  const columns = chooseColumns(found, present, manifest.schema, load.columns, upsertKeys, manifest.format);
  checkOverlapRule(load);
  await prepareLedger(client, found.schema);
  // A load found here saves reading the data again; the check under the lock decides.
  const before = await findLoad(load, found);
  if (before) return { ...before, already_loaded: true };
  await client.query(isPostgres ? 'BEGIN ISOLATION LEVEL READ COMMITTED, READ WRITE' : 'BEGIN');
  try {
    if (isPostgres) await fixFormats(client);
    else await client.query(`LOCK TABLE ${ledger(found.schema)}`);
    const staging = await stage(load, found, columns, present);
    // Serialize loads of one table without blocking readers. Redshift's only lock would block them, so there the ledger is locked.
    if (isPostgres) await client.query(`LOCK TABLE ${quoteTable(found)} IN SHARE ROW EXCLUSIVE MODE`);
    const earlier = await findLoad(load, found);
    if (earlier) {
      await client.query('ROLLBACK');
      return { ...earlier, already_loaded: true };
    }
    const counts = await bringIn(load, found, columns, present, staging);
    await writeLoad(load, found, manifest.rows);
    if (staging !== undefined) await client.query(`DROP TABLE ${staging}`);
    await client.query('COMMIT');
    return { rows: manifest.rows, ...counts, already_loaded: false };
  } catch (error) {
    // The session itself may be broken; then the server rolls back.
    await client.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}

/** @returns the staging table with the rows, as SQL; undefined if they go directly into the table */
async function stage(
  load: Load,
  found: FoundTable,
  columns: readonly string[],
  present: readonly TableColumn[],
): Promise<string | undefined> {
  const { database, warehouse, manifest, method } = load;
  const hasGenerated = manifest.format === 'csv' && columns.length > written(columns, present).length;
  if (warehouse.type === 'postgres' && !goesByKeys(method) && !hasGenerated) return undefined;
  const staging = newStagingTable();
  await database.client.query(`CREATE TEMPORARY TABLE ${staging} AS SELECT ${quoteList(columns)} FROM ${quoteTable(found)} WHERE false`);
  if (warehouse.type === 'postgres') await copyIntoPostgres(load, { into: staging, columns, present });
  else await stageFromRedshift(load, warehouse, staging, columns);
  return staging;
}

/** Brings the rows into the locked table, and makes sure that they are there and that nothing else has changed. */
async function bringIn(
  load: Load,
  found: FoundTable,
  columns: readonly string[],
  present: readonly TableColumn[],
  staging: string | undefined,
): Promise<MergeCounts> {
  const { ctx, database, warehouse, manifest, method, upsertKeys } = load;
  const { client } = database;
  const target = await loadTarget(client, found, warehouse.type);
  const replacesInterval = method === 'append' && (await resolveOverlap(load, found)) === 'replace';
  await refuseFewRows(load, found);
  await refuseEmptying(load, found);
  refuseSideEffects(target, replacesInterval ? 'replace' : method);
  const deleted = replacesInterval ? await deleteInterval(load, found) : undefined;
  if (deleted !== undefined && deleted > 0 && manifest.rows === 0 && !load.allowEmpty)
    throw emptied(`on_overlap: replace would delete the ${deleted} rows of this time`, found);
  const loading = { client, target, method, rows: manifest.rows };
  const before = await countBefore(loading);
  const stored = written(columns, present);
  if (goesByKeys(method)) refuseNumbered(found, present, stored, upsertKeys);
  const rows = staging ?? (() => copyIntoPostgres(load, { into: target.sql, columns, present, target }));
  const counts = await mergeAndCheck().catch((error: unknown) => {
    throw suggestMerge(error, target, method);
  });
  const left = warehouse.type === 'postgres' ? await followSequences(client, target.sql, stored) : [];
  if (left.length > 0) {
    ctx.log.warn('The user may not move these sequences behind the loaded values: GRANT SELECT, UPDATE ON SEQUENCE', {
      sequences: left,
    });
  }
  return { ...counts, ...(deleted !== undefined && { deleted }) };

  async function mergeAndCheck(): Promise<MergeCounts> {
    const merged = await merge({ client, target, columns: stored, method, upsertKeys, rows });
    await checkRows(loading, merged, before, () => countMissing(client, target, staging ?? '', upsertKeys));
    return merged;
  }
}

/** @throws ApplicationFailure DataDoesNotFit when the data has fewer rows than `min_rows` */
async function refuseFewRows(load: Load, found: FoundTable): Promise<void> {
  const { manifest, minRows } = load;
  const last = typeof minRows === 'string' ? await rowsOfLastLoad(load, found) : undefined;
  checkRowCount(manifest.rows, minRows, `The data for ${formatTable(found)}`, last);
}

/** @throws ApplicationFailure DataDoesNotFit when data without rows would replace existing rows */
async function refuseEmptying({ database, manifest, method, allowEmpty }: Load, found: FoundTable): Promise<void> {
  if (allowEmpty || manifest.rows > 0 || !replacesAll(method)) return;
  const { rows } = await database.client.query(`SELECT 1 FROM ${quoteTable(found)} LIMIT 1`);
  if (rows.length === 0) return;
  throw emptied(`method ${method} would delete all rows`, found);
}

function emptied(loss: string, found: FoundTable): Error {
  return userFault(
    'DataDoesNotFit',
    `The data has no rows, and ${loss} of ${formatTable(found)}. Check the source; if the table may become empty, write \`allow_empty: true\`.`,
  );
}

/** The columns that receive values. */
function written(columns: readonly string[], present: readonly TableColumn[]): string[] {
  return columns.filter((column) => !present.some(({ name, isGenerated }) => name === column && isGenerated));
}

/** @throws ApplicationFailure DataDoesNotFit for a column that the server never allows to be updated */
function refuseNumbered(found: FoundTable, present: readonly TableColumn[], stored: readonly string[], keys: readonly string[]): void {
  const numbered = present.find(({ name, isNumbered }) => isNumbered && stored.includes(name) && !keys.includes(name));
  if (!numbered) return;
  throw userFault(
    'DataDoesNotFit',
    `Column '${numbered.name}' of ${formatTable(found)} is GENERATED ALWAYS AS IDENTITY, and PostgreSQL does not allow updating it. ` +
      'Name it in upsert_keys, leave it out of the data, or make it GENERATED BY DEFAULT.',
  );
}

async function findTarget({ database, table, manifest }: Load): Promise<FoundTable> {
  const target = await findTable(database, table, () => {
    if (manifest.schema.length === 0) return '';
    const columns = manifest.schema.map(({ name, type }) => `${quoteIdentifier(name)} ${type}`).join(', ');
    return ` To create it: CREATE TABLE ${quoteIdentifier(table.schema)}.${quoteIdentifier(table.table)} (${columns});`;
  });
  if (target.kind !== 'r' && target.kind !== 'p') {
    throw userFault('TableNotFound', `'${formatTable(table)}' at ${database.server} cannot be loaded: it is a view or a foreign table.`);
  }
  return target;
}
