import { createHash } from 'node:crypto';
import { openPostgres, type SqlClient } from '../../lib/postgres.ts';
import { parseDuration } from '../../workflows/plan/duration.ts';
import type { Json, JsonObject } from '../../workflows/plan/json.ts';
import type { SensorContext, SensorIdentity } from '../define-trigger.ts';
import { type Finding, type Look, pollSource } from '../poll.ts';
import { stopped } from '../run-sensor.ts';
import type { Cursor } from '../run-starts.ts';

/** What has been read for good: the value of the cursor column, as text; null before the first row. */
interface RowCursor {
  readonly after: string | null;
  /** What will have been, when all transactions have ended that might still add rows before it. */
  readonly pending?: { readonly after: string; readonly xmax: string };
  readonly [name: string]: Json | undefined;
}

const PAGE = 1_000;
/** So many new rows are handed on by one look at most. */
const MOST = 10_000;

/**
 * Starts a run for every row past the cursor. A row can become visible after one with a larger value, when its transaction ends later:
 * the cursor moves on when all transactions have ended that were under way at the time of the look, and until then rows are read again.
 */
export async function watchRows(context: SensorContext): Promise<never> {
  const { trigger, signal } = context;
  const { poke_interval: every } = trigger.source;
  let seen = new Set<string>();
  return pollSource<RowCursor>(context, {
    every: parseDuration(String(every ?? '1m')) ?? 60_000,
    begin: () => withSession(context, signal, async (client) => ({ after: await lastOf(client, context) })),
    look: (cursor) =>
      withSession(context, signal, async (client): Promise<Look<RowCursor>> => {
        const { rows } = await client.query<{ xmin: string; xmax: string }>(
          'SELECT pg_snapshot_xmin(pg_current_snapshot())::text AS xmin, pg_snapshot_xmax(pg_current_snapshot())::text AS xmax',
        );
        const { xmin = '0', xmax = '0' } = rows[0] ?? {};
        // Rows and transactions are of one snapshot: what is read now is all that there will be up to `pending`, once those have ended.
        const { found, ids, last, more } = await rowsAfter(client, context, cursor.after, seen);
        seen = ids;
        const settled = cursor.pending !== undefined && BigInt(xmin) >= BigInt(cursor.pending.xmax);
        const waiting = settled ? undefined : cursor.pending;
        const pending = waiting ?? (last === undefined ? undefined : { after: last, xmax });
        return { found, cursor: { after: settled ? cursor.pending.after : cursor.after, ...(pending && { pending }) }, more };
      }),
  });
}

/** `sluice sensors reset`: before the first row, behind the last, or behind a value of the cursor column. */
export async function resetRows(identity: SensorIdentity, to: string): Promise<Cursor> {
  if (to === 'earliest') return { after: null };
  if (to !== 'latest') return { after: to };
  return withSession(identity, new AbortController().signal, async (client) => ({ after: await lastOf(client, identity) }));
}

type Source = Pick<SensorIdentity, 'trigger' | 'connection' | 'dagId'>;

async function withSession<T>(
  { connection, dagId, trigger }: Source,
  signal: AbortSignal,
  work: (client: SqlClient) => Promise<T>,
): Promise<T> {
  const session = await openPostgres(connection(['postgres']), `sluice sensor ${dagId}/${trigger.name}`, signal);
  try {
    await session.client.query(
      "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL TIME ZONE 'UTC'; SET LOCAL datestyle = 'ISO, YMD'",
    );
    return await work(session.client);
  } catch (error) {
    // What the server refuses it will refuse the next time: the query is at fault, and a person has to correct it.
    if (error instanceof Error && 'code' in error && /^(42|22|25)/.test(String(error.code)))
      throw stopped(`The query fails: ${error.message}.`);
    throw error;
  } finally {
    await session.close();
  }
}

function queryOf({ trigger }: Source): { readonly from: string; readonly column: string } {
  const { query, cursor } = trigger.source;
  return { from: `(${String(query).replace(/;\s*$/, '')}\n) AS sluice_rows`, column: `"${String(cursor).replaceAll('"', '""')}"` };
}

async function lastOf(client: SqlClient, source: Source): Promise<string | null> {
  const { from, column } = queryOf(source);
  const { rows } = await client.query<{ last: string | null }>(`SELECT max(${column})::text AS last FROM ${from}`);
  return rows[0]?.last ?? null;
}

interface Rows {
  readonly found: Finding[];
  /** Of all rows behind the cursor that were read. */
  readonly ids: Set<string>;
  readonly last: string | undefined;
  readonly more: boolean;
}

async function rowsAfter(client: SqlClient, source: Source, after: string | null, seen: ReadonlySet<string>): Promise<Rows> {
  const { from, column } = queryOf(source);
  const found: Finding[] = [];
  const ids = new Set<string>();
  let last = after;
  for (;;) {
    const { rows } = await client.query<{ sluice_cursor: string; sluice_row: JsonObject }>(
      `SELECT ${column}::text AS sluice_cursor, to_jsonb(sluice_rows) AS sluice_row FROM ${from}
       WHERE ${column} IS NOT NULL${last === null ? '' : ` AND ${column} > $1`} ORDER BY ${column} FETCH FIRST ${PAGE} ROWS WITH TIES`,
      last === null ? [] : [last],
    );
    for (const { sluice_cursor: value, sluice_row: row } of rows) {
      const id = `${value}-${createHash('sha256').update(JSON.stringify(row)).digest('hex').slice(0, 12)}`;
      ids.add(id);
      if (!seen.has(id)) found.push({ id, event: { value: row, meta: { timestamp: new Date().toISOString(), cursor: value } } });
    }
    last = rows.at(-1)?.sluice_cursor ?? last;
    const isAll = rows.length < PAGE;
    if (isAll || found.length >= MOST) return { found, ids, last: last === after || last === null ? undefined : last, more: !isAll };
  }
}
