import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { Client, WorkflowExecutionInfo } from '@temporalio/client';
import { after, before, describe, it } from 'mocha';
import { withHash } from '../../compiler/resolve/emit.ts';
import { runCheckCycle } from '../../monitors/check-cycle.ts';
import { TemporalFacts } from '../../temporal/monitors/monitor-facts.ts';
import { runStart } from '../../temporal/runs/run-start.ts';
import { applyChange } from '../../temporal/schedules/schedules.ts';
import { DEFAULT_MONITOR_SETTINGS } from '../../workflows/plan/incidents/incident.ts';
import type { Plan } from '../../workflows/plan/plan.ts';
import { SEARCH_ATTRIBUTES } from '../../workflows/plan/runs/search-attributes.ts';
import { eventually } from '../support/eventually.ts';
import { noServers } from '../support/no-facts.ts';
import { planOf, SOME_DAY, task } from '../support/plans.ts';
import { RememberingFacts } from '../support/remembering-facts.ts';
import { startTestWorker, type TestWorker } from '../support/temporal-worker.ts';
import { testStack } from '../support/test-stack.ts';
import { toyActivities } from '../support/toy-activities.ts';

const DAY = 86_400_000;

/** A client whose lists say of each run for ever what they say of one that was listed the moment it was started. */
function withLaggingLists(client: Client): Client {
  const list = async function* (options: Parameters<Client['workflow']['list']>[0]): AsyncGenerator<WorkflowExecutionInfo> {
    for await (const info of client.workflow.list(options)) yield { ...info, historyLength: 2 };
  };
  const workflow = Object.create(client.workflow, { list: { value: list } });
  return Object.create(client, { workflow: { value: workflow } }) as Client;
}

describe('what monitors see of a deployment', function () {
  this.timeout('1m');
  let environment: Record<string, string>;
  let worker: TestWorker;

  before(async function () {
    this.timeout('15m');
    ({ environment } = await testStack(['temporal']));
    worker = await startTestWorker(environment, toyActivities);
  });
  after(() => worker.close());

  /** A run of a pipeline of its own that pages. @param startDelay no worker starts it before */
  async function startRun(type: string, more: Partial<Plan> = {}, startDelay?: '1h'): Promise<string> {
    const dagId = `seen_${randomUUID().slice(0, 8)}`;
    const plan = withHash(
      planOf(dagId, [task('a', type)], {
        alerts: { pagerduty: { connection: 'pagerduty_default' } },
        schedule: { kind: 'cron', cron: '0 0 1 1 *', timezone: 'UTC' },
        ...more,
      }),
    );
    await applyChange(worker.client, { dagId, action: 'create', detail: '', plan }, worker.taskQueue);
    const facts = runStart(plan, 'manual', worker.taskQueue, { interval: SOME_DAY });
    await worker.client.workflow.start(dagId, { workflowId: `${dagId}/manual/x`, ...facts, ...(startDelay && { startDelay }) });
    return dagId;
  }

  it('pages for no run that has started, even if lists lag far behind, and for those that no worker has started', async () => {
    const { client, taskQueue } = worker;
    const [begun, waiting] = [await startRun('hang'), await startRun('hang', {}, '1h')];
    await eventually(async () => {
      assert.ok((await client.workflow.getHandle(`${begun}/manual/x`).describe()).historyLength > 2);
      const query = `${SEARCH_ATTRIBUTES.pipeline.name} IN ("${begun}", "${waiting}")`;
      const listed: string[] = [];
      for await (const { workflowId } of client.workflow.list({ query })) listed.push(workflowId);
      assert.equal(listed.length, 2);
    });
    const facts = new RememberingFacts(withLaggingLists(client), taskQueue, environment);
    const now = new Date(Date.now() + DEFAULT_MONITOR_SETTINGS.neverStartedMs + 30_000).toISOString();
    await runCheckCycle({ taskQueue, settings: DEFAULT_MONITOR_SETTINGS, memory: { open: {}, since: {} }, now }, facts, noServers);
    assert.deepEqual(facts.told, [`breach ${waiting}/never_started/${SOME_DAY.start}`]);
    for (const dagId of [begun, waiting]) await client.workflow.getHandle(`${dagId}/manual/x`).terminate();
  });

  it('knows a run that has ended while an SLA of its interval is open', async () => {
    const { client, taskQueue } = worker;
    const promise = { kind: 'within', ms: 7 * DAY, reference: 'data_interval_end' } as const;
    const weekly = await startRun('ok', { slas: [{ name: 'in_a_week', promise, suppressWhen: [] }] });
    const daily = await startRun('ok');
    const facts = (): TemporalFacts => new TemporalFacts(client, taskQueue, environment);
    const known = async (by: TemporalFacts, afterMs: number): Promise<string[]> =>
      (await by.pipelines(Date.now() + afterMs, [])).found.flatMap(({ plan: { dagId }, runs }) =>
        [weekly, daily].includes(dagId) && runs.some(({ state }) => state === 'success') ? [dagId] : [],
      );
    const watching = facts();
    await eventually(async () => assert.deepEqual(new Set(await known(watching, 0)), new Set([weekly, daily])));
    assert.deepEqual(await known(watching, 6 * DAY), [weekly]);
    assert.deepEqual(await known(facts(), 6 * DAY), [weekly]);
    assert.deepEqual(await known(watching, 10 * DAY), []);
  });
});
