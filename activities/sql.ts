import pg from 'pg';
import Type from 'typebox';
import { text } from '../lib/schema-fields.ts';
import type { JsonObject } from '../workflows/plan/json.ts';
import { connectionName } from './dataset/parameters.ts';
import { defineTask } from './define-task.ts';
import { DATABASE, withDatabase } from './sql/database.ts';
import { rowOf } from './sql/rows.ts';

/** Runs SQL on a connection. */
export const sql = defineTask({
  type: 'sql',
  description:
    'Runs one or more statements on a database, all in one transaction. A worker that dies just after it has committed runs them again: write them so that twice is once.',
  summary: ({ statement }) => statement.trim().split('\n', 1)[0]?.slice(0, 80) ?? '',
  params: Type.Object({
    statement: text('Statement', 'The SQL to run. Expressions become literals.', 'DELETE FROM staging WHERE day = {{ ds }}', {
      template: 'sql',
    }),
  }),
  result: Type.Object({ rows: Type.Integer(), first: Type.Record(Type.String(), Type.Unknown()) }),
  connections: { database: DATABASE },
  example: { name: 'clear_staging', type: 'sql', statement: 'DELETE FROM staging WHERE day = {{ ds }}' },
  run: ({ connections, task, signal }, params) =>
    withDatabase(
      { connection: connections.database, name: connectionName(params, DATABASE), task, doing: 'run the statement', signal },
      async ({ client }) => {
        await client.query('BEGIN');
        const result = await execute(client, params.statement);
        await client.query('COMMIT');
        return result;
      },
    ),
});

interface Executed {
  /** Rows that the last statement has given or changed. */
  readonly rows: number;
  /** The first row that the last statement has given. */
  readonly first: JsonObject;
}

/** Runs statements without keeping their rows: a SELECT may give more than a worker can hold. */
function execute(client: pg.Client, statement: string): Promise<Executed> {
  return new Promise((resolve, reject) => {
    const query = new pg.Query<Record<string, unknown>>(statement);
    let first: { readonly row: Record<string, unknown>; readonly of: unknown } | undefined;
    query.on('row', (row, of) => {
      if (first?.of !== of) first = { row, of };
    });
    query.on('end', (result: pg.QueryResult | readonly pg.QueryResult[]) => {
      const last = [result].flat().at(-1);
      resolve({ rows: last?.rowCount ?? 0, first: first !== undefined && first.of === last ? rowOf(first.row) : {} });
    });
    query.on('error', reject);
    client.query(query);
  });
}
