import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cached } from '../../dev/servers/cache.ts';
import { findPython, makeVenv } from '../../dev/servers/python.ts';
import { startStack } from '../../dev/stack.ts';
import { connectionsFrom } from '../../connections/connections.ts';
import { type Environment, ROOT } from '../../lib/environment.ts';
import { openPostgres } from '../../lib/databases/postgres.ts';
import { createProgress } from '../../lib/progress.ts';
import { compare } from '../comparison.ts';
import type { Measure } from '../measure.ts';
import { benchCopies } from './copies.ts';
import { peakMemory } from './peak-memory.ts';
import { runActivity } from './run-activity.ts';

const run = promisify(execFile);
const RELADIFF = { name: 'reladiff-0.6.0', essential: 'bin/python' };
/** Row counts of the compared tables; the first is also copied. */
const TABLES = { orders: 1_000_000, many_orders: 10_000_000 } as const;
type Table = keyof typeof TABLES;
const DIFFERENCES = 10;
const COLUMNS = 'customer_id,status,total,updated_at';

/** Measures the cost of comparing two databases and copying between them, relative to the usual tools. */
export async function benchReconcile(): Promise<Measure[]> {
  const home = join(ROOT, '.sluice', 'bench');
  const progress = createProgress();
  const report = (text: string): void => void process.stderr.write(`${text}\n`);
  const stack = await startStack({ home, parts: ['postgres', 's3'], environment: {}, progress });
  try {
    const python = await findPython(process.env, '3.9');
    if (python === undefined) throw new Error('The benchmark compares with reladiff, which needs Python 3.9 or later on PATH.');
    const venv = await cached(process.env, RELADIFF, report, (folder) => makeVenv(process.env, python, folder, 'reladiff', report));
    const environment = await fill({ ...process.env, ...stack.environment }, report);
    const measures: Measure[] = [];
    for (const table of Object.keys(TABLES) as Table[]) measures.push(...(await measure(environment, join(venv, 'bin/python'), table)));
    return [...measures, ...(await benchCopies(environment, TABLES.orders))];
  } finally {
    await stack.stop();
  }
}

/** Creates two databases with the same tables, in which some rows differ. */
async function fill(environment: Environment, report: (text: string) => void): Promise<Environment> {
  const server = connectionsFrom(environment).get('postgres_default', ['postgres']);
  const urls: Record<string, string> = {};
  for (const name of ['bench_source', 'bench_target']) {
    await execute(server, [`DROP DATABASE IF EXISTS ${name}`, `CREATE DATABASE ${name}`]);
    for (const [table, rows] of Object.entries(TABLES)) {
      report(`Filling ${table} of ${name} with ${words(rows)} rows`);
      const differs = name === 'bench_target' ? `i % ${rows / DIFFERENCES} = 77` : 'false';
      await execute({ ...server, database: name }, [
        `CREATE TABLE ${table} (id bigint PRIMARY KEY, customer_id integer, status text, total numeric(12, 2), updated_at timestamptz)`,
        `INSERT INTO ${table} SELECT i, i % 50000, CASE WHEN ${differs} THEN 'returned' ELSE 'shipped' END, (i % 100000) / 100.0,
         timestamptz '2024-01-01' + i * interval '1 second' FROM generate_series(1, ${rows}) AS i`,
        `VACUUM ANALYZE ${table}`,
        'CHECKPOINT',
      ]);
    }
    const { host, port, user, password } = server;
    urls[`SLUICE_CONN_${name.toUpperCase()}`] =
      `postgresql://${encodeURIComponent(user)}:${encodeURIComponent(password)}@${host}:${port}/${name}`;
  }
  return { ...environment, ...urls };
}

async function execute(connection: Parameters<typeof openPostgres>[0], statements: readonly string[]): Promise<void> {
  const session = await openPostgres(connection, 'bench', new AbortController().signal);
  try {
    for (const statement of statements) await session.client.query(statement);
  } finally {
    await session.close();
  }
}

async function measure(environment: Environment, python: string, table: Table): Promise<Measure[]> {
  const side = (connection: string): object => ({ conn_id: connection, table });
  const params = { source: side('bench_source'), target: side('bench_target'), key: ['id'], on_mismatch: 'warn' } as const;
  const ours = async (): Promise<{ ms: number }> => {
    const begin = performance.now();
    const { differing } = (await runActivity(environment, 'reconcile', params as never)) as { differing: number };
    const ms = performance.now() - begin;
    if (differing !== DIFFERENCES) throw new Error(`reconcile found ${differing} differences, and there are ${DIFFERENCES}.`);
    return { ms };
  };
  const byHand = async (): Promise<{ ms: number }> => {
    const script = join(import.meta.dirname, 'compare_with_reladiff.py');
    const { stdout } = await run(python, [script, table, COLUMNS], { env: { ...process.env, ...environment } });
    const [ms, differing] = stdout.trim().split(' ').map(Number);
    if (differing !== DIFFERENCES) throw new Error(`reladiff found ${differing} differences, and there are ${DIFFERENCES}.`);
    return { ms: ms ?? NaN };
  };
  const what = `reconcile by row, ${words(TABLES[table])} rows, ${DIFFERENCES} differ, beside reladiff`;
  return [...(await compare(what, { time: 0.7 }, 5, ours, byHand)), await peakMemory(environment, 'reconcile', params as never)];
}

function words(rows: number): string {
  return rows.toLocaleString('en-US');
}
