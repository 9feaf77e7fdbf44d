import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { connectionsFrom } from '../../../connections/connections.ts';
import { openPostgres, type SqlClient } from '../../../lib/databases/postgres.ts';
import { type Environment, taskQueueOf } from '../../../lib/environment.ts';
import { bucketNames, openS3 } from '../../../lib/s3.ts';
import { withinTime } from '../../../lib/time-limit.ts';
import { startManualRun } from '../../../temporal/runs/runs.ts';
import { dataIntervalAt, iso } from '../../../workflows/plan/timetable/schedule.ts';
import type { RecordCounts } from '../../../workflows/plan/datasets/dataset.ts';
import type { IntegrationStop } from './integration-stop.ts';

const PIPELINE = 'legacy_inventory';
const BUCKET = 'legacy-inventory';
const LINES = 500;
let inbox = '';

/** A file of a legacy system, picked up by a Camel route and loaded into the warehouse. */
export const inventory: IntegrationStop = {
  title: 'A legacy system leaves a file of fixed width: a Camel route picks it up, and its lines become rows of the warehouse',
  parts: ['camel', 's3', 'postgres'],
  async prepare(settings, onStop) {
    inbox = await mkdtemp(join(tmpdir(), 'sluice-inbox-'));
    onStop(() => rm(inbox, { recursive: true, force: true }));
    await createBucket(settings);
    await onWarehouse(settings, (client) =>
      client.query(`CREATE TABLE IF NOT EXISTS legacy_inventory (product_id text, title text, site text, on_hand int NOT NULL,
        price numeric(9, 2), counted_on date NOT NULL, PRIMARY KEY (product_id, site))`),
    );
    return {};
  },
  async show({ client, environment, follow, planOf, say }) {
    const plan = planOf(PIPELINE);
    const interval = dataIntervalAt(plan.schedule, Date.now());
    const day = interval.start.slice(0, 10).replaceAll('-', '');
    await writeFile(join(inbox, `inventory-${day}.txt`), Buffer.from(fileOf(day), 'latin1'));
    const run = await startManualRun(client, plan, taskQueueOf(environment), interval, iso(Date.now()), { inbox });
    const { tasks } = await follow(run);
    const output = tasks.find(({ task }) => task === 'read_inventory')?.output as (RecordCounts & { readonly rows: number }) | undefined;
    const loaded = await onWarehouse(environment, (warehouse) =>
      warehouse.query<{ rows: string }>('SELECT count(*) AS rows FROM legacy_inventory'),
    );
    if (!output || Number(loaded.rows[0]?.rows) !== LINES) throw new Error(`The warehouse does not have the ${LINES} rows of the file.`);
    say(
      `  ${output.rows_read} lines: ${output.rows} are rows of the warehouse, ${output.rows_left_out} are header and trailer, ${output.rows_rejected} is kept in ${output.dead_letters}`,
    );
  },
};

/** The file of a day, with one line that has no number where its price should be. */
function fileOf(day: string): string {
  const line = (n: number, price: string): string => {
    const site = ['BER', 'HAM', 'MUC'][n % 3] ?? '';
    return `D${`SKU${n}`.padEnd(8)}${`Käse ${n}`.padEnd(20)}${site}${String(n * 3).padStart(7, '0')}${price}\r\n`;
  };
  const lines = Array.from({ length: LINES }, (_, index) => line(index + 1, String(199 + index).padStart(9, '0')));
  return [`HINVENTORY ${day}\r\n`, ...lines, line(LINES + 1, 'unknown  '), `T${String(LINES + 1).padStart(7, '0')}\r\n`].join('');
}

async function createBucket(settings: Environment): Promise<void> {
  const client = openS3(connectionsFrom(settings).get('aws_default', ['aws']));
  try {
    if (!(await bucketNames(client)).includes(BUCKET)) await client.send(new CreateBucketCommand({ Bucket: BUCKET }));
  } finally {
    client.destroy();
  }
}

function onWarehouse<T>(settings: Environment, work: (client: SqlClient) => Promise<T>): Promise<T> {
  return withinTime(30_000, undefined, async (signal) => {
    const { client, close } = await openPostgres(connectionsFrom(settings).get('redshift_default', ['postgres']), 'sluice-demo', signal);
    try {
      return await work(client);
    } finally {
      await close();
    }
  });
}
