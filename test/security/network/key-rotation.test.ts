import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import type { Client } from '@temporalio/client';
import type { Payload } from '@temporalio/common';
import { before, describe, it } from 'mocha';
import { connectClient } from '../../../temporal/connect.ts';
import { showRun } from '../../../temporal/runs/follow-run.ts';
import { startManualRun } from '../../../temporal/runs/runs.ts';
import type { Json } from '../../../workflows/plan/values/json.ts';
import { eventually } from '../../support/eventually.ts';
import { payloadKey } from '../../support/payload-keys.ts';
import { planOf, SOME_DAY, task } from '../../support/plans.ts';
import { startProcess } from '../../support/processes.ts';
import { startTestWorker } from '../../support/temporal-worker.ts';
import { testStack } from '../../support/test-stack.ts';

const [OLD, NEW] = [payloadKey('old'), payloadKey('new')];
/** What SLUICE_PAYLOAD_KEYS is, step by step: see docs/04-operating.md. Each is rolled out to all before the next. */
const STEPS = [OLD, `${OLD},${NEW}`, `${NEW},${OLD}`, NEW] as const;
/** Who gets the keys of a step first. */
const ORDERS = { 'workers first': ['workers', 'starters'], 'who starts runs first': ['starters', 'workers'] } as const;
/** Runs are started so often, in milliseconds. */
const RUN_EVERY = 150;
const UI = 'http://127.0.0.1:8233';

type Reference = Awaited<ReturnType<typeof startManualRun>>;

/** A worker that stops may lose a task, which another one then gets. */
const RETRIED = { maximumAttempts: 5, initialDelayMs: 10, backoff: 1, maximumDelayMs: 10 };

const activities = {
  work: async ({ params }: { params: { value: string } }): Promise<Json> => {
    Context.current().heartbeat({ at: params.value });
    await delay(50);
    return `done ${params.value}`;
  },
};

describe('keys are rotated while runs are active', function () {
  this.timeout('3m');
  let environment: Record<string, string>;
  before(async function () {
    this.timeout('15m');
    ({ environment } = await testStack(['temporal']));
  });
  const withKeys = (keys: string): Record<string, string> => ({ ...environment, SLUICE_PAYLOAD_KEYS: keys });

  for (const [name, order] of Object.entries(ORDERS)) {
    it(`no run fails, none is refused, old ones stay readable and new ones have the new key: ${name}`, async () => {
      const load = new Load(await connectClient(withKeys(OLD)));
      let worker = await startTestWorker(withKeys(OLD), activities, load.taskQueue);
      load.begin();
      await load.moreRuns(3);
      const rollOut = {
        workers: async (keys: string): Promise<void> => {
          const next = await startTestWorker(withKeys(keys), activities, load.taskQueue);
          await load.moreRuns(1);
          await worker.close();
          worker = next;
        },
        starters: async (keys: string): Promise<void> => load.startWith(await connectClient(withKeys(keys))),
      };
      const startedBefore: number[] = [];
      for (const keys of STEPS.slice(1)) {
        // The old key goes when no run that began under it is open.
        if (keys === NEW) await load.ended(load.runs.slice(0, startedBefore.at(-1)));
        for (const each of order) await rollOut[each](keys);
        startedBefore.push(load.runs.length);
        await load.moreRuns(3);
      }
      await load.end();

      const reader = await connectClient(withKeys(STEPS[2]));
      const onlyNew = await connectClient(withKeys(NEW));
      const keyIds = await Promise.all(
        load.runs.map(async (run) => {
          assert.equal((await showRun(reader, run)).instances.get('b')?.output, 'done b');
          const { events } = await reader.workflow.getHandle(run.pipelineRunId).fetchHistory();
          assert.ok(!events?.some((event) => event.workflowTaskFailedEventAttributes));
          const failures = events?.map((event) => event.activityTaskStartedEventAttributes?.lastFailure?.applicationFailureInfo?.type);
          assert.ok(!failures?.includes('PayloadRefused'));
          return [...new Set(payloadsIn(events).map(keyIdOf))].sort();
        }),
      );
      assert.deepEqual(keyIds[0], ['old']);
      for (const ids of keyIds.slice(startedBefore[1])) assert.deepEqual(ids, ['new']);
      const last = load.runs.at(-1) ?? assert.fail();
      assert.equal((await showRun(onlyNew, last)).instances.get('b')?.output, 'done b');
      assert.deepEqual(await decoded(reader, withKeys(STEPS[2]), [load.runs[0] ?? last, last]), ['done b', 'done b']);
      await Promise.all([worker.close(), reader.connection.close(), onlyNew.connection.close()]);
    });
  }

  /** The outputs of the last tasks of runs, by way of `sluice codec-server`, as the Temporal UI asks for them. */
  async function decoded(client: Client, settings: Record<string, string>, runs: readonly Reference[]): Promise<Json[]> {
    const server = startProcess('cli.ts', ['codec-server', '--ui', UI, '--port', '0'], settings);
    try {
      await server.says(/ at http:\S+/);
      const [, address = ''] = / at (http:\S+)/.exec(server.stderr()) ?? [];
      const payloads = await Promise.all(
        runs.map(async ({ pipelineRunId }) => {
          const { events } = await client.workflow.getHandle(pipelineRunId).fetchHistory();
          const results = events?.flatMap((event) => event.activityTaskCompletedEventAttributes?.result?.payloads ?? []) ?? [];
          const { metadata, data } = results.at(-1) ?? assert.fail('a run has results');
          const texts = Object.entries(metadata ?? {}).map(([key, value]) => [key, Buffer.from(value).toString('base64')]);
          return { metadata: Object.fromEntries(texts) as Record<string, string>, data: Buffer.from(data ?? []).toString('base64') };
        }),
      );
      const headers = { 'content-type': 'application/json', origin: UI };
      const answer = await fetch(`${address}/decode`, { method: 'POST', headers, body: JSON.stringify({ payloads }) });
      const { payloads: open } = (await answer.json()) as { payloads: { data: string }[] };
      return open.map(({ data }) => JSON.parse(Buffer.from(data, 'base64').toString()) as Json);
    } finally {
      await server.stop();
    }
  }
});

