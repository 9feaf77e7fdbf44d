import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { WorkflowHandle } from '@temporalio/client';
import { after, before, describe, it } from 'mocha';
import { ROOT } from '../../lib/environment.ts';
import { readEndedRun, startRerun } from '../../temporal/runs/reruns.ts';
import { startManualRun } from '../../temporal/runs/runs.ts';
import type { Plan } from '../../workflows/plan/plan.ts';
import type { RunResult } from '../../workflows/plan/runs/run.ts';
import type { JsonObject } from '../../workflows/plan/values/json.ts';
import { examplePlan } from '../support/example-plans.ts';
import { type ServiceReport, startTestService, type TestService } from '../support/recommendation-service.ts';
import { createYamlRuns, resultOf, RUN_DAY, type YamlRuns } from '../support/yaml-runs.ts';

const KINDS = ['429', '500', 'close'] as const;

describe('recommendations_on_activity of examples/integrations/, with its FastAPI service', function () {
  this.timeout('2m');
  let service: TestService;
  let runs: YamlRuns;
  let plan: Plan;

  before(async function () {
    this.timeout('20m');
    service = await startTestService('30/s');
    plan = await examplePlan('recommendations_on_activity');
    runs = await createYamlRuns({
      parts: ['temporal'],
      environment: { SLUICE_CONN_RECOMMENDATION_SERVICE: service.connection('20/s') },
    });
  });
  after(async () => {
    await runs.close();
    await service.close();
  });

  async function run(user: number): Promise<RunResult> {
    return resultOf(await start(user));
  }
  async function start(user: number): Promise<WorkflowHandle> {
    const params = { activity_id: randomUUID(), user_id: String(user), product_id: String(89_100 + user) };
    const { pipelineRunId } = await startManualRun(runs.client, plan, runs.taskQueue, RUN_DAY, randomUUID(), params);
    return runs.client.workflow.getHandle(pipelineRunId);
  }
  const bodyOf = ({ tasks }: RunResult, task: string): JsonObject => (tasks[task]?.output as { body: JsonObject }).body;
  const effectsOf = ({ effects }: ServiceReport): number[] => Object.values(effects);

  it('is compiled against the OpenAPI document that the service serves', async () => {
    const served = await (await fetch(`${service.url}/openapi.json`)).json();
    for (const file of ['services/recommendations/openapi.json', 'pipelines/apis/recommendations.json'])
      assert.deepEqual(JSON.parse(await readFile(join(ROOT, 'examples', 'integrations', file), 'utf8')), served, file);
  });

  it('loses no activity and records none twice while the service answers 429 and 500 and closes connections', async () => {
    const faults = KINDS.flatMap((kind) => (['GET', 'POST'] as const).map((method) => ({ method, path: '/users', kind, count: 4 })));
    await service.setFaults(faults);
    const results = await Promise.all(Array.from({ length: 12 }, (_, index) => run(index + 1)));
    assert.deepEqual(
      results.map(({ state, tasks }) => (state === 'success' ? state : JSON.stringify(tasks))),
      results.map(() => 'success'),
    );
    const report = await service.report();
    assert.deepEqual(
      effectsOf(report),
      results.map(() => 1),
    );
    assert.deepEqual([report.pending, report.refused], [0, 0], 'every fault happened, and the rate limit was kept');
    for (const result of results) {
      assert.equal(bodyOf(result, 'update_features').activities, 1);
      assert.equal((bodyOf(result, 'recommend').items as readonly unknown[]).length, 3);
    }
  });

  it('asks for the preferences of a user once in five minutes', async () => {
    assert.equal((await run(1_000)).state, 'success');
    assert.equal((await run(1_000)).state, 'success');
    const { received } = await service.report();
    const counts = ['GET /users/1000/preferences', 'POST /users/1000/activities', 'GET /users/1000/recommendations'];
    assert.deepEqual(
      counts.map((call) => received[call]),
      [1, 2, 2],
    );
  });

  it('fails with a clear error when the answer is garbage, without repeating the request', async () => {
    const before = effectsOf(await service.report()).length;
    await service.setFaults([{ method: 'GET', path: '/users/2000/recommendations', kind: 'garbage', count: 1 }]);
    const { state, tasks } = await run(2_000);
    assert.equal(state, 'failed');
    assert.match(tasks.recommend?.error ?? '', /answers \/users\/2000\/recommendations\?.* with what cannot be used: .*JSON/);
    const report = await service.report();
    const effects = effectsOf(report);
    assert.equal(report.received['GET /users/2000/recommendations'], 1);
    assert.deepEqual([effects.length, Math.max(...effects)], [before + 1, 1]);
  });

  it('records an activity once, also when its answer was garbage and the run is repeated', async () => {
    await service.setFaults([{ method: 'POST', path: '/users/3000/activities', kind: 'garbage', count: 1 }]);
    const failed = await start(3_000);
    assert.match((await resultOf(failed)).tasks.update_features?.error ?? '', /answers \/users\/3000\/activities with what cannot be used/);
    const run = await readEndedRun(runs.client, failed.workflowId);
    const rerun = await startRerun(runs.client, runs.taskQueue, { run, plan: run.plan, params: run.params }, Date.now());
    const repeated = await resultOf(runs.client.workflow.getHandle(rerun.pipelineRunId));
    assert.deepEqual([repeated.state, bodyOf(repeated, 'update_features').activities], ['success', 1]);
    const { received, effects } = await service.report();
    assert.deepEqual([received['POST /users/3000/activities'], Math.max(...Object.values(effects))], [2, 1]);
  });

  it('answers 429 beyond 1,000 requests a minute of a key, and says when to come back', async () => {
    const limited = await startTestService();
    try {
      const token = new URL(limited.connection()).searchParams.get('token') ?? '';
      const call = async (user: number): Promise<Response> => {
        const answer = await fetch(`${limited.url}/users/${user}/preferences`, { headers: { authorization: `Bearer ${token}` } });
        await answer.arrayBuffer();
        return answer;
      };
      const answers: Response[] = [];
      while (answers.length < 1_010) answers.push(...(await Promise.all(Array.from({ length: 10 }, (_, index) => call(index)))));
      const refused = answers.filter(({ status }) => status === 429);
      assert.deepEqual([answers.length, refused.length], [1_010, 10]);
      for (const { headers } of refused) assert.ok(Number(headers.get('retry-after')) >= 1 && Number(headers.get('retry-after')) <= 60);
      assert.equal((await fetch(`${limited.url}/users/1/preferences`)).status, 401);
    } finally {
      await limited.close();
    }
  });
});
