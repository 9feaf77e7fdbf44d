import { openPostgres, type SqlClient } from '../../lib/databases/postgres.ts';
import { parseDuration } from '../../workflows/plan/values/duration.ts';
import type { Json } from '../../workflows/plan/values/json.ts';
import type { SensorContext, SensorIdentity } from '../define-trigger.ts';
import { type Finding, type PollResult, pollSource } from '../run/poll.ts';
import { stopped } from '../run/sensor-stopped.ts';
import type { Cursor } from '../run/run-starts.ts';
import { identify, newRows, type ReadRow } from './new-rows.ts';
import { PAGE, RowReader } from './read-rows.ts';

/** What has been read for good: the value of the cursor column, as text; null before the first row. */
interface RowCursor {
  readonly after: string | null;
  /** The rows of that value that have been read, by their ids: others may come. Absent in what older releases have written. */
  readonly at?: readonly string[];
  /**
   * Rows behind the cursor whose time has not come, which have been read all the same: their ids by the value of the cursor column. The
   * cursor waits for their time, else one row dated 2999 would hide all later ones.
   */
  readonly ahead?: Readonly<Record<string, readonly string[]>>;
  /** What will have been, when all transactions have ended that might still add rows before it. */
  readonly pending?: { readonly after: string; readonly xmax: string };
  readonly [name: string]: Json | undefined;
}

/** So many new rows are handed on by one look at most. */
const MOST = 10_000;
/** More rows of one cursor value cannot be told from those that come later: the sensor would have to remember all of them. */
const MOST_EQUAL = 5_000;

/** The ids of rows that have been read, by the value of the cursor column. */
type SeenRows = ReadonlyMap<string, ReadonlySet<string>>;

/**
 * Starts a run for every row past the cursor. A row can become visible after one with a larger value, when its transaction ends later:
 * the cursor moves on when all transactions have ended that were under way at the time of the look, and until then rows are read again.
 * Rows of the cursor's own value are always read again: others of the same value may come.
 */
export async function watchRows(context: SensorContext): Promise<never> {
  const { trigger, signal } = context;
  const { poke_interval: every } = trigger.source;
  let seen: SeenRows = new Map();
  return pollSource<RowCursor>(context, {
    every: parseDuration(String(every ?? '1m')) ?? 60_000,
    begin: () => withSession(context, signal, (client) => cursorAt(client, context)),
    poll: (cursor) =>
      withSession(
        context,
        signal,
        async (client): Promise<PollResult<RowCursor>> => {
          const { rows } = await client.query<{ xmin: string; xmax: string }>(
            'SELECT pg_snapshot_xmin(pg_current_snapshot())::text AS xmin, pg_snapshot_xmax(pg_current_snapshot())::text AS xmax',
          );
          const { xmin = '0', xmax = '0' } = rows[0] ?? {};
          // Rows and transactions are of one snapshot: what is read now is all that there will be up to `pending`, once those have ended.
          const read = await rowsFrom(client, context, cursor, seen);
          seen = read.seen;
          const isReadTo = (value: string): boolean => !read.more || read.seen.has(value);
          const { pending: before } = cursor;
          const settled = before !== undefined && BigInt(xmin) >= BigInt(before.xmax) && isReadTo(before.after);
          const pending = (settled ? undefined : before) ?? (read.last === undefined ? undefined : { after: read.last, xmax });
          const after = settled ? before.after : cursor.after;
          return {
            found: read.found,
            cursor: { after, at: rememberedAt(after, read.seen, context), ...aheadOf(read, cursor, context), ...(pending && { pending }) },
            more: read.more,
          };
        },
        isRefusedForGood,
      ),
  });
}

/** `sluice sensors reset`: before the first row, behind the last, or behind a value of the cursor column. */
export async function resetRows(identity: SensorIdentity, to: string): Promise<Cursor> {
  if (to === 'earliest') return { after: null };
  return withSession(identity, new AbortController().signal, (client) => cursorAt(client, identity, to === 'latest' ? undefined : to));
}

type Source = Pick<SensorIdentity, 'trigger' | 'connection' | 'dagId'>;

/** SQLSTATEs of queries that are wrong. */
const REFUSED = /^(0A|22|25|42)/;
/** Those of a table, schema or column that is gone, and of a right to it. */
const REPLACED = /^(42P01|3F000|42703|42501)$/;

/** Whether a query that was right before is wrong now, and its table is not only being replaced. */
function isRefusedForGood(code: string): boolean {
  return REFUSED.test(code) && !REPLACED.test(code);
}

async function withSession<T>(
  { connection, dagId, trigger }: Source,
  signal: AbortSignal,
  work: (client: SqlClient) => Promise<T>,
  isRefused = (code: string): boolean => REFUSED.test(code),
): Promise<T> {
  const session = await openPostgres(connection(['postgres']), `sluice sensor ${dagId}/${trigger.name}`, signal);
  try {
    await session.client.query(
      "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL TIME ZONE 'UTC'; SET LOCAL datestyle = 'ISO, YMD'",
    );
    await new RowReader(session.client, { trigger }).check();
    return await work(session.client);
  } catch (error) {
    // What the server refuses it will refuse the next time: the query is at fault, and a person has to correct it.
    if (error instanceof Error && 'code' in error && isRefused(String(error.code))) throw stopped(`The query fails: ${error.message}.`);
    throw error;
  } finally {
    await session.close();
  }
}

