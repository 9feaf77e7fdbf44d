import assert from 'node:assert/strict';
import { ApplicationFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { describe, it } from 'mocha';
import Type from 'typebox';
import { createActivities } from '../../activities/run/create-activities.ts';
import { defineTask } from '../../activities/define-task.ts';
import { duration } from '../../lib/schema-fields.ts';
import type { Json } from '../../workflows/plan/values/json.ts';
import type { TaskInput } from '../../workflows/plan/tasks/task-input.ts';
import { taskDependencies } from '../support/task-dependencies.ts';

const INTERVAL = { start: '2024-01-01T00:00:00.000Z', end: '2024-01-02T00:00:00.000Z' };

const toy = defineTask({
  type: 'toy',
  description: 'For tests.',
  summary: () => 'toy',
  params: Type.Object({
    rows: Type.Integer({ minimum: 0 }),
    wait: Type.Optional(duration('Wait', 'How long.', '5m')),
    fail: Type.Optional(Type.String()),
    size: Type.Optional(Type.Integer()),
  }),
  result: Type.Unknown(),
  connections: {},
  example: { name: 'a', type: 'toy', rows: 1 },
  run: (ctx, { rows, fail, size }) => {
    if (fail !== undefined) throw ApplicationFailure.create({ type: fail, message: `${fail} it is`, details: [rows] });
    return Promise.resolve(size === undefined ? { rows, task: ctx.task, key: ctx.idempotencyKey } : 'x'.repeat(size));
  },
});

const activities = createActivities(
  [toy],
  taskDependencies({ SLUICE_CONN_SHOP: 'postgres://reader:secret@db.example:5433/shop', SLUICE_CONN_SHOP_CA_FILE: '' }),
);

function run(input: Partial<TaskInput>): Promise<Json> {
  const environment = new MockActivityEnvironment(
    { activityId: 'a', workflowType: 'dag', workflowExecution: { workflowId: 'dag/manual/1', runId: 'r' } },
    { logger: new DefaultLogger('ERROR') },
  );
  const activity = activities.toy;
  if (!activity) throw new Error('There is no activity for toy.');
  return environment.run<[TaskInput], Json, typeof activity>(activity, { params: { rows: 1 }, interval: INTERVAL, ...input });
}

const failureOf = async (input: Partial<TaskInput>): Promise<ApplicationFailure> => {
  const error: unknown = await run(input).then(
    () => assert.fail('it did not fail'),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof ApplicationFailure, String(error));
  return error;
};

describe('an activity', () => {
  describe('retry_policy', () => {
    const rule = (on: string, action: 'retry' | 'fail', delayMs?: number): Partial<TaskInput> => ({
      params: { rows: 1, fail: 'QueryFailed' },
      retryRules: [{ on, action, ...(delayMs !== undefined && { delayMs }) }],
    });

    it('fails at once where a rule requires it, with the whole message of the failure', async () => {
      const { type, nonRetryable, message, details } = await failureOf(rule('QueryFailed', 'fail'));
      assert.deepEqual([type, nonRetryable, message, details], ['QueryFailed', true, 'QueryFailed it is', [1]]);
    });

    it('waits as long as a rule says', async () => {
      const { nonRetryable, nextRetryDelay } = await failureOf(rule('QueryFailed', 'retry', 90_000));
      assert.deepEqual([nonRetryable, nextRetryDelay], [false, 90_000]);
    });

    it('leaves failures of other types alone', async () => {
      const { nonRetryable, nextRetryDelay } = await failureOf(rule('TableNotFound', 'fail', 90_000));
      assert.deepEqual([nonRetryable ?? false, nextRetryDelay], [false, undefined]);
    });
  });

  describe('rendered parameters', () => {
    it('are held against the schema of the type', async () => {
      const { type, nonRetryable, message } = await failureOf({ params: { rows: -5 }, rendered: true });
      assert.deepEqual([type, nonRetryable], ['InvalidParameters', true]);
      assert.match(message, /rows: .*0.*Given: \{"rows":-5\}/);
    });

    it('have durations as the language writes them', async () => {
      await run({ params: { rows: 1, wait: '5m' }, rendered: true });
      assert.equal((await failureOf({ params: { rows: 1, wait: 'soon' }, rendered: true })).type, 'InvalidParameters');
    });
  });

  it('works through a batch in order, each item under its own name', async () => {
    assert.deepEqual(await run({ batch: [{ params: { rows: 3 } }, { params: { rows: 4 } }] }), [
      { rows: 3, task: 'a/0', key: 'dag/manual/1/a/0' },
      { rows: 4, task: 'a/1', key: 'dag/manual/1/a/1' },
    ]);
  });

  it('checks the items of a batch, too', async () => {
    assert.equal(
      (await failureOf({ batch: [{ params: { rows: 3 } }, { params: { rows: -4 } }], rendered: true })).type,
      'InvalidParameters',
    );
  });

  it('refuses an output that is too large for a history, where there is no store for it, and explains how to configure one', async () => {
    const { type, nonRetryable, message } = await failureOf({ params: { rows: 1, size: 70_000 } });
    assert.deepEqual([type, nonRetryable], ['OutputTooLarge', true]);
    assert.match(message, /has 70002 bytes; at most 65536 are kept.*SLUICE_OUTPUTS=s3:/);
  });

  it('holds the outputs of a batch to what they are together', async () => {
    const batch = Array.from({ length: 100 }, () => ({ params: { rows: 1, size: 20_000 } }));
    assert.match((await failureOf({ batch })).message, /at most 10000 are kept/);
  });
});

describe('connection_fields', () => {
  it('returns what is not secret', async () => {
    assert.deepEqual(await activities.connection_fields(['shop']), { shop: { host: 'db.example', port: 5433, database: 'shop' } });
  });

  it('fails for good when a connection is not defined', async () => {
    await assert.rejects(activities.connection_fields(['nobody']), { type: 'ConnectionNotDefined', nonRetryable: true });
  });
});
