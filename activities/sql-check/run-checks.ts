import { parseDuration } from '../../workflows/plan/values/duration.ts';
import type { Column } from '../../workflows/plan/datasets/dataset.ts';
import type { Json, JsonObject } from '../../workflows/plan/values/json.ts';
import { userFault } from '../run/errors.ts';
import { queryOne } from '../../lib/databases/one-select.ts';
import { sqlAt } from '../support/sql/database.ts';
import type { Database } from '../support/sql/opened-database.ts';
import { findTable } from '../support/sql/find-table.ts';
import { parseTableName, quoteIdentifier, quoteLiteral, quoteTable } from '../support/sql/identifiers.ts';
import { didYouMean, listNames } from '../support/nearest.ts';
import { rowOf } from '../support/sql/rows.ts';
import { buildSelect } from '../support/sql/select-statement.ts';
import { boundsText, withinBounds } from './bounds.ts';
import type { Check, CheckResult } from './check.ts';

interface Interval {
  readonly start: string;
  readonly end: string;
}

interface Params {
  readonly table?: string;
  readonly where?: string;
  readonly checks: readonly Check[];
}

/** Output of a `sql_check` task. */
export interface CheckOutcome {
  readonly passed: number;
  readonly failed: number;
  readonly checks: readonly CheckResult[];
}

type Finding = Omit<CheckResult, 'name'>;

/** How many invalid rows are shown. */
const SHOWN = 3;

/** How far ahead of this worker's clock a row may be dated, in milliseconds, and still count as current. */
const CLOCK_SKEW_MS = 5 * 60_000;
/** The same for dates and times without a zone: they may come from the zone that is farthest ahead of UTC. */
const ZONE_SKEW_MS = 14 * 3_600_000 + CLOCK_SKEW_MS;

/**
 * Runs all checks in one read-only transaction.
 * @throws ApplicationFailure DataMismatch that lists each failed check
 */
export async function runChecks(database: Database, { table, where, checks }: Params, interval: Interval): Promise<CheckOutcome> {
  const { client } = database;
  await client.query("BEGIN READ ONLY; SET LOCAL timezone = 'UTC'");
  const checker = new Checker(database, interval, table === undefined ? undefined : await rowsOf(database, table, where, interval));
  const results: CheckResult[] = [];
  for (const check of checks) results.push({ name: check.name, ...(await checker.find(check)) });
  const failed = results.filter(({ ok }) => !ok);
  if (failed.length > 0) {
    throw userFault('DataMismatch', `${failed.length} of ${results.length} checks failed. ${failed.map(sayFailed).join(' ')}`);
  }
  return { passed: results.length, failed: 0, checks: results };
}

interface Rows {
  readonly label: string;
  readonly sql: string;
  readonly columns: readonly Column[];
}

async function rowsOf(database: Database, table: string, where: string | undefined, interval: Interval): Promise<Rows> {
  const { sql, columns } = await buildSelect(database, { source_table: table, ...(where !== undefined && { where }) }, interval);
  return { label: table, sql, columns };
}

class Checker {
  readonly #database: Database;
  readonly #interval: Interval;
  readonly #rows: Rows | undefined;

  constructor(database: Database, interval: Interval, rows: Rows | undefined) {
    this.#database = database;
    this.#interval = interval;
    this.#rows = rows;
  }

  async find(check: Check): Promise<Finding> {
    switch (check.check) {
      case 'row_count':
        return this.#bounded(check, await this.#one(`SELECT count(*) ${this.#from()}`));
      case 'not_null':
        return this.#none(`${this.#from()} WHERE ${this.#column(check)} IS NULL`, 'no row without one');
      case 'unique':
        return this.#unique(this.#column(check));
      case 'accepted_values': {
        const values = (check.values ?? []).map((value) => quoteLiteral(String(value))).join(', ');
        return this.#none(`${this.#from()} WHERE ${this.#column(check)} NOT IN (${values})`, `one of ${(check.values ?? []).join(', ')}`);
      }
      case 'relationships':
        return this.#relationships(check);
      case 'freshness':
        return this.#freshness(check);
      case 'sum':
        return this.#sum(check);
      default:
        return this.#value(check, check.sql ?? '');
    }
  }

  async #value(check: Check, sql: string): Promise<Finding> {
    const { sql: proven, columns } = await buildSelect(this.#database, { query: sql }, this.#interval);
    const rows = await this.#query(`SELECT * FROM (${proven}\n) AS checked LIMIT 2`);
    if (columns.length !== 1 || rows.length !== 1) {
      const given = rows.length > 1 ? 'several rows' : `${rows.length} row of ${columns.length} columns`;
      throw userFault('QueryFailed', `The SQL of the check '${check.name}' must give one value; it gives ${given}.`);
    }
    return this.#bounded(check, Object.values(rows[0] ?? {})[0] ?? null);
  }

