import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import type { ChannelModel, ConfirmChannel, GetMessage, Options } from 'amqplib';
import { connectionsFrom } from '../../../connections/connections.ts';
import { openRabbitMQ, type RabbitMQConnection } from '../../../lib/rabbitmq.ts';
import { pauseSensor, resumeSensor } from '../../../temporal/sensors/sensors.ts';
import type { Plan } from '../../../workflows/plan/plan.ts';
import { eventually } from '../../support/eventually.ts';
import { type TestSensors, unique } from '../../support/test-sensors.ts';
import { testStack } from '../../support/test-stack.ts';
import { compileYaml } from '../../support/compile-yaml.ts';
import { startYamlSensors } from '../../support/yaml-sensors.ts';

const OPERATOR = { by: 'ann' };
const GOOD = '{"n": 1}';

describe('messages of RabbitMQ, with any properties', function () {
  this.timeout('1m');
  let sensors: TestSensors;
  let address: RabbitMQConnection;
  let connection: ChannelModel;
  let channel: ConfirmChannel;

  before(async function () {
    this.timeout('15m');
    const { environment } = await testStack(['temporal', 'rabbitmq']);
    sensors = await startYamlSensors(environment);
    address = connectionsFrom(environment).get('rabbitmq_default', ['rabbitmq']);
    connection = await openRabbitMQ(address, 'test');
    channel = await connection.createConfirmChannel();
  });
  after(async () => {
    await sensors.close();
    await connection.close();
  });

  async function listening(more = ''): Promise<{ plan: Plan; queue: string }> {
    const queue = `hr-${unique()}`;
    await channel.assertQueue(queue, { durable: true });
    const plan = compileYaml(`
dag_id: hr_rabbit_${unique()}
triggers:
  - {name: m, type: rabbitmq, queue: ${queue}, when: "event.n > 0"${more}}
tasks: [{name: t, type: empty}]
`);
    return { plan, queue };
  }

  async function send(queue: string, body: string, properties: Options.Publish = {}): Promise<void> {
    channel.sendToQueue(queue, Buffer.from(body), { persistent: true, ...properties });
    await channel.waitForConfirms();
  }

  const isEmpty = (queue: string): Promise<void> =>
    eventually(async () => assert.equal((await channel.checkQueue(queue)).messageCount, 0), 20_000);

  const lettersOf = (plan: Plan): string => `sluice.dead-letters.${plan.dagId}.m`;

  async function letterOf(plan: Plan): Promise<GetMessage> {
    return eventually(async () => {
      await channel.assertQueue(lettersOf(plan), { durable: true });
      const letter = await channel.get(lettersOf(plan), { noAck: true });
      assert.ok(letter);
      return letter;
    }, 20_000);
  }

  for (const [name, body, properties, reason] of [
    ['a timestamp in microseconds', GOOD, { timestamp: 1_790_000_000_000_000 }, /'timestamp' is 1790000000000000.*seconds/],
    ['a timestamp in milliseconds', GOOD, { timestamp: 1_790_000_000_000 }, /'timestamp' is 1790000000000.*seconds/],
    ['the largest timestamp', GOOD, { timestamp: 18_446_744_073_709_550_000 }, /seconds/],
    ['an expiration', 'x', { expiration: '60000' }, /not JSON/],
    ['copies to other queues', 'x', { headers: { CC: ['elsewhere'], BCC: ['elsewhere'] } }, /not JSON/],
    ['headers that do not fit twice', 'x', { headers: { large: 'x'.repeat(60_000) } }, /not JSON/],
    [
      'every type of header',
      'x',
      { headers: { raw: Buffer.from('x'), list: [1, { a: null }], when: { '!': 'timestamp', value: 1 } } },
      /not JSON/,
    ],
    ['a price that is not a number', '{"n": {}}', { priority: 9, replyTo: 'somewhere' }, /./],
  ] as const satisfies readonly (readonly [string, string, Options.Publish, RegExp])[]) {
    it(`a message that cannot be handled is dead-lettered, and the one behind it starts one run: ${name}`, async () => {
      const { plan, queue } = await listening();
      await channel.assertQueue('elsewhere', { durable: true });
      await send(queue, body, properties);
      await send(queue, GOOD);
      await channel.purgeQueue('elsewhere');
      await sensors.apply(plan);
      const letter = await letterOf(plan);
      assert.equal(letter.content.toString(), body);
      assert.match(String(letter.properties.headers?.['sluice-reason']), reason);
      assert.equal(letter.properties.expiration, undefined);
      assert.equal((await channel.checkQueue('elsewhere')).messageCount, 0);
      await isEmpty(queue);
      const [run] = await sensors.runsOf(plan, 1);
      assert.ok(run);
      const [report] = (
        await eventually(async () => {
          const state = await sensors.stateOf(plan);
          assert.equal(state.reports[0]?.counts.events, 2);
          return state;
        }, 30_000)
      ).reports;
      assert.deepEqual([report?.counts.invalid, report?.counts.started, report?.problem], [1, 1, undefined]);
      await sensors.stop(plan);
    });
  }

  it('a foreign user_id is dead-lettered with the property as text', async () => {
    const { plan, queue } = await listening();
    // The server checks user_id against the connection: a message of another user comes through a shovel or a federation. This sets what is
    // there then, by a user who may impersonate.
    await send(queue, 'x', { userId: address.user });
    await sensors.apply(plan);
    const letter = await letterOf(plan);
    assert.equal(letter.properties.userId, undefined);
    assert.match(String(letter.properties.headers?.['sluice-properties']), new RegExp(`"userId":"${address.user}"`));
    await sensors.stop(plan);
  });

  it('on_invalid: skip drops it, stop stops the sensor with the reason; the message stays', async () => {
    const skipping = await listening(', on_invalid: skip');
    await send(skipping.queue, GOOD, { timestamp: 1_790_000_000_000_000 });
    await send(skipping.queue, GOOD);
    await sensors.apply(skipping.plan);
    await sensors.runsOf(skipping.plan, 1);
    await isEmpty(skipping.queue);
    await sensors.stop(skipping.plan);
    const stopping = await listening(', on_invalid: stop');
    await send(stopping.queue, GOOD, { timestamp: 1_790_000_000_000_000 });
    await sensors.apply(stopping.plan);
    await eventually(async () => {
      const { state, why } = await sensors.stateOf(stopping.plan);
      assert.equal(state, 'stopped');
      assert.match(why ?? '', /'timestamp' is 1790000000000000/);
    }, 20_000);
    assert.equal((await channel.checkQueue(stopping.queue)).messageCount, 1);
    await sensors.stop(stopping.plan);
  });

  it('without message_id equal messages start a run each, before and after the sensor was rebuilt', async () => {
    const { plan, queue } = await listening();
    await sensors.apply(plan);
    for (let n = 0; n < 5; n++) await send(queue, GOOD);
    await sensors.runsOf(plan, 5);
    await isEmpty(queue);
    await pauseSensor(sensors.worker.client, sensors.idOf(plan), OPERATOR);
    await send(queue, GOOD);
    await resumeSensor(sensors.worker.client, sensors.idOf(plan), OPERATOR);
    await sensors.runsOf(plan, 6);
    await sensors.stop(plan);
  });

  it('without message_id a redelivered message finds its run, and equal ones behind it get theirs', async () => {
    const { plan, queue } = await listening();
    for (let n = 0; n < 3; n++) await send(queue, GOOD);
    await send(queue, '{"n": 2}');
    // Somebody has taken them and gone: all are redelivered, and none has a run.
    const other = await openRabbitMQ(address, 'gone');
    const otherChannel = await other.createChannel();
    for (let n = 0; n < 4; n++) await otherChannel.get(queue);
    await other.close();
    await sensors.apply(plan);
    const ids = await sensors.idsOf(plan, 4);
    assert.equal(new Set(ids.map((id) => id.split('-')[0])).size, 2);
    await isEmpty(queue);
    await sensors.stop(plan);
  });

  it('a connection that breaks again and again loses no message without message_id, and starts none twice', async () => {
    const { plan, queue } = await listening();
    await sensors.apply(plan);
    const bodies = Array.from({ length: 60 }, (_, n) => `{"n": ${1 + (n % 20)}}`);
    for (const [n, body] of bodies.entries()) {
      await send(queue, body);
      if (n % 20 === 10) {
        await pauseSensor(sensors.worker.client, sensors.idOf(plan), OPERATOR);
        await resumeSensor(sensors.worker.client, sensors.idOf(plan), OPERATOR);
      }
    }
    await sensors.runsOf(plan, 60);
    await isEmpty(queue);
    await sensors.runsOf(plan, 60);
    await sensors.stop(plan);
  });
});
