import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { request } from 'node:http';
import { ApplicationFailure } from '@temporalio/common';
import { WorkflowUpdateFailedError } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { before, beforeEach, describe, it } from 'mocha';
import { Worker } from '@temporalio/worker';
import { readRecord } from '../../../dev/servers/server-process.ts';
import { withDrawing } from '../../../graph/with-drawing.ts';
import { dataConverterFrom } from '../../../temporal/codec/codec.ts';
import { workflowBundle } from '../../../temporal/worker/workflow-bundle.ts';
import { connectClient } from '../../../temporal/connect.ts';
import { showRun } from '../../../temporal/runs/follow-run.ts';
import { listRuns, startManualRun } from '../../../temporal/runs/runs.ts';
import { applyChange, diffSchedules, listSchedules } from '../../../temporal/schedules/schedules.ts';
import { scheduleOf } from '../../../temporal/schedules/schedule-facts.ts';
import type { Json } from '../../../workflows/plan/values/json.ts';
import { CANCEL_REQUEST, TASK_UPDATES } from '../../../workflows/plan/runs/decision.ts';
import type { Plan } from '../../../workflows/plan/plan.ts';
import { eventually } from '../../support/eventually.ts';
import { heartbeatUntil } from '../../support/heartbeat-until.ts';
import { payloadKey } from '../../support/payload-keys.ts';
import { planOf, SOME_DAY, task } from '../../support/plans.ts';
import { startTestWorker, type TestWorker } from '../../support/temporal-worker.ts';
import { TEST_HOME, testStack } from '../../support/test-stack.ts';

/** A page in a developer's browser: `text/plain` needs no leave of the server that it is sent to. */
function postAsPage(port: number, path: string, body: unknown, host = `127.0.0.1:${port}`): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'text/plain', host, origin: 'http://evil.example' };
    const sent = request({ host: '127.0.0.1', port, path, method: 'POST', headers }, (answer) => {
      answer.resume().once('end', () => resolve(answer.statusCode ?? 0));
    });
    sent.once('error', reject).end(JSON.stringify(body));
  });
}

/** A worker that stops hands its tasks to the next attempt. */
const RETRIED = { maximumAttempts: 5, initialDelayMs: 10, backoff: 1, maximumDelayMs: 10 };

