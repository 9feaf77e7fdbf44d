import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { setOffsets } from '../../../lib/kafka/set-offsets.ts';
import { deadLetterTopic } from '../../../sensors/kafka/dead-letters.ts';
import { groupOf } from '../../../sensors/kafka/start-position.ts';
import { pauseSensor, resetSensor, resumeSensor } from '../../../temporal/sensors/sensors.ts';
import type { Plan } from '../../../workflows/plan/plan.ts';
import { eventually } from '../../support/eventually.ts';
import { TestKafka } from '../../support/kafka.ts';
import { type TestSensors, unique } from '../../support/test-sensors.ts';
import { testStack } from '../../support/test-stack.ts';
import { compileYaml } from '../../support/compile-yaml.ts';
import { startYamlSensors } from '../../support/yaml-sensors.ts';

const OPERATOR = { by: 'ann' };

describe('Kafka topics that change', function () {
  this.timeout('2m');
  let sensors: TestSensors;
  let kafka: TestKafka;

  before(async function () {
    this.timeout('15m');
    const { environment } = await testStack(['temporal', 'kafka']);
    sensors = await startYamlSensors(environment);
    kafka = await TestKafka.connect(environment);
  });
  after(async () => {
    await kafka.close();
    await sensors.close();
  });

  async function listening(partitions = 1, more = ''): Promise<{ plan: Plan; topic: string; group: string }> {
    const topic = `hr-topic-${unique()}`;
    await kafka.createTopic(topic, partitions);
    const plan = compileYaml(`
dag_id: hr_topic_${unique()}
triggers:
  - {name: ev, type: kafka, topic: ${topic}, start: earliest, when: event.n > 0${more}}
tasks: [{name: t, type: empty}]
`);
    await sensors.apply(plan);
    return { plan, topic, group: groupOf(plan.dagId, 'ev') };
  }

  async function deleteTopic(topic: string): Promise<void> {
    await kafka.admin.deleteTopics({ topics: [topic] });
    await eventually(async () => assert.ok(!(await kafka.admin.listTopics()).includes(topic)), 20_000);
  }

  async function recreate(topic: string): Promise<void> {
    await deleteTopic(topic);
    await kafka.createTopic(topic);
  }

  const send = (topic: string, ...numbers: number[]): Promise<void> =>
    kafka.sendJson(
      topic,
      numbers.map((n) => ({ n })),
    );

  const pause = (plan: Plan): Promise<unknown> => pauseSensor(sensors.worker.client, sensors.idOf(plan), OPERATOR);
  const resume = (plan: Plan): Promise<unknown> => resumeSensor(sensors.worker.client, sensors.idOf(plan), OPERATOR);

  /** What the events of all runs hold. */
  async function eventsOf(plan: Plan, count: number): Promise<number[]> {
    const runs = await sensors.runsOf(plan, count);
    const inputs = await Promise.all(runs.map(({ pipelineRunId }) => sensors.inputOf(pipelineRunId)));
    return inputs.map(({ event }) => (event?.value as { n: number }).n).sort((a, b) => a - b);
  }

  it('a topic that was created again while the sensor runs is read from its first record', async () => {
    const { plan, topic } = await listening();
    await send(topic, 1, 2, 3);
    assert.deepEqual(
      await sensors.idsOf(plan, 3),
      [0, 1, 2].map((offset) => `${topic}-0-${offset}`),
    );
    await recreate(topic);
    await send(topic, 4, 5, 6);
    assert.deepEqual(await eventsOf(plan, 6), [1, 2, 3, 4, 5, 6]);
    await send(topic, 7);
    assert.deepEqual(await eventsOf(plan, 7), [1, 2, 3, 4, 5, 6, 7]);
    await sensors.stop(plan);
  });

  it('it has more records than the old one when the sensor asks for the next', async () => {
    const { plan, topic } = await listening();
    await send(topic, 1, 2);
    await sensors.runsOf(plan, 2);
    await recreate(topic);
    await send(topic, 3, 4, 5, 6, 7);
    assert.deepEqual(await eventsOf(plan, 7), [1, 2, 3, 4, 5, 6, 7]);
    await sensors.stop(plan);
  });

  for (const [name, numbers] of [
    ['fewer', [4, 5]],
    ['as many', [4, 5, 6]],
    ['more', [4, 5, 6, 7, 8]],
  ] as const) {
    it(`a topic that was created again while the sensor was down: it has ${name} records`, async () => {
      const { plan, topic } = await listening();
      await send(topic, 1, 2, 3);
      await sensors.runsOf(plan, 3);
      await pause(plan);
      await recreate(topic);
      await send(topic, ...numbers);
      await resume(plan);
      assert.deepEqual(await eventsOf(plan, 3 + numbers.length), [1, 2, 3, ...numbers]);
      // A restart starts none of them twice.
      await pause(plan);
      await resume(plan);
      await resetSensor(sensors.worker.client, sensors.idOf(plan), { ...OPERATOR, to: 'earliest' });
      await send(topic, 99);
      assert.deepEqual(await eventsOf(plan, 4 + numbers.length), [1, 2, 3, ...numbers, 99]);
      await sensors.stop(plan);
    });
  }

  it('a topic that was created again, and reset by hand before the sensor has seen it', async () => {
    const { plan, topic } = await listening();
    await send(topic, 1, 2);
    await sensors.runsOf(plan, 2);
    await pause(plan);
    await recreate(topic);
    await send(topic, 3, 4);
    await resetSensor(sensors.worker.client, sensors.idOf(plan), { ...OPERATOR, to: 'earliest' });
    await resume(plan);
    assert.deepEqual(await eventsOf(plan, 4), [1, 2, 3, 4]);
    await sensors.stop(plan);
  });

  it('a sensor that was removed with its topic, and both made again', async () => {
    const { plan, topic } = await listening();
    await send(topic, 1, 2);
    await sensors.runsOf(plan, 2);
    await sensors.stop(plan);
    await assert.rejects(sensors.worker.client.workflow.getHandle(sensors.idOf(plan)).result(), /cancel/i);
    await recreate(topic);
    await send(topic, 3, 4);
    await sensors.apply(plan);
    assert.deepEqual(await eventsOf(plan, 4), [1, 2, 3, 4]);
    await sensors.stop(plan);
  });

  it('offsets that an older release has committed stay valid, with the ids of its runs', async () => {
    const { plan, topic, group } = await listening();
    await send(topic, 1, 2);
    await sensors.runsOf(plan, 2);
    await pause(plan);
    // Its offsets have no metadata, and the second record is in flight.
    await setOffsets(kafka.kafka, group, topic, [{ partition: 0, offset: '1' }]);
    await send(topic, 3);
    await resume(plan);
    assert.deepEqual(
      await sensors.idsOf(plan, 3),
      [0, 1, 2].map((offset) => `${topic}-0-${offset}`),
    );
    await recreate(topic);
    await send(topic, 4);
    assert.deepEqual(await eventsOf(plan, 4), [1, 2, 3, 4]);
    await sensors.stop(plan);
  });

  it('dead letters and batches of a topic that was created again are others', async () => {
    const { plan, topic } = await listening(1, ', mode: {batch: {max_records: 2, within: 1s}}');
    const messages = ['{"n": 1}', '{"n": 2}', 'x'].map((value) => ({ value }));
    await kafka.send(topic, messages);
    await sensors.runsOf(plan, 1);
    await recreate(topic);
    await kafka.send(topic, messages);
    await sensors.runsOf(plan, 2);
    await eventually(async () => {
      const [{ high = '0' } = {}] = await kafka.admin.fetchTopicOffsets(deadLetterTopic(plan.dagId, 'ev'));
      // Each is followed by the mark of its transaction.
      assert.equal(high, '4');
    }, 30_000);
    await sensors.stop(plan);
  });

  it('partitions that are added are read within 30 s', async () => {
    const { plan, topic } = await listening(1);
    await send(topic, 1);
    await sensors.runsOf(plan, 1);
    await kafka.admin.createPartitions({ topicPartitions: [{ topic, count: 3 }] });
    const began = Date.now();
    await eventually(async () => assert.equal((await kafka.admin.fetchTopicOffsets(topic)).length, 3), 20_000);
    for (const partition of [1, 2]) await kafka.send(topic, [{ partition, value: `{"n": ${partition + 1}}` }]);
    assert.deepEqual(await eventsOf(plan, 3), [1, 2, 3]);
    assert.ok(Date.now() - began < 30_000);
    await eventually(async () => assert.equal((await sensors.stateOf(plan)).reports[0]?.problem, undefined), 30_000);
    await sensors.stop(plan);
  });
});
