import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import type { Plan } from '../../../workflows/plan/plan.ts';
import { listRuns } from '../../../temporal/runs/runs.ts';
import { compiler } from '../../support/compiler.ts';
import { createBucket, type TestBucket } from '../../support/buckets.ts';
import { createDatabase, type TestDatabase } from '../../support/databases.ts';
import { eventually } from '../../support/eventually.ts';
import { TestKafka } from '../../support/kafka.ts';
import { type TestSensors, unique } from '../../support/test-sensors.ts';
import { testStack } from '../../support/test-stack.ts';
import { startYamlSensors } from '../../support/yaml-sensors.ts';

describe('pipelines that start each other, or themselves, by places whose names are in no file', function () {
  this.timeout('2m');
  let sensors: TestSensors;
  let kafka: TestKafka;
  let bucket: TestBucket;
  let source: TestDatabase;

  before(async function () {
    this.timeout('15m');
    const { environment } = await testStack(['temporal', 'kafka', 'postgres', 's3']);
    bucket = await createBucket();
    source = await createDatabase();
    await source.rows('CREATE TABLE t AS SELECT 1 AS id');
    sensors = await startYamlSensors({
      ...environment,
      SLUICE_CONN_AWS_DEFAULT: bucket.url,
      SLUICE_CONN_POSTGRES_DEFAULT: source.url,
    });
    kafka = await TestKafka.connect(environment);
  });
  after(async () => {
    await sensors.close();
    await kafka.close();
    await Promise.all([bucket.drop(), source.drop()]);
  });

  /** Applies pipelines in which `validate` finds no circle that must go on. @returns their plans */
  async function apply(files: readonly string[]): Promise<Plan[]> {
    const compiled = files.map((text, index) => compiler.compile({ file: `${index}.yaml`, text }));
    for (const { diagnostics } of compiled)
      assert.deepEqual(
        diagnostics.filter(({ severity }) => severity === 'error'),
        [],
      );
    const plans = compiled.flatMap(({ plan }) => plan ?? []);
    for (const plan of plans) {
      await sensors.apply(plan);
      await eventually(async () => assert.equal((await sensors.stateOf(plan)).reports.length, 1), 20_000);
    }
    return plans;
  }

  /** Waits until one of the sensors has stopped. @returns why, and how many runs its pipeline has */
  async function stoppedOne(plans: readonly Plan[]): Promise<{ why: string; runs: number }> {
    return eventually(async () => {
      const states = await Promise.all(plans.map((plan) => sensors.stateOf(plan)));
      const at = states.findIndex(({ state }) => state === 'stopped');
      assert.notEqual(at, -1, JSON.stringify(states));
      const runs = await listRuns(sensors.worker.client, 1000, plans[at]?.dagId);
      return { why: states[at]?.why ?? '', runs: runs.length };
    }, 60_000);
  }

  it('two by topics', async () => {
    const topics = [`hm-storm-${unique()}`, `hm-storm-${unique()}`];
    for (const topic of topics) await kafka.createTopic(topic);
    const [one = '', two = ''] = topics;
    const file = (from: string, to: string): string => `
dag_id: hm_storm_${unique()}
triggers: [{name: t, type: kafka, topic: ${from}, start: earliest, params: {to: "{{ event.to }}", back: "{{ event.back }}"}}]
params: {to: ${to}, back: ${from}}
tasks: [{name: tell, type: kafka_publish, topic: "{{ params.to }}", value: {to: "{{ params.back }}", back: "{{ params.to }}"}}]
`;
    const plans = await apply([file(one, two), file(two, one)]);
    await kafka.sendJson(one, [{ to: two, back: one }]);
    const { why, runs } = await stoppedOne(plans);
    const [a, b] = plans.map(({ dagId }) => dagId);
    assert.ok(
      why.startsWith(`The pipeline starts itself through '${a}'`) || why.startsWith(`The pipeline starts itself through '${b}'`),
      why,
    );
    assert.ok(runs >= 10 && runs < 60, String(runs));
  });

  it('one by objects', async () => {
    const file = (dagId: string, from: string, to: string): string => `
dag_id: ${dagId}
triggers: [{name: t, type: s3, bucket: ${bucket.name}, prefix: ${from}/, pattern: "*/manifest.json", poke_interval: 200ms}]
params: {to: ${to}}
tasks: [{name: copy, type: postgres_to_s3, source_table: t, s3_bucket: ${bucket.name}, s3_key: "{{ params.to }}/{{ run_id }}/"}]
`;
    const [alone] = await apply([file(`hm_storm_self_${unique()}`, 'x', 'x')]);
    assert.ok(alone);
    await bucket.put('x/manifest.json', '{}');
    assert.match((await stoppedOne([alone])).why, /^The pipeline starts itself: /);
  });
});
