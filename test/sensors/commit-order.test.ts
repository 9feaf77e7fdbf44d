import assert from 'node:assert/strict';
import type { ConfirmChannel, ConsumeMessage } from 'amqplib';
import { describe, it } from 'mocha';
import { Deliveries } from '../../sensors/rabbitmq/deliveries.ts';
import { DeliveryIds } from '../../sensors/rabbitmq/delivery-ids.ts';
import { type Finding, pollSource } from '../../sensors/run/poll.ts';
import { sensorInMemory } from '../support/memory-sensor.ts';

/** A channel that writes down what it is asked to do. */
function fakeChannel(log: string[]): ConfirmChannel {
  const channel = {
    ack: (message: ConsumeMessage) => log.push(`ack ${message.content.toString()}`),
    checkQueue: () => Promise.resolve({ messageCount: 0 }),
    assertQueue: () => Promise.resolve(),
    sendToQueue: (_queue: string, content: Buffer) => log.push(`dead letter ${content.toString()}`),
    waitForConfirms: () => Promise.resolve(),
  };
  return channel as unknown as ConfirmChannel;
}

function message(content: string, messageId?: string): ConsumeMessage {
  return {
    content: Buffer.from(content),
    fields: { deliveryTag: 1, redelivered: false, exchange: '', routingKey: 'q', consumerTag: 'c' },
    properties: { headers: {}, ...(messageId !== undefined && { messageId }) },
  } as unknown as ConsumeMessage;
}

describe('an event is done with when the server has its run, and not before', () => {
  for (const [what, id] of [
    ['with an id', 'm-1'],
    ['without an id', undefined],
  ] as const) {
    it(`RabbitMQ: a message ${what} is acknowledged after its run has started`, async () => {
      const { sensor, starts } = sensorInMemory('type: rabbitmq, queue: q, when: event.n > 1');
      const log: string[] = [];
      starts.onStart = () => log.push('started');
      const deliveries = new Deliveries(sensor, new DeliveryIds(sensor.journal), fakeChannel(log), new AbortController().signal);
      await deliveries.handle(message('{"n": 2}', id));
      assert.deepEqual(log, ['started', 'ack {"n": 2}']);
    });

    it(`RabbitMQ: a message ${what} is not acknowledged when its run cannot start`, async () => {
      const { sensor, starts } = sensorInMemory('type: rabbitmq, queue: q, when: event.n > 1');
      const log: string[] = [];
      starts.onStart = () => {
        throw new Error('the server is gone');
      };
      const closed = new AbortController();
      const deliveries = new Deliveries(sensor, new DeliveryIds(sensor.journal), fakeChannel(log), closed.signal);
      await assert.rejects(deliveries.handle(message('{"n": 2}', id)));
      assert.deepEqual(log, []);
    });
  }

  it('RabbitMQ: a message that starts no run is acknowledged, an invalid one after its dead letter', async () => {
    const { sensor } = sensorInMemory('type: rabbitmq, queue: q, when: event.n > 1, on_invalid: dead_letter');
    const log: string[] = [];
    const deliveries = new Deliveries(sensor, new DeliveryIds(sensor.journal), fakeChannel(log), new AbortController().signal);
    await deliveries.handle(message('{"n": 0}', 'm-1'));
    await deliveries.handle(message('{"n": "x"}', 'm-2'));
    assert.deepEqual(log, ['ack {"n": 0}', 'dead letter {"n": "x"}', 'ack {"n": "x"}']);
  });

  it('a polled source: the cursor moves after the runs have started', async () => {
    const { sensor, starts, stop } = sensorInMemory('type: s3, bucket: b');
    const cursors: unknown[] = [];
    starts.onStart = () => cursors.push(sensor.journal.cursor);
    const finding = (id: string): Finding => ({ id, event: { value: { key: id }, meta: { timestamp: new Date().toISOString() } } });
    const poll = (cursor: number): Promise<{ found: Finding[]; cursor: number; more: boolean }> => {
      if (cursor === 2) stop.abort();
      return Promise.resolve({ found: [finding(`a${cursor}`), finding(`b${cursor}`)], cursor: cursor + 1, more: true });
    };
    await assert.rejects(pollSource<number>(sensor, { every: 1, begin: () => Promise.resolve(0), poll }), { name: 'AbortError' });
    assert.deepEqual(cursors.slice(0, 4), [0, 0, 1, 1]);
  });
});
