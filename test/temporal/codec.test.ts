import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { defaultPayloadConverter } from '@temporalio/common';
import { describe, it } from 'mocha';
import { compress, decompress } from '../../temporal/codec/codec.ts';
import { showRun } from '../../temporal/runs/follow-run.ts';
import { applyChange } from '../../temporal/schedules/schedules.ts';
import { listRuns } from '../../temporal/runs/runs.ts';
import { scheduleOf } from '../../temporal/schedules/schedule-facts.ts';
import type { Json } from '../../workflows/plan/values/json.ts';
import { eventually } from '../support/eventually.ts';
import { planOf, task } from '../support/plans.ts';
import { workerOfSuite } from '../support/temporal-suite.ts';

const payloadOf = (value: Json) => defaultPayloadConverter.toPayload(value);

describe('payloads', () => {
  it('small ones stay readable', () => {
    const payload = payloadOf({ rows: 3 });
    assert.equal(compress(payload), payload);
    assert.equal(decompress(payload), payload);
  });

  it('large ones are compressed, and come back as they were', () => {
    const value = Array.from({ length: 5000 }, (_, index) => `task ${index} – ü`);
    const payload = payloadOf(value);
    const compressed = compress(payload);
    assert.ok((compressed.data?.length ?? 0) < (payload.data?.length ?? 0) / 3);
    assert.deepEqual(defaultPayloadConverter.fromPayload(decompress(compressed)), value);
  });

  it('what another codec has made is left alone', () => {
    const foreign = { metadata: { encoding: new TextEncoder().encode('binary/encrypted') }, data: new Uint8Array([1, 2, 3]) };
    assert.equal(decompress(foreign), foreign);
  });
});

describe('a plan of 1,000 tasks', function () {
  this.timeout('3m');
  const worker = workerOfSuite();

  it('fits a Schedule, which starts its run', async () => {
    const { client, taskQueue } = worker;
    const names = Array.from({ length: 1000 }, (_, index) => `task_number_${index}`);
    const plan = planOf(
      `large_${randomUUID().slice(0, 8)}`,
      names.map((name) =>
        task(name, 'succeed', [], { params: { note: `what ${name} does, in many words: ${'as they are written. '.repeat(10)}` } }),
      ),
      { schedule: { kind: 'every', everyMs: 86_400_000, timezone: 'UTC' } },
    );
    assert.ok(JSON.stringify(plan).length > 400_000);
    await applyChange(client, { dagId: plan.dagId, action: 'create', detail: '', plan }, taskQueue);
    const schedule = client.schedule.getHandle(plan.dagId);
    const { raw } = await schedule.describe();
    const [payload] = raw.schedule?.action?.startWorkflow?.input?.payloads ?? [];
    assert.ok((payload?.data?.length ?? Infinity) < 200_000, `${payload?.data?.length} bytes`);
    assert.deepEqual((await scheduleOf(client, plan.dagId)).plan, plan);
    await schedule.trigger();
    const run = await eventually(async () => {
      const [first] = await listRuns(client, 1, plan.dagId);
      assert.ok(first);
      return first;
    });
    await schedule.delete();
    await client.workflow.getHandle(run.pipelineRunId).result();
    const { instances } = await showRun(client, run);
    assert.equal(instances.all().filter(({ state }) => state === 'success').length, 1000);
  });
});
