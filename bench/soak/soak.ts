import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { CreateBucketCommand } from '@aws-sdk/client-s3';
import type { Client } from '@temporalio/client';
import { Kafka, logLevel } from 'kafkajs';
import pg from 'pg';
import { PagerDutyStandIn } from '../../dev/demo/pagerduty-stand-in.ts';
import { startStack } from '../../dev/stack.ts';
import { connectionsFrom } from '../../connections/connections.ts';
import { ROOT } from '../../lib/environment.ts';
import { createProgress } from '../../lib/progress.ts';
import { openS3 } from '../../lib/s3.ts';
import { connectClient } from '../../temporal/connect.ts';
import { listTicks } from '../../temporal/schedules/ticks.ts';
import { SEARCH_ATTRIBUTES } from '../../workflows/plan/runs/search-attributes.ts';
import { startProcess } from '../../test/support/processes.ts';
import type { Measure } from '../measure.ts';
import { until } from '../../test/support/eventually.ts';
import { KillsAtRandom } from './kills-at-random.ts';
import { ROWS, type SoakPipelines, soakPipelines } from './pipelines.ts';

const HOME = join(ROOT, '.sluice', 'bench');
/** `SLUICE_SOAK_MINUTES=3` is a short trial. */
const MINUTES = Number(process.env.SLUICE_SOAK_MINUTES ?? 30);
/** Interval between events, in milliseconds. */
const EVENT_EVERY = 5_000;
/** Time without kills in which delayed work must be completed, in milliseconds. */
const RECOVERED_WITHIN = 240_000;
const MINUTE = 60_000;

/**
 * Runs all kinds of pipelines while processes are killed repeatedly, and checks that each tick, event, row and page exists exactly once in
 * the end.
 */
