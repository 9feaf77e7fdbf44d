import assert from 'node:assert/strict';
import { WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { after, before, describe, it } from 'mocha';
import { type RecommendationService, startRecommendationService } from '../../dev/demo/recommendation-service.ts';
import { connectionsFrom } from '../../connections/connections.ts';
import { getText, openS3 } from '../../lib/s3.ts';
import { groupOf } from '../../sensors/kafka/start-position.ts';
import { listRuns, startManualRun } from '../../temporal/runs/runs.ts';
import { applySensorChange } from '../../temporal/sensors/sensors.ts';
import type { Plan } from '../../workflows/plan/plan.ts';
import type { RunResult } from '../../workflows/plan/runs/run.ts';
import { dataIntervalAt } from '../../workflows/plan/timetable/schedule.ts';
import { sensorId } from '../../workflows/plan/sensor.ts';
import { eventually } from '../support/eventually.ts';
import { TestKafka } from '../support/kafka.ts';
import { createBucket } from '../support/s3-dataset.ts';
import { unique } from '../support/test-sensors.ts';
import { createTestPipeline, planOfFile, type TestPipeline } from '../support/test-pipeline.ts';
import { testStack } from '../support/test-stack.ts';

const TOPIC = 'user-behavior-metrics';
const TRIGGER = 'user_behavior_change';

interface Measured {
  readonly metrics: Readonly<Record<string, number>>;
  readonly champion: Readonly<Record<string, number>>;
}

describe('recommendation_model_retraining, as in pipelines/', function () {
  this.timeout('4m');
  let plan: Plan;
  let store: { bucket: string };
  let pipeline: TestPipeline;
  let kafka: TestKafka;
  let service: RecommendationService;
  /** What the service makes of a version that it is to load. */
  let load = (version: string): string => version;

  before(async function () {
    this.timeout('20m');
    const { environment } = await testStack(['kafka', 's3']);
    service = await startRecommendationService((version) => load(version));
    pipeline = await createTestPipeline(100, { ...environment, SLUICE_CONN_RECOMMENDATION_SERVICE: service.url });
    const s3 = openS3(connectionsFrom(environment).get('aws_default', ['aws']));
    store = { bucket: await createBucket(s3) };
    s3.destroy();
    plan = apart(planOfFile('recommendation_model_retraining.yaml'));
    kafka = await TestKafka.connect(environment);
    await kafka.createTopic(TOPIC);
    await pipeline.startWorker();
  });
  after(async () => {
    const { client, taskQueue } = pipeline;
    await applySensorChange(client, { id: sensorId(plan.dagId, TRIGGER), action: 'stop' }, taskQueue);
    await kafka.close();
    await pipeline.close();
    await service.close();
  });

  /** The pipeline as it stands, apart from all others: with a name and a store of models of its own. */
  function apart(given: Plan): Plan {
    const own = <T extends { readonly params: Plan['tasks'][number]['params'] }>(task: T): T =>
      'model' in task.params ? { ...task, params: { ...task.params, store: `s3://${store.bucket}` } } : task;
    return {
      ...given,
      dagId: `${given.dagId}_${unique()}`,
      tasks: given.tasks.map(own),
      ...(given.onFailure && { onFailure: given.onFailure.map(own) }),
    };
  }

  async function champion(): Promise<string | undefined> {
    const s3 = openS3(connectionsFrom(pipeline.environment).get('aws_default', ['aws']));
    const found = await getText(s3, { ...store, key: 'recommendations/aliases/champion.json' }, AbortSignal.timeout(5_000));
    s3.destroy();
    return found && (JSON.parse(found.text) as { version: string }).version;
  }

  /** How a run has ended, well or not. */
  async function endOf(run: string): Promise<RunResult> {
    try {
      return (await pipeline.client.workflow.getHandle(run).result()) as RunResult;
    } catch (error) {
      const cause = error instanceof WorkflowFailedError ? error.cause : undefined;
      if (!(cause instanceof ApplicationFailure)) throw error;
      return cause.details?.[0] as RunResult;
    }
  }

  async function run(id: string, given: Plan, params: Record<string, number> = {}): Promise<RunResult> {
    const { client, taskQueue } = pipeline;
    const { pipelineRunId } = await startManualRun(client, given, taskQueue, dataIntervalAt(null, Date.now()), id, params);
    return endOf(pipelineRunId);
  }

  it('trains when behaviour changes, promotes the first model, and notifies the service', async () => {
    const { client, taskQueue } = pipeline;
    await applySensorChange(client, { id: sensorId(plan.dagId, TRIGGER), action: 'start', plan, trigger: TRIGGER }, taskQueue);
    await eventually(async () => {
      const offsets = await kafka.committed(groupOf(plan.dagId, TRIGGER), TOPIC);
      assert.ok(offsets.length > 0 && offsets.every((offset) => offset !== '-1'));
    });
    // One change, told in three messages; and one that is none.
    const scores = [0.4, 0.71, 0.95, 0.8];
    await kafka.sendJson(
      TOPIC,
      scores.map((score) => ({ segment: 'all', behavior_change_score: score })),
    );
    const started = await eventually(async () => {
      const found = (await listRuns(client, 100, plan.dagId)).filter(({ cause }) => cause === 'kafka');
      assert.equal(found.length, 1);
      return found[0]?.pipelineRunId ?? '';
    });
    const { state, tasks } = await endOf(started);
    assert.equal(state, 'success', JSON.stringify(tasks, undefined, 1));
    const { version } = tasks.train?.output as { version: string };
    const { metrics } = tasks.evaluate?.output as unknown as Measured;
    // Ten of 120 at random would be 0.08 or so.
    assert.ok((metrics.ndcg_at_10 ?? 0) > 0.2, JSON.stringify(metrics));
    assert.deepEqual([await champion(), service.loaded], [version, [version]]);
  });

  it('measures the next one beside it, and takes it back when the service cannot use it', async () => {
    const first = await champion();
    // A gate that any model passes; the service says that it has loaded another.
    const lenient = {
      ...plan,
      tasks: plan.tasks.map((task) =>
        task.name === 'promote' ? { ...task, params: { ...task.params, promote_when: 'metrics.ndcg_at_10 >= 0.0' } } : task,
      ),
    };
    load = (version) => (version === first ? version : 'another');
    const { state, tasks } = await run('worse', lenient, { rank: 1 });
    load = (version) => version;
    const { metrics, champion: before } = tasks.evaluate?.output as unknown as Measured;
    // The gate as it stands in the file would have refused it.
    assert.ok((metrics.ndcg_at_10 ?? 1) < (before.ndcg_at_10 ?? 0) + 0.002, JSON.stringify({ metrics, before }));
    assert.deepEqual([state, tasks.promote?.state, tasks.verify_service?.state], ['failed', 'success', 'failed']);
    assert.deepEqual([tasks.take_back?.state, tasks.reload_last?.state, await champion()], ['success', 'success', first]);
    assert.equal(service.loaded.at(-1), first);
  });

  it('refuses an empty training set before it trains, and leaves the model in use alone', async () => {
    const first = await champion();
    await pipeline.source.rows('DELETE FROM user_events');
    const { state, tasks } = await run('empty', plan);
    assert.deepEqual(
      [state, tasks.check_events?.state, tasks.train?.state, tasks.take_back?.state],
      ['failed', 'failed', 'upstream_failed', 'skipped'],
    );
    assert.match(tasks.check_events?.error ?? '', /enough_to_learn_from: 0, and it must be/);
    assert.equal(await champion(), first);
  });
});