  #bounded(check: Check, value: Json): Finding {
    return { ok: withinBounds(value, check), value, expected: boundsText(check), rows: [] };
  }

  /** Passes if no row is found. */
  async #none(from: string, expected: string): Promise<Finding> {
    const value = Number(await this.#one(`SELECT count(*) ${from}`));
    return { ok: value === 0, value, expected, rows: value === 0 ? [] : await this.#query(`SELECT checked.* ${from} LIMIT ${SHOWN}`) };
  }

  async #unique(column: string): Promise<Finding> {
    const twice = `SELECT ${column}, count(*) AS times ${this.#from()} WHERE ${column} IS NOT NULL GROUP BY 1 HAVING count(*) > 1`;
    const value = Number(await this.#one(`SELECT count(*) FROM (${twice}) AS twice`));
    const rows = value === 0 ? [] : await this.#query(`${twice} ORDER BY 2 DESC LIMIT ${SHOWN}`);
    return { ok: value === 0, value, expected: 'no value more than once', rows };
  }

  async #relationships(check: Check): Promise<Finding> {
    const { table = '', column = '' } = check.to ?? {};
    const other = await findTable(this.#database, parseTableName(table));
    const found = `EXISTS (SELECT 1 FROM ${quoteTable(other)} AS other WHERE other.${quoteIdentifier(column)} = checked.${this.#column(check)})`;
    return this.#none(`${this.#from()} WHERE ${this.#column(check)} IS NOT NULL AND NOT ${found}`, `each in ${table}.${column}`);
  }

  /** The newest row up to now: a row dated in the future does not show how fresh the others are. */
  async #freshness(check: Check): Promise<Finding> {
    const { within = '', column: name = '' } = check;
    const column = this.#column(check);
    const { type = '' } = this.#rows?.columns.find((each) => each.name === name) ?? {};
    const skew = /^timestamp.* with time zone|^timestamptz/.test(type) ? CLOCK_SKEW_MS : ZONE_SKEW_MS;
    const now = quoteLiteral(new Date(Date.now() + skew).toISOString());
    const [found = {}] = await this.#query(
      `SELECT extract(epoch FROM max(CASE WHEN ${column} <= ${now} THEN ${column} END)) AS newest,
         count(CASE WHEN ${column} > ${now} THEN 1 END) AS future, max(${column}) AS latest ${this.#from()}`,
    );
    const future =
      Number(found.future) === 0 ? '' : `; ${String(found.future)} rows in the future, up to ${String(found.latest)}, do not count`;
    const expected = `not older than ${within} before ${this.#interval.end}${future}`;
    const at = found.newest === null ? NaN : Number(found.newest) * 1000;
    // No row, or only rows without a time (-infinity).
    if (!Number.isFinite(at)) return { ok: false, value: null, expected, rows: [] };
    const ok = Date.parse(this.#interval.end) - at <= (parseDuration(within) ?? 0);
    return { ok, value: new Date(at).toISOString(), expected, rows: [] };
  }

  /** Compares the interval's sum with the mean of the earlier intervals that have rows. */
  async #sum(check: Check): Promise<Finding> {
    const { by = '', history = 7, tolerance = '0%' } = check;
    const [start, end] = [Date.parse(this.#interval.start), Date.parse(this.#interval.end)];
    const length = (end - start) / 1000;
    const first = new Date(start - history * length * 1000).toISOString();
    const time = quoteIdentifier(this.#known(by));
    const ago = `floor((${end / 1000} - extract(epoch FROM ${time})) / ${length})`;
    const sums = await this.#query(
      `SELECT CASE WHEN ${time} >= ${quoteLiteral(this.#interval.start)} THEN 0 ELSE ${ago} END AS ago, sum(${this.#column(check)}) AS sum
       ${this.#from()} WHERE ${time} >= ${quoteLiteral(first)} AND ${time} < ${quoteLiteral(this.#interval.end)} GROUP BY 1`,
    );
    const here = Number(sums.find(({ ago: when }) => Number(when) === 0)?.sum ?? 0);
    if (!Number.isFinite(here)) return { ok: false, value: String(here), expected: 'a number', rows: [] };
    const before = sums.filter(({ ago: when }) => Number(when) > 0).map(({ sum }) => Number(sum ?? 0));
    if (before.length === 0) return { ok: true, value: here, expected: 'anything: nothing is there from before', rows: [] };
    const mean = before.reduce((sum, each) => sum + each, 0) / before.length;
    const bound = { equals: mean, tolerance };
    const rounded = Number(mean.toPrecision(6));
    return {
      ok: withinBounds(here, bound),
      value: here,
      expected: `${rounded}, the mean of ${before.length} intervals before, ± ${tolerance}`,
      rows: [],
    };
  }

  #from(): string {
    return `FROM (${this.#rows?.sql ?? ''}\n) AS checked`;
  }

  #column({ column = '' }: Check): string {
    return quoteIdentifier(this.#known(column));
  }

  #known(column: string): string {
    const { label = '' } = this.#rows ?? {};
    const columns = (this.#rows?.columns ?? []).map(({ name }) => name);
    if (columns.includes(column)) return column;
    throw userFault('ColumnNotFound', `${label} has no column '${column}'.${didYouMean(column, columns)} It has: ${listNames(columns)}.`);
  }

  async #one(sql: string): Promise<Json> {
    return Object.values((await this.#query(sql))[0] ?? {})[0] ?? null;
  }

  async #query(sql: string): Promise<JsonObject[]> {
    const { rows } = await queryOne<Record<string, unknown>>(this.#database.client, sqlAt(this.#database, sql));
    return rows.map(rowOf);
  }
}

function sayFailed({ name, value, expected, rows }: CheckResult): string {
  const found = typeof value === 'string' ? value : JSON.stringify(value);
  const shown = rows.map((row) => JSON.stringify(row).slice(0, 300)).join(', ');
  return shown === ''
    ? `${name}: ${found}, and it must be ${expected}.`
    : `${name}: ${found} wrong, must be ${expected}; such as ${shown}.`;
}
