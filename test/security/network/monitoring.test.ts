import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { msToTs } from '@temporalio/common/lib/time.js';
import { after, before, describe, it } from 'mocha';
import { stringify } from 'yaml';
import { withHash } from '../../../compiler/resolve/emit.ts';
import { runCheckCycle } from '../../../monitors/check-cycle.ts';
import { startManualRun } from '../../../temporal/runs/runs.ts';
import { applyChange } from '../../../temporal/schedules/schedules.ts';
import { type CheckCycleResult, DEFAULT_MONITOR_SETTINGS } from '../../../workflows/plan/incidents/incident.ts';
import type { Json } from '../../../workflows/plan/values/json.ts';
import type { Plan } from '../../../workflows/plan/plan.ts';
import { SEARCH_ATTRIBUTES } from '../../../workflows/plan/runs/search-attributes.ts';
import type { SlaPlan } from '../../../workflows/plan/incidents/sla.ts';
import { compiler } from '../../support/compiler.ts';
import { eventually } from '../../support/eventually.ts';
import { noServers } from '../../support/no-facts.ts';
import { planOf, SOME_DAY, task } from '../../support/plans.ts';
import { RememberingFacts } from '../../support/remembering-facts.ts';
import { startTestWorker, type TestWorker } from '../../support/temporal-worker.ts';
import { testStack } from '../../support/test-stack.ts';

const promises = (condition: string, count = 1): SlaPlan[] =>
  Array.from({ length: count }, (_, index) => ({ name: `p${index}`, promise: { kind: 'assert', condition }, suppressWhen: [] }));

