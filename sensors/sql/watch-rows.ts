import { openPostgres, type SqlClient } from '../../lib/databases/postgres.ts';
import { parseDuration } from '../../workflows/plan/values/duration.ts';
import type { Json } from '../../workflows/plan/values/json.ts';
import type { SensorContext, SensorIdentity } from '../define-trigger.ts';
import { type Finding, type PollResult, pollSource } from '../run/poll.ts';
import { stopped } from '../run/sensor-stopped.ts';
import type { Cursor } from '../run/run-starts.ts';
import { identify, newRows, type ReadRow } from './new-rows.ts';
import { PAGE, RowReader } from './read-rows.ts';

/** The cursor value, as text, up to which everything is read; null before the first row. */
interface RowCursor {
  readonly after: string | null;
  /** Ids of the rows with that value that are read: others may follow. Absent in cursors of older releases. */
  readonly at?: readonly string[];
  /**
   * Rows after the cursor that are dated in the future and were processed anyway: their ids by cursor value. The cursor waits for their
   * time; otherwise one row dated 2999 would hide all later ones.
   */
  readonly ahead?: Readonly<Record<string, readonly string[]>>;
  /** The next cursor, once all transactions have ended that could still add rows before it. */
  readonly pending?: { readonly after: string; readonly xmax: string };
  readonly [name: string]: Json | undefined;
}

/** Maximum number of new rows processed per poll. */
const MOST = 10_000;
/** Maximum number of rows with one cursor value: the sensor must remember all of them to recognize later ones. */
const MOST_EQUAL = 5_000;

/** Ids of rows already read, by cursor value. */
type SeenRows = ReadonlyMap<string, ReadonlySet<string>>;

/**
 * Starts a run for every row after the cursor. A row can become visible after one with a larger value, if its transaction ends later: the
 * cursor moves on when all transactions that were active during the poll have ended, and until then rows are read again.
 * Rows with the cursor's own value are always read again, because others with the same value may follow.
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
          // Rows and transactions come from one snapshot: once those transactions have ended, nothing can be added up to `pending`.
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

/** `sluice sensors reset`: before the first row, after the last, or after a value of the cursor column. */
export async function resetRows(identity: SensorIdentity, to: string): Promise<Cursor> {
  if (to === 'earliest') return { after: null };
  return withSession(identity, new AbortController().signal, (client) => cursorAt(client, identity, to === 'latest' ? undefined : to));
}

type Source = Pick<SensorIdentity, 'trigger' | 'connection' | 'name'>;

/** SQLSTATEs of invalid queries. */
const REFUSED = /^(0A|22|25|42)/;
/** SQLSTATEs of a missing table, schema or column, or a missing permission. */
const REPLACED = /^(42P01|3F000|42703|42501)$/;

/** Whether a query that worked before is now invalid, and not only because its table is being replaced. */
function isRefusedForGood(code: string): boolean {
  return REFUSED.test(code) && !REPLACED.test(code);
}

async function withSession<T>(
  { connection, name, trigger }: Source,
  signal: AbortSignal,
  work: (client: SqlClient) => Promise<T>,
  isRefused = (code: string): boolean => REFUSED.test(code),
): Promise<T> {
  const session = await openPostgres(connection(['postgres']), `sluice sensor ${name}/${trigger.name}`, signal);
  try {
    await session.client.query(
      "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL TIME ZONE 'UTC'; SET LOCAL datestyle = 'ISO, YMD'",
    );
    await new RowReader(session.client, { trigger }).check();
    return await work(session.client);
  } catch (error) {
    // A retry does not help: the query is wrong, and a person must correct it.
    if (error instanceof Error && 'code' in error && isRefused(String(error.code))) throw stopped(`The query fails: ${error.message}.`);
    throw error;
  } finally {
    await session.close();
  }
}

/** The cursor after all existing rows up to a value. @param value absent: the last one */
async function cursorAt(client: SqlClient, source: Source, value?: string): Promise<RowCursor> {
  const reader = new RowReader(client, source);
  const after = value ?? (await reader.last());
  // Existing rows dated in the future are included among the rows after the cursor.
  const read = await rowsFrom(client, source, { after }, new Map());
  if (after === null) return { after, ...(value === undefined && aheadOf(read, { after }, source)) };
  const ids = identify(await reader.at(after, MOST_EQUAL + 1)).map(({ id }) => id);
  const at = rememberedAt(after, new Map([[after, new Set(ids)]]), source);
  return { after, at, ...(value === undefined && aheadOf(read, { after }, source)) };
}

/** What to remember about rows dated in the future. @throws ApplicationFailure when there are too many */
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

/** Ids of the rows with the cursor's value. @throws ApplicationFailure when there are too many to remember */
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
  /** Cursor values that are times in the future. */
  readonly ahead: ReadonlySet<string>;
  /** The last value that is not in the future, if it is after the cursor. */
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
      // An older release has read the rows with the cursor's value without remembering their ids.
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

/** Groups sorted rows by cursor value. */
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