/** Runs that are started all the time. */
class Load {
  readonly taskQueue = `rotation-${randomUUID()}`;
  readonly runs: Reference[] = [];
  private isEnding = false;
  private starting: Promise<void> = Promise.resolve();

  constructor(private client: Client) {}

  begin(): void {
    const chain = planOf(`rotation_${randomUUID().slice(0, 8)}`, [
      task('a', 'work', [], { params: { value: 'a' }, retry: RETRIED, heartbeatTimeoutMs: 2_000 }),
      task('b', 'work', ['a'], { params: { value: 'b' }, retry: RETRIED, heartbeatTimeoutMs: 2_000 }),
    ]);
    const start = async (): Promise<void> => {
      while (!this.isEnding) {
        this.runs.push(await startManualRun(this.client, chain, this.taskQueue, SOME_DAY, randomUUID()));
        await delay(RUN_EVERY);
      }
    };
    this.starting = start();
    this.starting.catch(() => undefined);
  }

  /** Runs begin under the keys of another client from now on. */
  async startWith(client: Client): Promise<void> {
    const before = this.client;
    this.client = client;
    await this.moreRuns(1);
    await before.connection.close();
  }

  async moreRuns(count: number): Promise<void> {
    const enough = this.runs.length + count;
    await Promise.race([this.starting, eventually(() => Promise.resolve(assert.ok(this.runs.length >= enough)), 30_000)]);
  }

  /** @throws when one of them fails */
  async ended(runs: readonly Reference[]): Promise<void> {
    await Promise.all(runs.map(({ pipelineRunId }) => this.client.workflow.getHandle(pipelineRunId).result()));
  }

  async end(): Promise<void> {
    this.isEnding = true;
    await this.starting;
    await this.ended(this.runs);
    await this.client.connection.close();
  }
}

function keyIdOf({ metadata }: Payload): string {
  return Buffer.from(metadata?.['encryption-key-id'] ?? []).toString();
}

/** All payloads in a history that a deployment encrypts, of whatever event. */
function payloadsIn(value: unknown): Payload[] {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return [];
  if ('metadata' in value && 'data' in value && value.data instanceof Uint8Array) return [value as Payload];
  return Object.entries(value).flatMap(([key, each]) => (key === 'searchAttributes' ? [] : payloadsIn(each)));
}