describe('who can start runs, or answer a task, stops no monitoring', function () {
  this.timeout('2m');
  let worker: TestWorker;
  let facts: RememberingFacts;
  const activities = {
    fail: () => Promise.reject(new Error('the reason')),
    nested: async (): Promise<Json> => {
      let value: Json = 1;
      for (let depth = 0; depth < 3_000; depth++) value = [value];
      return { deep: value };
    },
    large: async (): Promise<Json> => Array.from({ length: 6_000 }, (_, index) => index),
  };

  before(async function () {
    this.timeout('15m');
    const { environment } = await testStack(['temporal']);
    worker = await startTestWorker(environment, activities);
    facts = new RememberingFacts(worker.client, worker.taskQueue, environment);
  });
  after(() => worker.close());

  async function apply(name: string, type: string, slas: readonly SlaPlan[] = []): Promise<Plan> {
    const dagId = `${name}_${randomUUID().slice(0, 8)}`;
    const alerts = { pagerduty: { connection: 'pagerduty_default' } };
    const schedule = { kind: 'cron', cron: '0 0 1 1 *', timezone: 'UTC' } as const;
    const plan = withHash(planOf(dagId, [task('a', type)], { alerts, schedule, slas }));
    await applyChange(worker.client, { dagId, action: 'create', detail: '', plan }, worker.taskQueue);
    return plan;
  }

  async function runToEnd(plan: Plan): Promise<void> {
    const { pipelineRunId } = await startManualRun(worker.client, plan, worker.taskQueue, SOME_DAY, 'x');
    await worker.client.workflow
      .getHandle(pipelineRunId)
      .result()
      .catch(() => undefined);
  }

  /** A workflow of somebody else that looks like a run: with our search attributes, and whatever input and memo. */
  async function startForeign(dagId: string, data: string | undefined, memo?: { encoding: string; data: string }): Promise<string> {
    const workflowId = `foreign-${randomUUID()}`;
    const text = (value: string): Uint8Array => Buffer.from(value);
    const keyword = { encoding: text('json/plain'), type: text('Keyword') };
    const { pipeline, cause, planHash } = SEARCH_ATTRIBUTES;
    const attributes = { [pipeline.name]: dagId, [cause.name]: 'manual', [planHash.name]: 'f'.repeat(64) };
    await worker.client.workflowService.startWorkflowExecution({
      namespace: 'default',
      requestId: randomUUID(),
      workflowId,
      workflowType: { name: dagId },
      taskQueue: { name: worker.taskQueue },
      // Monitors see it, and no worker starts it.
      workflowStartDelay: msToTs('1h'),
      ...(data !== undefined && { input: { payloads: [{ metadata: { encoding: text('json/plain') }, data: text(data) }] } }),
      ...(memo && { memo: { fields: { upTo: { metadata: { encoding: text(memo.encoding) }, data: text(memo.data) } } } }),
      searchAttributes: {
        indexedFields: Object.fromEntries(
          Object.entries(attributes).map(([name, value]) => [name, { metadata: keyword, data: text(JSON.stringify(value)) }]),
        ),
      },
    });
    return workflowId;
  }

  it('all others are checked, and each is reported', async () => {
    const victim = await apply('victim', 'fail');
    const nested = await apply('nested', 'nested', promises('outputs.a.deep == 1'));
    const slow = await apply('slow', 'large', promises('outputs.a.all(x, outputs.a.exists(y, y == x))', 900));
    const greedy = await apply('greedy', 'nested', promises('outputs.a.deep == 1', 18_000));
    for (const plan of [victim, nested, slow]) await runToEnd(plan);
    const inputs = [
      undefined,
      'null',
      '"text"',
      'no JSON',
      '{}',
      '{"plan":null}',
      '{"plan":{"dagId":"x","tasks":5}}',
      '{"plan":{"dagId":"x","tasks":[null]}}',
    ];
    const deep = `${'['.repeat(5_000)}${']'.repeat(5_000)}`;
    const foreign = [
      ...(await Promise.all([...inputs, deep].map((data) => startForeign(victim.dagId, data)))),
      await startForeign(victim.dagId, '{}', { encoding: 'json/plain', data: 'no JSON' }),
      await startForeign(victim.dagId, '{}', { encoding: 'binary/unknown', data: 'x' }),
      await startForeign(victim.dagId, '{}', { encoding: 'binary/encrypted', data: 'x' }),
    ];
    await eventually(async () => {
      const { count } = await worker.client.workflow.count(`${SEARCH_ATTRIBUTES.pipeline.name} = "${victim.dagId}"`);
      assert.equal(count, foreign.length + 1);
    });
    let seen: CheckCycleResult | undefined;
    const began = performance.now();
    await eventually(async () => {
      facts.told.length = 0;
      seen = await runCheckCycle(
        { taskQueue: worker.taskQueue, settings: DEFAULT_MONITOR_SETTINGS, memory: { open: {}, since: {} }, now: new Date().toISOString() },
        facts,
        noServers,
      );
      assert.ok(facts.told.includes(`breach ${victim.dagId}/failed/${SOME_DAY.start}`), facts.told.join('\n'));
    });
    assert.ok(performance.now() - began < 20_000);
    const report = seen?.report.join('\n') ?? '';
    assert.match(report, new RegExp(`\\? ${greedy.dagId} cannot be checked: .*18,000 SLAs`));
    assert.doesNotMatch(report, new RegExp(`\\? ${victim.dagId} cannot be checked`));
    assert.ok(
      facts.told.some((line) => line.startsWith(`breach ${nested.dagId}/`)),
      facts.told.join('\n'),
    );
    assert.match(report, new RegExp(`\\? ${slow.dagId} cannot be checked: .*it has 900 problems at once; only 200 are reported`));
    assert.ok(Object.keys(seen?.memory.open ?? {}).length < 500);
    await Promise.all(foreign.map((id) => worker.client.workflow.getHandle(id).terminate()));
    for (const { dagId } of [victim, nested, slow, greedy]) await worker.client.schedule.getHandle(dagId).delete();
  });

  it('a file may have a thousand SLAs, and has a mistake where it has more', () => {
    const sla = Array.from({ length: 18_000 }, (_, index) => ({ name: `p${index}`, within: '1h' }));
    const text = stringify({ dag_id: 'greedy', sla, tasks: [{ name: 'a', type: 'empty' }] });
    const began = performance.now();
    const { plan, diagnostics } = compiler.compile({ file: 'greedy.yaml', text });
    assert.equal(plan, undefined);
    assert.match(diagnostics.map(({ message }) => message).join(), /18,000 SLAs with those of its tasks; at most 1,000 are allowed/);
    assert.ok(performance.now() - began < 10_000);
  });
});
