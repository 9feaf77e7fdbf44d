import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { after, before, describe, it } from 'mocha';
import { connectionsFrom } from '../../connections/connections.ts';
import { ROOT } from '../../lib/environment.ts';
import { openRabbitMQ, type RabbitMQConnection } from '../../lib/rabbitmq.ts';
import { connectClient } from '../../temporal/connect.ts';
import { createDatabase, type TestDatabase } from '../support/databases.ts';
import { eventually } from '../support/eventually.ts';
import { startProcess, type TestProcess } from '../support/processes.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { killPart, testStack } from '../support/test-stack.ts';

/** `SLUICE_CHAOS=full` is the spike of the origin's story; else the same in short. */
const FULL = process.env.SLUICE_CHAOS === 'full';
const ORDERS = FULL ? 10_000 : 150;
/** Every so many orders, the shop sends one twice, and something that is not an order. */
const EVERY = 50;
const PATIENCE_MS = FULL ? 1_500_000 : 120_000;

describe('order_fulfilment through a spike', function () {
  this.timeout(FULL ? '40m' : '4m');
  const unique = randomUUID().replaceAll('-', '').slice(0, 8);
  const dagId = `order_fulfilment_${unique}`;
  const taskQueue = `orders-${unique}`;
  const [queue, handedOver] = [`orders-${unique}`, `warehouse-${unique}`];
  let environment: Record<string, string>;
  let address: RabbitMQConnection;
  let database: TestDatabase;
  let client: Client;
  let folder: { path: string; remove(): Promise<void> };
  let worker: TestProcess;

  before(async function () {
    this.timeout('15m');
    const stack = await testStack(['temporal', 'rabbitmq', 'postgres']);
    database = await createDatabase();
    environment = { ...stack.encrypting, SLUICE_TASK_QUEUE: taskQueue, SLUICE_CONN_POSTGRES_DEFAULT: database.url };
    address = connectionsFrom(environment).get('rabbitmq_default', ['rabbitmq']);
    client = await connectClient(environment);
    folder = await temporaryFolder();
    await database.rows('CREATE TABLE stock_reservations (order_id text PRIMARY KEY, product_id text NOT NULL, quantity int NOT NULL)');
    const shipped = readFileSync(join(ROOT, 'examples/integrations/pipelines/order_fulfilment.yaml'), 'utf8');
    const own = shipped
      .replace('dag_id: order_fulfilment', `dag_id: ${dagId}`)
      .replaceAll('order_processing', queue)
      .replaceAll('warehouse_orders', handedOver);
    await writeFile(join(folder.path, 'orders.yaml'), own);
    await onQueues(async (channel) => {
      await channel.assertQueue(queue, { durable: true });
      await channel.assertQueue(handedOver, { durable: true });
    });
  });
  after(async () => {
    await worker.stop('SIGKILL');
    await client.connection.close();
    await folder.remove();
    await database.drop();
  });

  type Channel = Awaited<ReturnType<Awaited<ReturnType<typeof openRabbitMQ>>['createConfirmChannel']>>;

  async function onQueues<T>(work: (channel: Channel) => Promise<T>): Promise<T> {
    const connection = await openRabbitMQ(address, 'test');
    connection.on('error', () => undefined);
    try {
      const channel = await connection.createConfirmChannel();
      channel.on('error', () => undefined);
      return await work(channel);
    } finally {
      await connection.close().catch(() => undefined);
    }
  }

  /** Sends a part of the spike like the shop: again and again until RabbitMQ has confirmed all of it. */
  async function send(messages: readonly string[]): Promise<void> {
    await eventually(
      () =>
        onQueues(async (channel) => {
          for (const message of messages) channel.sendToQueue(queue, Buffer.from(message), { persistent: true });
          await channel.waitForConfirms();
        }),
      60_000,
    );
  }

  const orderOf = (n: number): string => JSON.stringify({ order_id: `o-${n}`, product_id: String(n % 500), quantity: (n % 3) + 1 });
  const reserved = async (): Promise<number> =>
    Number((await database.rows<{ n: string }>('SELECT count(*) AS n FROM stock_reservations'))[0]?.n);

  async function startWorker(): Promise<void> {
    worker = startProcess('worker.ts', [], environment);
    await worker.says('ready');
  }

  it('RabbitMQ is killed, then the worker: each order is fulfilled, by one run, and the rest is dead-lettered with the reason', async () => {
    await startWorker();
    const scheduler = startProcess('scheduler.ts', ['--pipelines', folder.path, '--task-queue', taskQueue, '--no-wait'], environment);
    assert.equal(await scheduler.exited, 0, scheduler.stderr());

    const startedAt = performance.now();
    const memory = memoryOf(() => worker);
    for (let from = 0; from < ORDERS; from += EVERY) {
      const orders = Array.from({ length: EVERY }, (_, index) => orderOf(from + index));
      await send([...orders, orderOf(from), from % (2 * EVERY) === 0 ? `no order ${from}` : JSON.stringify({ order_id: `bad-${from}` })]);
      if (from === Math.floor(ORDERS / 2 / EVERY) * EVERY) {
        await killPart('rabbitmq');
        await worker.stop('SIGKILL');
        await startWorker();
      }
    }
    const sentAfter = performance.now() - startedAt;
    await eventually(async () => assert.equal(await reserved(), ORDERS), PATIENCE_MS);
    await eventually(
      async () =>
        assert.equal((await client.workflow.count(`SluicePipeline = "${dagId}" AND ExecutionStatus = "Completed"`)).count, ORDERS),
      PATIENCE_MS,
    );
    const tookMs = performance.now() - startedAt;
    if (FULL) {
      const figures = [`${ORDERS} orders sent in ${seconds(sentAfter)} s, fulfilled in ${seconds(tookMs)} s`];
      figures.push(`${Math.round((ORDERS / tookMs) * 1000)} orders/s`, `worker at most ${memory.mostMB()} MB`);
      process.stdout.write(`      ${figures.join('; ')}\n`);
    }
    memory.stop();

    // No second execution hides behind an id, and no run failed.
    assert.equal((await client.workflow.count(`SluicePipeline = "${dagId}"`)).count, ORDERS);
    await onQueues(async (channel) => {
      await eventually(async () => assert.equal((await channel.checkQueue(queue)).messageCount, 0));
      const letters = await drain(channel, `sluice.dead-letters.${dagId}.orders`);
      const [unread, unfit] = [/^It is not JSON/, /parameters do not fit/].map((reason) =>
        letters.filter((letter) => reason.test(letter.reason)),
      );
      const texts = [...(unread ?? []), ...(unfit ?? [])].map(({ text }) => text);
      // What the shop has sent again is there again.
      assert.equal(new Set(texts).size, ORDERS / EVERY);
      assert.equal(texts.length, letters.length);
      // A message whose confirmation was lost is sent again with the same id, which is how its reader recognizes it.
      const sent = await drain(channel, handedOver);
      const ids = new Map(sent.map(({ text, id }) => [(JSON.parse(text) as { order_id: string }).order_id, id]));
      assert.equal(ids.size, ORDERS);
      assert.equal(new Set(sent.map(({ id }) => id)).size, ORDERS);
    });
  });

  async function drain(channel: Channel, name: string): Promise<{ text: string; id: unknown; reason: string }[]> {
    const found: { text: string; id: unknown; reason: string }[] = [];
    for (let message = await channel.get(name, { noAck: true }); message; message = await channel.get(name, { noAck: true })) {
      const { messageId, headers } = message.properties;
      found.push({ text: message.content.toString(), id: messageId, reason: String(headers?.['sluice-reason'] ?? '') });
    }
    return found;
  }
});

const seconds = (ms: number): string => (ms / 1000).toFixed(0);

/** Watches the resident memory of a process. */
function memoryOf(process: () => TestProcess): { mostMB(): number; stop(): void } {
  let most = 0;
  let watching = true;
  const watch = async (): Promise<void> => {
    while (watching) {
      most = Math.max(most, residentMB(process().child.pid));
      await delay(1_000);
    }
  };
  void watch();
  return { mostMB: () => most, stop: () => (watching = false) };
}

function residentMB(pid: number | undefined): number {
  try {
    return Math.round(Number(/^VmRSS:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024);
  } catch {
    return 0; // It has just been killed.
  }
}