export async function benchSoak(): Promise<Measure[]> {
  const parts = ['temporal', 'postgres', 's3', 'kafka'] as const;
  const stack = await startStack({ home: HOME, parts: [...parts], environment: {}, progress: createProgress() });
  const pagerDuty = await PagerDutyStandIn.start();
  const environment = { ...stack.environment, ...pagerDuty.environment };
  const folder = await mkdtemp(join(tmpdir(), 'sluice-soak-'));
  const client = await connectClient(environment);
  try {
    const pipelines = soakPipelines(randomBytes(4).toString('hex'));
    return await new Soak(client, environment, pagerDuty, pipelines, folder).measure();
  } finally {
    await client.connection.close();
    await pagerDuty.close();
    await stack.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

class Soak {
  private readonly queue: string;
  private readonly connections;
  private sent = 0;

  constructor(
    private readonly client: Client,
    private readonly environment: Record<string, string>,
    private readonly pagerDuty: PagerDutyStandIn,
    private readonly pipelines: SoakPipelines,
    private readonly folder: string,
  ) {
    this.queue = `bench-${pipelines.topic}`;
    this.connections = connectionsFrom(environment);
  }

  async measure(): Promise<Measure[]> {
    await this.prepare();
    const kills = new KillsAtRandom(this.environment, this.queue, HOME);
    await kills.start();
    try {
      await this.apply();
      const stopSending = new AbortController();
      const sending = this.sendEvents(stopSending.signal);
      await kills.during(MINUTES * MINUTE);
      stopSending.abort();
      await sending;
      const recovering = new Date();
      process.stderr.write('no more kills; it recovers\n');
      const isRecovered = await until(async () => (await this.open(recovering)).length === 0, RECOVERED_WITHIN, 2_000);
      // False pages appear within a minute after the recovery.
      const opened = new Map(this.pagerDuty.opened);
      await delay(MINUTE);
      return await this.measures(kills, isRecovered, opened, recovering);
    } finally {
      await kills.stop();
    }
  }

  private async prepare(): Promise<void> {
    const { table, topic, bucket, files } = this.pipelines;
    await this.query(
      'postgres_default',
      `CREATE TABLE ${table} AS SELECT n AS id, 'row ' || n AS name FROM generate_series(1, ${ROWS}) AS n`,
    );
    await this.query('redshift_default', `CREATE TABLE ${table}_loaded (id bigint, name text)`);
    const s3 = openS3(this.connections.get('aws_default', ['aws']));
    await s3.send(new CreateBucketCommand({ Bucket: bucket }));
    s3.destroy();
    const admin = this.kafka().admin();
    await admin.connect();
    await admin.createTopics({ topics: [{ topic, numPartitions: 2 }], waitForLeaders: false });
    await admin.disconnect();
    await mkdir(this.folder, { recursive: true });
    for (const [dagId, text] of Object.entries(files)) await writeFile(join(this.folder, `${dagId}.yaml`), text);
  }

  private async apply(): Promise<void> {
    const scheduler = startProcess('scheduler.ts', ['--pipelines', this.folder, '--task-queue', this.queue, '--no-wait'], this.environment);
    if ((await scheduler.exited) !== 0) throw new Error(`The pipelines were not applied:\n${scheduler.stderr()}`);
  }

  /** A client that waits for an unavailable broker, and writes each record once. */
  private kafka(): Kafka {
    const { brokers } = this.connections.get('kafka_default', ['kafka']);
    const retry = { initialRetryTime: 200, maxRetryTime: 2_000, retries: 100 };
    return new Kafka({ clientId: 'sluice-soak', brokers: [...brokers], logLevel: logLevel.NOTHING, retry });
  }

  private async sendEvents(signal: AbortSignal): Promise<void> {
    const producer = this.kafka().producer({ allowAutoTopicCreation: false, idempotent: true });
    await producer.connect();
    while (!signal.aborted) {
      const messages = [{ key: String(this.sent), value: JSON.stringify({ number: this.sent }) }];
      await producer.send({ topic: this.pipelines.topic, messages });
      this.sent++;
      await delay(EVENT_EVERY, undefined, { signal }).catch(() => undefined);
    }
    await producer.disconnect();
  }

  /** What started before `before` and is still open: runs, ticks without a run, and pages that should resolve automatically. */
  private async open(before: Date): Promise<string[]> {
    const { pipeline } = SEARCH_ATTRIBUTES;
    const found: string[] = [];
    for (const dagId of Object.keys(this.pipelines.files)) {
      const query = `${pipeline.name} = "${dagId}" AND ExecutionStatus = "Running" AND StartTime < "${before.toISOString()}"`;
      for await (const { workflowId } of this.client.workflow.list({ query })) found.push(`run ${workflowId}`);
      if (dagId === this.pipelines.events) continue;
      for (const { tick, state } of await listTicks(this.client, dagId, { to: before.getTime() })) {
        if (state !== 'success' && !(state === 'failed' && dagId === this.pipelines.failing)) found.push(`${state} ${dagId} ${tick}`);
      }
    }
    // The current interval may be late.
    const isExpected = (key: string): boolean => key.startsWith(this.pipelines.failing) || key.startsWith(`${this.pipelines.late}/quick/`);
    return [...found, ...[...this.pagerDuty.open].filter((key) => !isExpected(key)).map((key) => `page ${key}`)];
  }

  private async measures(kills: KillsAtRandom, isRecovered: boolean, opened: Map<string, number>, recovering: Date): Promise<Measure[]> {
    const { pipelines, pagerDuty } = this;
    const left = await this.open(recovering);
    for (const each of left) process.stderr.write(`left: ${each}\n`);
    const ticks = await Promise.all(
      Object.keys(pipelines.files)
        .filter((dagId) => dagId !== pipelines.events)
        .map((dagId) => listTicks(this.client, dagId, { to: recovering.getTime() })),
    );
    const { count: events } = await this.client.workflow.count(`${SEARCH_ATTRIBUTES.pipeline.name} = "${pipelines.events}"`);
    const promised = [pipelines.late, pipelines.failing].flatMap((dagId, index) =>
      (ticks[Object.keys(pipelines.files).indexOf(dagId)] ?? [])
        .filter(({ state }) => state === (index === 0 ? 'success' : 'failed'))
        .map(({ interval }) => `${dagId}/${index === 0 ? 'quick' : 'failed'}/${interval.start.replace('.000', '')}`),
    );
    const timesOf = promised.map((key) => pagerDuty.opened.get(key) ?? 0);
    for (const [index, key] of promised.entries()) if (timesOf[index] !== 1) process.stderr.write(`${timesOf[index]} pages: ${key}\n`);
    const isPromised = (key: string): boolean => key.startsWith(pipelines.late) || key.startsWith(pipelines.failing);
    const falsePages = [...pagerDuty.opened].filter(([key, times]) => !isPromised(key) && times > (opened.get(key) ?? 0));
    for (const [key] of falsePages) process.stderr.write(`false page: ${key}\n`);
    const loadedTicks = ticks[Object.keys(pipelines.files).indexOf(pipelines.loads)] ?? [];
    const [loaded] = await this.query<{ rows: string; ids: string }>(
      'redshift_default',
      `SELECT count(*) AS rows, count(DISTINCT id) AS ids FROM ${pipelines.table}_loaded`,
    );
    const rows = Number(loaded?.rows);
    const least = loadedTicks.filter(({ state }) => state === 'success').length * ROWS;
    // Scheduled runs continue during this count.
    const most = (await listTicks(this.client, pipelines.loads)).length * ROWS;
    return [
      {
        what: `${MINUTES} minutes, killed at random: ${kills.summary()}`,
        measured: isRecovered ? 'all is over' : `${left.length} things are left`,
        wanted: `all is over ${RECOVERED_WITHIN / MINUTE} minutes later`,
        reached: isRecovered && left.length === 0,
      },
      {
        what: 'ticks accounted for: success, or failed as they should',
        measured: `${ticks.flat().length - left.filter((each) => !/^(run|page) /.test(each)).length} of ${ticks.flat().length}`,
        wanted: 'all',
        reached: left.every((each) => /^(run|page) /.test(each)),
      },
      { what: 'runs of events', measured: `${events} of ${this.sent}`, wanted: 'each once', reached: events === this.sent },
      {
        what: `rows that were appended, ${ROWS} a run`,
        measured: String(rows),
        wanted: `each run once: ${least} to ${most}`,
        reached: rows % ROWS === 0 && rows >= least && rows <= most && Number(loaded?.ids) === ROWS,
      },
      {
        what: 'promised pages',
        measured: `${timesOf.filter((times) => times === 1).length} of ${promised.length} once`,
        wanted: 'all',
        reached: promised.length > 0 && timesOf.every((times) => times === 1),
      },
      { what: 'false pages after the recovery', measured: String(falsePages.length), wanted: '0', reached: falsePages.length === 0 },
    ];
  }

  private async query<Row extends pg.QueryResultRow>(connection: string, sql: string): Promise<Row[]> {
    const { host, port, user, password, database } = this.connections.get(connection, ['postgres']);
    const client = new pg.Client({ host, port, user, password, database });
    await client.connect();
    return (await client.query<Row>(sql).finally(() => client.end())).rows;
  }
}
