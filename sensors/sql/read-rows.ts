import type { QueryResult } from 'pg';
import { declareSelect, queryOne } from '../../lib/databases/one-select.ts';
import type { SqlClient } from '../../lib/databases/postgres.ts';
import type { JsonObject } from '../../workflows/plan/values/json.ts';
import type { SensorIdentity } from '../define-trigger.ts';
import type { CursorGrain, ReadRow } from './new-rows.ts';

export const PAGE = 1_000;

/** Object ids of PostgreSQL types. */
const DATE = 1082;
const TIMESTAMP = 1114;
const TIMESTAMPTZ = 1184;
const MICROSECONDS = 6;

type Source = Pick<SensorIdentity, 'trigger'>;

/** Reads the rows of a trigger's query by their cursor column. Rows without a value are not events. */
export class RowReader {
  private readonly query: string;
  private readonly from: string;
  private readonly column: string;
  private readonly selected: string;

  constructor(
    private readonly client: SqlClient,
    { trigger }: Source,
  ) {
    const { query, cursor, key } = trigger.source;
    this.query = String(query).replace(/[\s;]+$/, '');
    this.from = `(${this.query}\n) AS sluice_rows`;
    this.column = identifier(String(cursor));
    const keys = key === undefined ? [] : Array.isArray(key) ? key.map(String) : [String(key)];
    const keyText = keys.length === 0 ? 'NULL' : `jsonb_build_array(${keys.map((each) => `${identifier(each)}::text`).join(', ')})::text`;
    const isAhead = isLater(this.column);
    this.selected = `${this.column}::text AS sluice_cursor, ${isAhead} AS sluice_ahead, ${keyText} AS sluice_key, to_jsonb(sluice_rows) AS sluice_row`;
  }

  /** Checks that the query is a single SELECT, in the transaction that will read. Call it first. */
  async check(): Promise<void> {
    await declareSelect(this.client, 'sluice_check', this.query);
    await this.client.query('CLOSE sluice_check');
  }

  /** The largest cursor value that is not in the future; null without rows. */
  async last(): Promise<string | null> {
    const { rows } = await queryOne<{ last: string | null }>(
      this.client,
      `SELECT max(${this.column})::text AS last FROM ${this.from} WHERE NOT ${isLater(this.column)}`,
    );
    return rows[0]?.last ?? null;
  }

  /** At most `limit` rows with one cursor value. */
  async at(value: string, limit: number): Promise<ReadRow[]> {
    return rowsOf(
      await queryOne(this.client, `SELECT ${this.selected} FROM ${this.from} WHERE ${this.column} = $1 LIMIT ${limit}`, [value]),
    );
  }

  /** The next page of rows in order, completed with all rows that share its last cursor value. @param from null: from the first row */
  async page(from: string | null, includes: boolean): Promise<ReadRow[]> {
    const bound = from === null ? '' : ` AND ${this.column} ${includes ? '>=' : '>'} $1`;
    return rowsOf(
      await queryOne(
        this.client,
        `SELECT ${this.selected} FROM ${this.from}
         WHERE ${this.column} IS NOT NULL${bound} ORDER BY ${this.column} FETCH FIRST ${PAGE} ROWS WITH TIES`,
        from === null ? [] : [from],
      ),
    );
  }

  /** Whether rows written at different times can have the same value. */
  async grain(): Promise<CursorGrain> {
    const { fields } = await queryOne(this.client, `SELECT ${this.column} FROM ${this.from} LIMIT 0`);
    const { dataTypeID: type, dataTypeModifier: precision = -1 } = fields[0] ?? {};
    if (type === DATE) return 'coarse';
    if (type !== TIMESTAMP && type !== TIMESTAMPTZ) return 'unknown';
    return precision >= 0 && precision < MICROSECONDS ? 'coarse' : 'fine';
  }
}

interface SelectedRow {
  readonly sluice_cursor: string;
  readonly sluice_ahead: boolean;
  readonly sluice_key: string | null;
  readonly sluice_row: JsonObject;
}

function rowsOf({ rows }: QueryResult<SelectedRow>): ReadRow[] {
  return rows.map(({ sluice_cursor: cursor, sluice_ahead: isAhead, sluice_key: key, sluice_row: row }) => ({
    cursor,
    isAhead,
    row,
    ...(key !== null && { key }),
  }));
}

/** SQL that tests whether a column of any type is a time in the future. Casts through text keep it valid for other types. */
function isLater(column: string): string {
  const cases = [
    ['date', 'current_date'],
    ['timestamp', 'localtimestamp'],
    ['timestamptz', 'now()'],
  ].map(([type, now]) => `WHEN pg_typeof(${column}) = '${type}'::regtype THEN ${column}::text::${type} > ${now}`);
  return `(CASE ${cases.join(' ')} ELSE false END)`;
}

function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