describe('who can write to the namespace, with keys', function () {
  this.timeout('3m');
  const [ONE, TWO] = [payloadKey('one'), payloadKey('two')];
  let environment: Record<string, string>;
  let httpPort: number;
  const commands: string[] = [];
  let isOpen = false;

  const activities = {
    command: async ({ params }: { params: { command: string } }): Promise<Json> => {
      commands.push(params.command);
      return `output of canary-${params.command}`;
    },
    wait_until_open: async (): Promise<Json> => {
      await heartbeatUntil(() => isOpen, { row: 'canary-heartbeat' });
      return 'opened';
    },
    fail: async (): Promise<Json> => {
      throw ApplicationFailure.nonRetryable('no row canary-failure', 'TestFailure');
    },
  };

  const startWorker = (keys?: string, taskQueue?: string, more: Record<string, string> = {}): Promise<TestWorker> =>
    startTestWorker({ ...environment, ...(keys !== undefined && { SLUICE_PAYLOAD_KEYS: keys }), ...more }, activities, taskQueue);
  const name = (): string => `keys_${randomUUID().slice(0, 8)}`;
  const evil = (): Plan => planOf(name(), [task('a', 'command', [], { params: { command: 'rm -rf /' } })]);
  const slow = (): Plan =>
    planOf(name(), [
      task('a', 'wait_until_open', [], { retry: RETRIED, heartbeatTimeoutMs: 2_000 }),
      task('b', 'command', ['a'], { params: { command: 'fine' } }),
    ]);
  const run = ({ client, taskQueue }: TestWorker, plan: Plan) => startManualRun(client, plan, taskQueue, SOME_DAY, randomUUID());

  before(async function () {
    this.timeout('15m');
    ({ environment } = await testStack(['temporal']));
    httpPort = (await readRecord(TEST_HOME, 'temporal'))?.ports.http ?? 0;
  });
  beforeEach(() => {
    commands.length = 0;
    isOpen = false;
  });

  /** Starts a workflow by the HTTP API, its input as it is. @returns the status of the answer */
  const startByPage = (workflowId: string, taskQueue: string, plan: Plan, host?: string): Promise<number> => {
    const base64 = (text: string): string => Buffer.from(text).toString('base64');
    const data = base64(JSON.stringify({ cause: 'manual', interval: SOME_DAY, plan }));
    const input = { payloads: [{ metadata: { encoding: base64('json/plain') }, data }] };
    const body = { workflowType: { name: plan.dagId }, taskQueue: { name: taskQueue }, input };
    return postAsPage(httpPort, `/api/v1/namespaces/default/workflows/${workflowId}`, body, host);
  };

  it('a page in a browser starts nothing: the HTTP API of the local stack is switched off', async () => {
    const id = `csrf-${randomUUID()}`;
    assert.equal(await startByPage(id, 'nobody', evil()), 403);
    const client = await connectClient(environment);
    await assert.rejects(client.workflow.getHandle(id).describe(), { name: 'WorkflowNotFoundError' });
    await client.connection.close();
  });

  it('a run whose input this deployment has not encrypted does not run its command, and stops no other', async () => {
    const [plain, encrypted] = [await startWorker(), await startWorker(ONE)];
    try {
      // The attack works where there are no keys: on a server whose HTTP API is open.
      const open = `csrf-${randomUUID()}`;
      assert.equal(await startByPage(open, plain.taskQueue, evil(), 'switched-off.invalid'), 200);
      await plain.client.workflow.getHandle(open).result();
      assert.deepEqual(commands.splice(0), ['rm -rf /']);

      const id = `csrf-${randomUUID()}`;
      assert.equal(await startByPage(id, encrypted.taskQueue, evil(), 'switched-off.invalid'), 200);
      const forged = encrypted.client.workflow.getHandle(id);
      const refused = await eventually(async () => {
        const { events } = await forged.fetchHistory();
        const failed = events?.find(({ workflowTaskFailedEventAttributes }) => workflowTaskFailedEventAttributes);
        assert.ok(failed);
        return failed;
      });
      assert.ok(refused);
      const good = await run(encrypted, planOf(name(), [task('a', 'command', [], { params: { command: 'fine' } })]));
      await encrypted.client.workflow.getHandle(good.pipelineRunId).result();
      assert.deepEqual(commands, ['fine']);
      await forged.terminate();
    } finally {
      await Promise.all([plain.close(), encrypted.close()]);
    }
  });

  it('a signal or an update that is not encrypted changes nothing, and does not stop the run', async () => {
    const worker = await startWorker(ONE);
    const outsider = await connectClient(environment);
    try {
      const { pipelineRunId } = await run(worker, slow());
      const handle = outsider.workflow.getHandle(pipelineRunId);
      const request = { by: 'mallory', reason: 'because' };
      await assert.rejects(handle.executeUpdate(TASK_UPDATES.skip, { args: [{ task: 'b', ...request }] }), WorkflowUpdateFailedError);
      await handle.signal(CANCEL_REQUEST, request);
      isOpen = true;
      await worker.client.workflow.getHandle(pipelineRunId).result();
      assert.deepEqual(commands, ['fine']);
    } finally {
      await Promise.all([worker.close(), outsider.connection.close()]);
    }
  });

  it('nothing of parameters, outputs, failures, heartbeats and summaries is in Temporal as text, and `show` reads all of it', async () => {
    const worker = await startWorker(ONE);
    try {
      const params = { command: 'canary-param' };
      const plan = planOf(name(), [
        task('a', 'command', [], { params, summary: 'canary-summary' }),
        task('b', 'wait_until_open', ['a']),
        task('c', 'fail', ['b']),
      ]);
      const reference = await run(worker, plan);
      const handle = worker.client.workflow.getHandle(reference.pipelineRunId);
      const pending = await eventually(async () => {
        const { raw } = await handle.describe();
        assert.ok(raw.pendingActivities?.[0]?.heartbeatDetails);
        return raw;
      });
      isOpen = true;
      await assert.rejects(handle.result(), (error: Error) => /no row canary-failure/.test(String((error.cause as Error).message)));
      const history = await handle.fetchHistory();
      const kept = JSON.stringify([pending, historyToJSON(history)]);
      const bytes = [...kept.matchAll(/"([A-Za-z0-9+/]{16,}={0,2})"/g)].map(([, text = '']) =>
        Buffer.from(text, 'base64').toString('latin1'),
      );
      assert.doesNotMatch(`${kept} ${bytes.join(' ')}`, /canary-/);
      const { instances, error } = await showRun(worker.client, reference);
      assert.match(error ?? '', /no row canary-failure/);
      assert.equal(instances.get('a')?.output, 'output of canary-canary-param');
      assert.match(instances.get('c')?.error ?? '', /no row canary-failure/);
      const dataConverter = dataConverterFrom({ SLUICE_PAYLOAD_KEYS: ONE });
      const workflows = await workflowBundle('index', dataConverter);
      await Worker.runReplayHistory({ workflowBundle: workflows, dataConverter }, history, reference.pipelineRunId);
    } finally {
      await worker.close();
    }
  });

  it('a rotation fails no run: old payloads stay readable, new ones are under the new key, and applied schedules follow', async () => {
    const first = await startWorker(ONE);
    const { taskQueue } = first;
    const plan = slow();
    const scheduled = planOf(name(), plan.tasks, { schedule: { kind: 'every', everyMs: 86_400_000, timezone: 'UTC' } });
    await applyChange(first.client, { dagId: scheduled.dagId, action: 'create', detail: '', plan: scheduled }, taskQueue);
    const runs = [await run(first, plan)];
    // A new key is first given to all for reading, and then becomes the first one.
    const second = await startWorker(`${ONE},${TWO}`, taskQueue);
    await first.close();
    runs.push(await run(second, plan));
    const third = await startWorker(`${TWO},${ONE}`, taskQueue);
    runs.push(await run(third, plan));
    await second.close();
    isOpen = true;
    for (const { pipelineRunId } of runs) await third.client.workflow.getHandle(pipelineRunId).result();
    for (const each of runs) assert.equal((await showRun(third.client, each)).instances.get('a')?.output, 'opened');
    const { events } = await third.client.workflow.getHandle(runs[2]?.pipelineRunId ?? '').fetchHistory();
    const [payload] = events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads ?? [];
    assert.equal(Buffer.from(payload?.metadata?.['encryption-key-id'] ?? []).toString(), 'two');
    const listed = await eventually(async () => {
      const found = await listSchedules(third.client, taskQueue);
      assert.equal(found.length, 1);
      return found;
    });
    const [unchanged] = diffSchedules([scheduled], listed, () => false, 'one');
    assert.equal(unchanged?.action, 'unchanged');
    const [change] = diffSchedules([scheduled], listed, () => false, 'two');
    assert.deepEqual([change?.action, change?.detail], ['update', "encrypted with the key 'two'"]);
    assert.ok(change);
    await applyChange(third.client, change, taskQueue);
    const onlyNew = await connectClient({ ...environment, SLUICE_PAYLOAD_KEYS: TWO });
    assert.deepEqual((await scheduleOf(onlyNew, scheduled.dagId)).plan, withDrawing(scheduled));
    await onlyNew.schedule.getHandle(scheduled.dagId).delete();
    await Promise.all([third.close(), onlyNew.connection.close()]);
  });

  it('runs from before there were keys wait, and continue when the operator allows them to be read', async () => {
    const plain = await startWorker();
    const { pipelineRunId } = await run(plain, slow());
    await plain.close();
    const strict = await startWorker(ONE, plain.taskQueue);
    const handle = strict.client.workflow.getHandle(pipelineRunId);
    // Runs of before are listed, whatever they hold.
    await eventually(async () => assert.ok((await listRuns(strict.client, 100)).some((each) => each.pipelineRunId === pipelineRunId)));
    isOpen = true;
    await eventually(async () => {
      const { raw } = await handle.describe();
      assert.ok((raw.pendingActivities?.[0]?.attempt ?? 0) > 0 || raw.pendingWorkflowTask);
    });
    assert.equal((await handle.describe()).status.name, 'RUNNING');
    await strict.close();
    const reading = await startWorker(ONE, plain.taskQueue, { SLUICE_PAYLOAD_PLAIN: 'read' });
    await reading.client.workflow.getHandle(pipelineRunId).result();
    await reading.close();
    assert.deepEqual(commands, ['fine']);
  });
});
