import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { ConfirmChannel } from 'amqplib';
import { after, before, describe, it } from 'mocha';
import { connectionsFrom } from '../../../connections/connections.ts';
import { openRabbitMQ } from '../../../lib/rabbitmq.ts';
import { pauseSensor, resumeSensor } from '../../../temporal/sensors/sensors.ts';
import type { Plan } from '../../../workflows/plan/plan.ts';
import { eventually } from '../../support/eventually.ts';
import { httpFront, type HttpFront } from '../../support/http-front.ts';
import { TestKafka } from '../../support/kafka.ts';
import { type TestSensors, unique } from '../../support/test-sensors.ts';
import { testStack } from '../../support/test-stack.ts';
import { compileYaml } from '../../support/compile-yaml.ts';
import { startYamlSensors } from '../../support/yaml-sensors.ts';

const OPERATOR = { by: 'ann' };
/** A run that holds an event of this size so often is larger than Temporal takes; noise, which no compression makes smaller. */
const LARGE = randomBytes(180_000).toString('base64');
const MANY_TIMES = `params: {${[...'abcdefghijklm'].map((name) => `${name}: "{{ event.text }}"`).join(', ')}}`;
const PARAMS = `params: {${[...'abcdefghijklm'].map((name) => `${name}: ""`).join(', ')}}`;

describe('events for which Temporal starts no run, and ids of any length', function () {
  this.timeout('1m');
  let sensors: TestSensors;
  let kafka: TestKafka;
  let channel: ConfirmChannel;
  let front: HttpFront;
  let close: () => Promise<void>;
  /** What the stand-in of S3 lists. */
  let objects: { readonly key: string; readonly modified: string }[] = [];

  before(async function () {
    this.timeout('15m');
    const { environment } = await testStack(['temporal', 'kafka', 'rabbitmq']);
    front = await httpFront('http://127.0.0.1:1');
    front.rule = () => ({ status: 200, body: listing(objects), headers: { 'content-type': 'application/xml' } });
    sensors = await startYamlSensors({
      ...environment,
      SLUICE_CONN_AWS_DEFAULT: `aws://key:secret@/?endpoint_url=http%3A%2F%2F127.0.0.1%3A${front.port}&region_name=us-east-1`,
    });
    kafka = await TestKafka.connect(environment);
    const rabbit = await openRabbitMQ(connectionsFrom(environment).get('rabbitmq_default', ['rabbitmq']), 'test');
    channel = await rabbit.createConfirmChannel();
    close = () => rabbit.close();
  });
  after(async () => {
    await sensors.close();
    await kafka.close();
    await close();
    front.close();
  });

  async function watching(trigger: string, dagId = `hr_refused_${unique()}`, params = ''): Promise<Plan> {
    const plan = compileYaml(`
dag_id: ${dagId}
triggers: [{name: t, ${trigger}}]
${params}
tasks: [{name: a, type: empty}]
`);
    await sensors.apply(plan);
    await eventually(async () => assert.equal((await sensors.stateOf(plan)).reports.length, 1), 20_000);
    return plan;
  }

  it('Kafka: an event whose run Temporal refuses is invalid, and the one behind it starts its run', async () => {
    const topic = `hr-refused-${unique()}`;
    await kafka.createTopic(topic);
    const plan = await watching(`type: kafka, topic: ${topic}, start: earliest, on_invalid: skip, ${MANY_TIMES}`, undefined, PARAMS);
    await kafka.sendJson(topic, [{ text: LARGE }, { text: 'good' }]);
    await sensors.runsOf(plan, 1);
  });

  it('RabbitMQ: the same, and it is dead-lettered', async () => {
    const queue = `hr-refused-${unique()}`;
    await channel.assertQueue(queue, { durable: true });
    const plan = await watching(`type: rabbitmq, queue: ${queue}, ${MANY_TIMES}`, undefined, PARAMS);
    for (const text of [LARGE, 'good']) channel.sendToQueue(queue, Buffer.from(JSON.stringify({ text })), { messageId: unique() });
    await sensors.runsOf(plan, 1);
    // As the sensor makes it, which may not have come to it yet.
    const letters = await channel.assertQueue(`sluice.dead-letters.${plan.dagId}.t`, { durable: true });
    await eventually(async () => {
      const letter = await channel.get(letters.queue, { noAck: true });
      assert.ok(letter !== false && JSON.stringify(letter.properties.headers).includes('Temporal refuses'), JSON.stringify(letter));
    });
  });

  it('an object with a time in the future hides no later ones, also after a restart, and starts one run at most', async () => {
    const [now, year] = [new Date().toISOString(), new Date().getUTCFullYear()];
    objects = [];
    const plan = await watching('type: s3, bucket: b, poke_interval: 100ms');
    const soon = new Date(Date.now() + 3_600_000).toISOString();
    objects = [
      { key: 'far', modified: `${year + 20}-01-01T00:00:00.000Z` },
      { key: 'soon', modified: soon },
    ];
    await sensors.runsOf(plan, 1);
    for (const key of ['first', 'second']) {
      await pauseSensor(sensors.worker.client, sensors.idOf(plan), OPERATOR);
      await resumeSensor(sensors.worker.client, sensors.idOf(plan), OPERATOR);
      objects = [...objects, { key, modified: now }];
      await sensors.runsOf(plan, key === 'first' ? 2 : 3);
    }
    const keys = (await sensors.idsOf(plan, 3)).map((id) => id.split('@')[0]).sort();
    assert.deepEqual(keys, ['first', 'second', 'soon']);
    await sensors.stop(plan);
  });

  it('keys of up to 1,024 bytes start a run each, whose ids have at most 255 bytes and begin as the keys do', async () => {
    objects = [];
    const plan = await watching('type: s3, bucket: b, poke_interval: 100ms', `k${unique()}${'k'.repeat(100)}`);
    const modified = new Date().toISOString();
    const keys = [
      'ä'.repeat(511),
      `${'ä'.repeat(510)}ö`,
      '日'.repeat(297),
      `${'日'.repeat(296)}本`,
      'a'.repeat(1_024),
      `${'a'.repeat(1_023)}b`,
    ];
    objects = keys.map((key) => ({ key, modified }));
    const runs = await sensors.runsOf(plan, keys.length);
    for (const { pipelineRunId } of runs) assert.ok(Buffer.byteLength(pipelineRunId) <= 255, pipelineRunId);
    assert.equal(runs.filter(({ pipelineRunId }) => pipelineRunId.startsWith(`${plan.dagId}/s3/~~aaaa`)).length, 2);
    await sensors.stop(plan);
  });
});

function listing(objects: readonly { readonly key: string; readonly modified: string }[]): string {
  const contents = objects.map(
    ({ key, modified }) =>
      `<Contents><Key>${key}</Key><LastModified>${modified}</LastModified><ETag>"0123456789"</ETag><Size>1</Size></Contents>`,
  );
  return `<?xml version="1.0"?><ListBucketResult><IsTruncated>false</IsTruncated>${contents.join('')}</ListBucketResult>`;
}
