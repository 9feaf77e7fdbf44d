import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import { createDemoData } from '../../dev/demo/demo-data.ts';
import { expectedDimension } from '../../dev/demo/product-categories.ts';
import { connectionsFrom } from '../../connections/connections.ts';
import { ROOT } from '../../lib/environment.ts';
import { connectClient } from '../../temporal/connect.ts';
import { ensureSearchAttributes } from '../../temporal/search-attributes.ts';
import type { Plan } from '../../workflows/plan/plan.ts';
import { compiler } from './compiler.ts';
import { createDatabase, type TestDatabase } from './databases.ts';
import { startProcess, type TestProcess } from './processes.ts';
import { testStack } from './test-stack.ts';

/** The day of the sales in the databases. */
export const DEMO_DAY = '2026-03-01';

/** The analysts' document with separate databases and a task queue, and real worker processes. */
export interface TestPipeline {
  readonly environment: Record<string, string>;
  readonly taskQueue: string;
  readonly client: Client;
  readonly source: TestDatabase;
  readonly warehouse: TestDatabase;
  /** Starts `worker.ts` and waits until it is ready. */
  startWorker(): Promise<TestProcess>;
  /** Fails unless the warehouse's table is equal to the result of SQL on the source. */
  assertLoaded(): Promise<void>;
  close(): Promise<void>;
}

/**
 * @param rows number of product categories in the source
 * @param more variables in addition to those of the default servers
 */
export async function createTestPipeline(rows: number, more: Readonly<Record<string, string>> = {}): Promise<TestPipeline> {
  const stack = await testStack();
  const source = await createDatabase();
  const warehouse = await createDatabase();
  const taskQueue = `pipeline-${randomUUID()}`;
  const environment = {
    ...stack.encrypting,
    ...more,
    SLUICE_CONN_POSTGRES_DEFAULT: source.url,
    SLUICE_CONN_REDSHIFT_DEFAULT: warehouse.url,
    SLUICE_TASK_QUEUE: taskQueue,
  };
  const connections = connectionsFrom(environment);
  await createDemoData({
    source: connections.get('postgres_default', ['postgres']),
    warehouse: connections.get('redshift_default', ['postgres']),
    rows,
    day: DEMO_DAY,
  });
  const client = await connectClient(environment);
  await ensureSearchAttributes(client);
  const workers: TestProcess[] = [];
  return {
    environment,
    taskQueue,
    client,
    source,
    warehouse,
    async startWorker() {
      const worker = startProcess('worker.ts', [], environment);
      workers.push(worker);
      await worker.says('ready');
      return worker;
    },
    async assertLoaded() {
      const [expected, actual] = [
        await fingerprints(source, `(${expectedDimension})`),
        await fingerprints(warehouse, 'dim_product_categories'),
      ];
      if (expected.size !== actual.size) throw new Error(`${expected.size} rows expected, ${actual.size} loaded`);
      const different = [...expected].filter(([id, fingerprint]) => actual.get(id) !== fingerprint).map(([id]) => id);
      if (different.length > 0) throw new Error(`${different.length} rows differ, such as category_id ${different.slice(0, 5).join(', ')}`);
    },
    async close() {
      await Promise.all(workers.map((worker) => worker.stop('SIGKILL')));
      await client.connection.close();
      await source.drop();
      await warehouse.drop();
    },
  };
}

/** A digest of every row by key. Names the columns, so that NULL, '' and their order are distinguished. */
async function fingerprints(database: TestDatabase, relation: string): Promise<Map<string, string>> {
  const columns =
    'category_id, category_name, description, parent_category_id, root_category_id, category_path, category_level, commission_rate, is_active, updated_at';
  const rows = await database.rows<{ id: string; digest: string }>(
    `SELECT category_id::text AS id, md5(row_to_json(fields)::text) AS digest FROM (SELECT ${columns} FROM ${relation} AS relation) AS fields`,
  );
  return new Map(rows.map(({ id, digest }) => [id, digest]));
}

/** The seed's document, compiled unchanged; `more` is YAML appended to it. */
export function seedPlan(more = ''): Plan {
  return planOfFile('product_category_etl.yaml', more);
}

/** A document of `pipelines/`, compiled unchanged. */
export function planOfFile(file: string, more = ''): Plan {
  const text = readFileSync(join(ROOT, 'pipelines', file), 'utf8');
  const { plan, diagnostics } = compiler.compile({ file, text: text + more });
  if (!plan) throw new Error(JSON.stringify(diagnostics));
  return plan;
}