/** The cursor behind all rows of a value that are there. @param value absent: the last one */
async function cursorAt(client: SqlClient, source: Source, value?: string): Promise<RowCursor> {
  const reader = new RowReader(client, source);
  const after = value ?? (await reader.last());
  // Rows whose time has not come are there too, and are read with those behind the cursor.
  const read = await rowsFrom(client, source, { after }, new Map());
  if (after === null) return { after, ...(value === undefined && aheadOf(read, { after }, source)) };
  const ids = identify(await reader.at(after, MOST_EQUAL + 1)).map(({ id }) => id);
  const at = rememberedAt(after, new Map([[after, new Set(ids)]]), source);
  return { after, at, ...(value === undefined && aheadOf(read, { after }, source)) };
}

/** What is to be remembered of rows whose time has not come. @throws ApplicationFailure when there are too many of them */
function aheadOf(read: Pick<Rows, 'seen' | 'ahead' | 'more'>, { ahead: before = {} }: RowCursor, { trigger }: Pick<Source, 'trigger'>) {
  const unread = Object.entries(before).filter(([value]) => read.more && !read.seen.has(value));
  const values = [...read.seen].filter(([value]) => read.ahead.has(value) || before[value] !== undefined);
  const ahead = Object.fromEntries([...unread, ...values.map(([value, ids]): [string, string[]] => [value, [...ids]])]);
  const count = Object.values(ahead).reduce((sum, ids) => sum + ids.length, 0);
  if (count > MOST_EQUAL) {
    throw stopped(
      `${count} rows have a time in the cursor '${String(trigger.source.cursor)}' that has not come yet; at most ${MOST_EQUAL} can be remembered. ` +
        'Leave them out of the query until their time, or choose another cursor.',
    );
  }
  return count > 0 ? { ahead } : {};
}

/** The ids of the rows of the cursor's value. @throws ApplicationFailure when there are too many to be remembered */
function rememberedAt(after: string | null, seen: SeenRows, { trigger }: Pick<Source, 'trigger'>): readonly string[] {
  const ids = [...((after !== null && seen.get(after)) || [])];
  if (ids.length <= MOST_EQUAL) return ids;
  throw stopped(
    `More than ${MOST_EQUAL} rows have the value '${after}' of the cursor '${String(trigger.source.cursor)}': rows of that value which come ` +
      'later could not be distinguished from them. Choose a cursor that grows with each row, such as a number from a sequence or a timestamp in microseconds.',
  );
}

interface Rows {
  readonly found: Finding[];
  readonly seen: SeenRows;
  /** Values of the cursor column that are times which have not come. */
  readonly ahead: ReadonlySet<string>;
  /** The last value whose time has come, if it lies behind the cursor. */
  readonly last: string | undefined;
  readonly more: boolean;
}

async function rowsFrom(client: SqlClient, source: Source, { after, at, ahead: before = {} }: RowCursor, seen: SeenRows): Promise<Rows> {
  const reader = new RowReader(client, source);
  const found: Finding[] = [];
  const read = new Map<string, ReadonlySet<string>>();
  const ahead = new Set<string>();
  let last = after;
  let present = after;
  let includes = true;
  for (;;) {
    const rows = await reader.page(last, includes);
    for (const [value, group] of groupsOf(rows)) {
      const identified = identify(group);
      const ids = new Set(identified.map(({ id }) => id));
      read.set(value, ids);
      if (group[0]?.isAhead) ahead.add(value);
      else present = value;
      // An older release has read the rows of its cursor's value, and not remembered which.
      const known = value === after ? (at ? new Set(at) : ids) : (seen.get(value) ?? (before[value] && new Set(before[value])));
      const fresh = await newRows(identified, known, () => reader.grain());
      if (!fresh) throw cannotTell(source, value);
      for (const { id, row } of fresh) {
        found.push({ id: `${value}-${id}`, event: { value: row, meta: { timestamp: new Date().toISOString(), cursor: value } } });
      }
    }
    last = rows.at(-1)?.cursor ?? last;
    includes = false;
    const isAll = rows.length < PAGE;
    if (isAll || found.length >= MOST)
      return { found, seen: read, ahead, last: present === after || present === null ? undefined : present, more: !isAll };
  }
}

/** Rows that are in order, by the values of their cursor. */
function groupsOf(rows: readonly ReadRow[]): Map<string, ReadRow[]> {
  const groups = new Map<string, ReadRow[]>();
  for (const row of rows) {
    const group = groups.get(row.cursor);
    if (group) group.push(row);
    else groups.set(row.cursor, [row]);
  }
  return groups;
}

function cannotTell({ trigger }: Source, value: string): Error {
  const { cursor } = trigger.source;
  return stopped(
    `Rows with the value '${value}' of the cursor '${String(cursor)}' have changed or gone while others came, and without a key new ones cannot be distinguished ` +
      'from changed ones. Give the trigger `key`: the column that identifies a row, such as `key: id`.',
  );
}
