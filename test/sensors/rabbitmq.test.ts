import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import type { ChannelModel, ConfirmChannel } from 'amqplib';
import { connectionsFrom } from '../../connections/connections.ts';
import { openRabbitMQ } from '../../lib/rabbitmq.ts';
import { pauseSensor, resumeSensor } from '../../temporal/sensors/sensors.ts';
import type { Plan } from '../../workflows/plan/plan.ts';
import type { TriggerPlan } from '../../workflows/plan/trigger.ts';
import { eventually } from '../support/eventually.ts';
import { task } from '../support/plans.ts';
import { TestSensors, unique } from '../support/test-sensors.ts';
import { testStack } from '../support/test-stack.ts';

const OPERATOR = { by: 'ann' };

describe('the RabbitMQ sensor', function () {
  this.timeout('1m');
  let sensors: TestSensors;
  let connection: ChannelModel;
  let channel: ConfirmChannel;

  before(async function () {
    this.timeout('15m');
    const { environment } = await testStack(['temporal', 'rabbitmq']);
    sensors = await TestSensors.start(environment);
    connection = await openRabbitMQ(connectionsFrom(environment).get('rabbitmq_default', ['rabbitmq']), 'test');
    channel = await connection.createConfirmChannel();
  });
  after(async () => {
    await sensors.close();
    await connection.close();
  });

  async function listening(trigger: Partial<TriggerPlan> = {}, plan: Partial<Plan> = {}): Promise<{ plan: Plan; queue: string }> {
    const queue = `orders-${unique()}`;
    await channel.assertQueue(queue, { durable: true });
    const made = sensors.plan({ type: 'rabbitmq', when: 'event.total > 10', ...trigger, source: { queue, ...trigger.source } }, plan);
    await sensors.apply(made);
    return { plan: made, queue };
  }

  async function send(queue: string, ...messages: { id?: string; body: string }[]): Promise<void> {
    for (const { id, body } of messages) {
      channel.sendToQueue(queue, Buffer.from(body), { persistent: true, ...(id !== undefined && { messageId: id }) });
    }
    await channel.waitForConfirms();
  }

  const left = async (queue: string): Promise<number> => (await channel.checkQueue(queue)).messageCount;

  it('starts a run for each message that matches the condition, by its message_id, and acknowledges it', async () => {
    const { plan, queue } = await listening();
    await send(
      queue,
      { id: 'o-1', body: '{"total": 11}' },
      { id: 'o-2', body: '{"total": 1}' },
      { id: 'o-3', body: '{"total": 12}' },
      { id: 'o-1', body: '{"total": 11}' },
    );
    assert.deepEqual(await sensors.idsOf(plan, 2), ['o-1', 'o-3']);
    await eventually(async () => assert.equal(await left(queue), 0));
    const [run] = await sensors.runsOf(plan, 2);
    const { event } = await sensors.inputOf(run?.pipelineRunId ?? '');
    assert.deepEqual([event?.value, event?.meta.message_id], [{ total: 11 }, 'o-1']);
    await sensors.stop(plan);
  });

  it('takes no more than it may, and gives back what has not started', async () => {
    const { plan, queue } = await listening(
      { maxInFlight: 1, source: { prefetch: 2 } },
      { tasks: [task('a', 'hang', [], { heartbeatTimeoutMs: 1_000 })] },
    );
    await send(queue, ...[1, 2, 3, 4].map((n) => ({ id: `o-${n}`, body: '{"total": 11}' })));
    const [first] = await sensors.runsOf(plan, 1);
    await eventually(async () => assert.equal(await left(queue), 1));
    await pauseSensor(sensors.worker.client, sensors.idOf(plan), OPERATOR);
    await eventually(async () => assert.equal(await left(queue), 3));
    await resumeSensor(sensors.worker.client, sensors.idOf(plan), OPERATOR);
    await sensors.worker.client.workflow.getHandle(first?.pipelineRunId ?? '').cancel();
    const runs = await sensors.runsOf(plan, 2);
    await sensors.stop(plan);
    for (const { pipelineRunId } of runs) await sensors.worker.client.workflow.getHandle(pipelineRunId).cancel();
  });

  it('dead-letters what it cannot read, in a separate queue', async () => {
    const { plan, queue } = await listening();
    await send(queue, { id: 'bad', body: 'no JSON' }, { id: 'o-1', body: '{"total": 11}' });
    await sensors.runsOf(plan, 1);
    const letters = `sluice.dead-letters.${plan.dagId}.changes`;
    await eventually(async () => assert.equal((await channel.assertQueue(letters, { durable: true })).messageCount, 1));
    const letter = await channel.get(letters, { noAck: true });
    assert.ok(letter);
    assert.deepEqual(
      [letter.content.toString(), letter.properties.headers?.['sluice-reason'], letter.properties.headers?.['sluice-queue']],
      ['no JSON', 'It is not JSON.', queue],
    );
    await sensors.stop(plan);
  });

  it('waits for a queue that is not there yet, and shows it', async () => {
    const queue = `later-${unique()}`;
    const plan = sensors.plan({ type: 'rabbitmq', source: { queue } });
    await sensors.apply(plan);
    await eventually(async () => assert.match((await sensors.stateOf(plan)).reports[0]?.problem ?? '', /NOT_FOUND.*no queue/i), 20_000);
    await channel.assertQueue(queue, { durable: true });
    await send(queue, { id: 'o-1', body: '{}' });
    await sensors.runsOf(plan, 1);
    await sensors.stop(plan);
  });
});
