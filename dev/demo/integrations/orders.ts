import { setTimeout as delay } from 'node:timers/promises';
import { connectionsFrom } from '../../../connections/connections.ts';
import { openPostgres } from '../../../lib/databases/postgres.ts';
import { type Environment, taskQueueOf } from '../../../lib/environment.ts';
import { openRabbitMQ } from '../../../lib/rabbitmq.ts';
import { withinTime } from '../../../lib/time-limit.ts';
import { listSensors } from '../../../temporal/sensors/sensors.ts';
import { sensorId } from '../../../workflows/plan/sensor.ts';
import { type TourGuide, waited } from '../tour.ts';
import type { IntegrationStop } from './integration-stop.ts';

const PIPELINE = 'order_fulfilment';
const SENSOR = sensorId(PIPELINE, 'orders');
const SPIKE = 1_000;
/** Time limit for the spike, in milliseconds: machines differ. */
const PATIENCE_MS = 300_000;
const POLL_MS = 1_000;

/** A spike of orders, absorbed by RabbitMQ. */
export const orders: IntegrationStop = {
  title: `A spike of ${SPIKE.toLocaleString('en')} orders waits in RabbitMQ, and each order starts one run`,
  parts: ['rabbitmq', 'postgres'],
  async prepare(settings) {
    // The queues are declared in resources/orders.yaml.
    await withinTime(30_000, undefined, async (signal) => {
      const { client, close } = await openPostgres(connectionsFrom(settings).get('postgres_default', ['postgres']), 'sluice-demo', signal);
      try {
        await client.query(
          'CREATE TABLE IF NOT EXISTS stock_reservations (order_id text PRIMARY KEY, product_id text NOT NULL, quantity int NOT NULL)',
        );
      } finally {
        await close();
      }
    });
    return {};
  },
  async show(guide) {
    const { client, environment, say } = guide;
    const listens = await waited(guide, 'The sensor', async () =>
      (await listSensors(client, taskQueueOf(environment))).find(({ id, state }) => id === SENSOR && (state?.reports.length ?? 0) > 0),
    );
    if (!listens) throw new Error(`The sensor of ${PIPELINE} did not start.`);
    const before = await countRuns(guide, '');
    const startedAt = performance.now();
    await sendSpike(environment, `${Date.now()}`);
    say(
      `  ${SPIKE.toLocaleString('en')} orders and one message that is not an order were confirmed by RabbitMQ after ${secondsSince(startedAt)} s.`,
    );
    const most = await absorb(guide, before + SPIKE);
    say(
      `  Fulfilled after ${secondsSince(startedAt)} s by ${SPIKE.toLocaleString('en')} runs, at most ${most} at a time: max_in_flight is 50.`,
    );
    const reason = await onQueues(environment, async (channel) => {
      const letter = await channel.get(`sluice.dead-letters.${PIPELINE}.orders`, { noAck: true });
      return letter && String(letter.properties.headers?.['sluice-reason']);
    });
    if (reason === false) throw new Error('The message that is not an order was not dead-lettered.');
    say(`  The message that is not an order is in the dead-letter queue: ${reason}`);
  },
};

type Channel = Awaited<ReturnType<Awaited<ReturnType<typeof openRabbitMQ>>['createConfirmChannel']>>;

async function onQueues<T>(settings: Environment, work: (channel: Channel) => Promise<T>): Promise<T> {
  const connection = await openRabbitMQ(connectionsFrom(settings).get('rabbitmq_default', ['rabbitmq']), 'sluice-demo');
  try {
    return await work(await connection.createConfirmChannel());
  } finally {
    await connection.close();
  }
}

/** @param spike distinguishes its orders from those of earlier spikes */
async function sendSpike(settings: Environment, spike: string): Promise<void> {
  await onQueues(settings, async (channel) => {
    const send = (message: string): unknown => channel.sendToQueue('order_processing', Buffer.from(message), { persistent: true });
    send('no order');
    for (let n = 1; n <= SPIKE; n++)
      send(JSON.stringify({ order_id: `${spike}-${n}`, product_id: String(89_000 + (n % 200)), quantity: (n % 3) + 1 }));
    await channel.waitForConfirms();
  });
}

/** Waits until all runs have succeeded. @returns the highest number of runs that were seen at a time */
async function absorb(guide: TourGuide, expected: number): Promise<number> {
  const step = guide.progress.step('The orders');
  let most = 0;
  for (const deadline = Date.now() + PATIENCE_MS; Date.now() < deadline && !guide.signal.aborted; await delay(POLL_MS)) {
    const [running, done] = [
      await countRuns(guide, 'AND ExecutionStatus = "Running"'),
      await countRuns(guide, 'AND ExecutionStatus = "Completed"'),
    ];
    most = Math.max(most, running);
    step.update(`${SPIKE - expected + done} fulfilled, ${running} running`);
    if (done < expected) continue;
    step.done();
    return most;
  }
  step.fail(guide.signal.aborted ? 'stopped' : 'not all were fulfilled');
  throw new Error(`The orders were not fulfilled within ${PATIENCE_MS / 1_000} s.`);
}

async function countRuns({ client }: TourGuide, condition: string): Promise<number> {
  return (await client.workflow.count(`SluicePipeline = "${PIPELINE}" ${condition}`)).count;
}

const secondsSince = (start: number): string => ((performance.now() - start) / 1_000).toFixed(1);
