import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import type { ChannelModel, ConfirmChannel, GetMessage } from 'amqplib';
import { after, afterEach, before, describe, it } from 'mocha';
import { rabbitmqPublish } from '../../activities/rabbitmq-publish.ts';
import { connectionsFrom } from '../../connections/connections.ts';
import { openRabbitMQ, type RabbitMQConnection } from '../../lib/rabbitmq.ts';
import type { JsonObject } from '../../workflows/plan/values/json.ts';
import { openBlackHole } from '../support/black-hole.ts';
import { endsAtOnce } from '../support/ends-at-once.ts';
import { failureOf } from '../support/failure-of.ts';
import { runTask, type TaskRun } from '../support/run-task.ts';
import { testStack } from '../support/test-stack.ts';

/** The class and the method of AMQP's `basic.publish`, as they stand in its frame. */
const BASIC_PUBLISH = Buffer.from([0, 60, 0, 40]);

describe('rabbitmq_publish', function () {
  this.timeout('30s');
  let address: RabbitMQConnection;
  let connection: ChannelModel;
  let channel: ConfirmChannel;
  let proxy: Server | undefined;

  before(async function () {
    this.timeout('15m');
    const { environment } = await testStack(['rabbitmq']);
    address = connectionsFrom(environment).get('rabbitmq_default', ['rabbitmq']);
    connection = await openRabbitMQ(address, 'test');
    channel = await connection.createConfirmChannel();
  });
  after(() => connection.close());
  afterEach(() => proxy?.close());

  const urlOf = ({ port = address.port, password = address.password, vhost = '' }): string =>
    `amqp://${address.user}:${password}@${address.host}:${port}/${vhost}`;

  const publish = (params: JsonObject, url = urlOf({}), run: Partial<TaskRun> = {}): Promise<unknown> =>
    runTask(rabbitmqPublish, { params, environment: { SLUICE_CONN_RABBITMQ_DEFAULT: url }, ...run });

  async function newQueue(options: Readonly<Record<string, unknown>> = {}): Promise<string> {
    const queue = `told-${randomUUID()}`;
    await channel.assertQueue(queue, { durable: true, arguments: options });
    return queue;
  }

  /** A way to the server on which something happens before a message goes through. */
  async function startProxy(beforePublish: (client: Socket, server: Socket) => Promise<void> | void): Promise<string> {
    proxy = createServer((client) => {
      const server = connect(address.port, address.host);
      for (const [one, other] of [
        [client, server],
        [server, client],
      ] as const) {
        one.on('error', () => undefined).on('close', () => other.destroy());
      }
      server.pipe(client);
      let passed = Promise.resolve();
      client.on('data', (data: Buffer) => {
        passed = passed.then(async () => {
          if (data.includes(BASIC_PUBLISH)) await beforePublish(client, server);
          if (!server.destroyed) server.write(data);
        });
      });
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => proxy?.once('listening', resolve));
    return urlOf({ port: (proxy.address() as AddressInfo).port });
  }

  it('sends persistent JSON that identifies a second attempt', async () => {
    const queue = await newQueue();
    assert.deepEqual(await publish({ queue_name: queue, value: { day: '2024-01-01', name: 'Jalapeño' } }), { queue });
    const { content, properties } = (await channel.get(queue, { noAck: true })) as GetMessage;
    assert.equal(content.toString(), '{"day":"2024-01-01","name":"Jalapeño"}');
    const { messageId, headers, contentType, deliveryMode } = properties;
    const key = 'dag/scheduled/2024-01-01/run/task';
    assert.deepEqual([messageId, headers, contentType, deliveryMode], [key, { 'idempotency-key': key }, 'application/json', 2]);
  });

  it('uses a hash as id where the id exceeds the limit of AMQP', async () => {
    const queue = await newQueue();
    const runId = `dag/kafka/${'ü'.repeat(150)}`;
    await publish({ queue_name: queue, value: null }, urlOf({}), { runId });
    const { properties } = (await channel.get(queue, { noAck: true })) as GetMessage;
    assert.match(String(properties.messageId), /^[0-9a-f]{64}$/);
    assert.equal(properties.headers?.['idempotency-key'], `${runId}/run/task`);
  });

  it('uses the connection that it is given', async () => {
    const queue = await newQueue();
    await publish({ queue_name: queue, value: 1, conn_id: 'orders' }, 'amqp://127.0.0.1:1', {
      environment: { SLUICE_CONN_ORDERS: urlOf({}) },
    });
    assert.equal((await channel.checkQueue(queue)).messageCount, 1);
  });

  it('makes no queue', async () => {
    const queue = `none-${randomUUID()}`;
    const error = await failureOf(publish({ queue_name: queue, value: 1 }));
    assert.deepEqual([error.type, error.nonRetryable], ['InvalidParameters', true]);
    assert.match(error.message, new RegExp(`^There is no queue '${queue}' at 127\\.0\\.0\\.1:\\d+, vhost '/'\\. Check its name`));
    assert.equal((await failureOf(publish({ queue_name: queue, value: 1 }))).message, error.message);
  });

  it('fails when the queue goes away while it sends: the message is not lost in silence', async () => {
    const queue = await newQueue();
    const way = await startProxy(async () => void (await channel.deleteQueue(queue)));
    const error = await failureOf(publish({ queue_name: queue, value: 1 }, way));
    assert.deepEqual([error.type, error.nonRetryable], ['InvalidParameters', true]);
    assert.match(error.message, /was deleted while the message was sent/);
  });

  it('tries again when the queue is full', async () => {
    const queue = await newQueue({ 'x-max-length': 1, 'x-overflow': 'reject-publish' });
    await publish({ queue_name: queue, value: 1 });
    const error = await failureOf(publish({ queue_name: queue, value: 2 }));
    assert.deepEqual([error.type, error.nonRetryable], ['ServiceUnavailable', false]);
    assert.match(error.message, /does not take the message: it is full/);
  });

  it('tries again when the connection breaks before the server has confirmed', async () => {
    const queue = await newQueue();
    const way = await startProxy((client) => void client.destroy());
    const error = await failureOf(publish({ queue_name: queue, value: 1 }, way));
    assert.deepEqual([error.type, error.nonRetryable], ['ServiceUnavailable', false]);
    assert.match(error.message, /^Could not send to the queue/);
  });

  for (const [name, url, type, final, message] of [
    ['a wrong password', () => urlOf({ password: 'no-word' }), 'AccessDenied', true, /ACCESS_REFUSED.* Check the connection: its password/],
    ['a vhost that there is not', () => urlOf({ vhost: 'none' }), 'AccessDenied', true, /vhost 'none'.* Check the connection/],
    ['nobody there', () => urlOf({ port: 1 }), 'ServiceUnavailable', false, /ECONNREFUSED.* the task will try again/],
  ] as const) {
    it(`fails: ${name}`, async () => {
      const error = await failureOf(publish({ queue_name: 'q', value: 1 }, url()));
      assert.deepEqual([error.type, error.nonRetryable], [type, final]);
      assert.match(error.message, message);
      assert.doesNotMatch(error.message, /no-word/);
    });
  }

  it('refuses a name that is longer than AMQP has room for', async () => {
    const error = await failureOf(publish({ queue_name: 'ü'.repeat(128), value: 1 }));
    assert.deepEqual([error.type, error.nonRetryable], ['InvalidParameters', true]);
    assert.match(error.message, /at most 255 bytes/);
  });

  it('ends at once when it is cancelled while it connects', async () => {
    const hole = await openBlackHole();
    await endsAtOnce((watch) => publish({ queue_name: 'q', value: 1 }, `amqp://${hole.address}`, watch), hole.entered);
    hole.close();
  });

  it('ends at once when it is cancelled while it waits for the confirmation', async () => {
    let reach = (): void => undefined;
    const reached = new Promise<void>((resolve) => (reach = resolve));
    const way = await startProxy(() => new Promise<void>(() => reach()));
    const queue = await newQueue();
    await endsAtOnce((watch) => publish({ queue_name: queue, value: 1 }, way, watch), reached);
  });
});
