import { createHash } from 'node:crypto';
import type { ConfirmChannel, Options } from 'amqplib';
import { openRabbitMQ, type RabbitMQConnection } from '../../lib/rabbitmq.ts';
import { withinTime } from '../../lib/time-limit.ts';
import { exactJsonText } from '../../workflows/plan/values/exact-json.ts';
import type { Json } from '../../workflows/plan/values/json.ts';
import type { TaskContext } from '../define-task.ts';
import { platformFault, userFault } from '../run/errors.ts';
import { rabbitmqFailure } from './rabbitmq-failure.ts';
import { IDEMPOTENCY_KEY } from '../../lib/idempotency-header.ts';

/** How long the server may take in all, in milliseconds: one that is short of memory or disk answers nothing until it has some again. */
const WITHIN = 60_000;
/** AMQP's longest short string, in bytes: names of queues and ids of messages. */
const SHORT_STRING = 255;

/** Sends a message to a queue that is there, with what tells a second attempt's from the first's. It returns when the server keeps it. */
export async function publish(
  context: TaskContext & { readonly connections: { readonly rabbitmq: RabbitMQConnection } },
  { queue_name: queue, value }: { readonly queue_name: string; readonly value: Json },
): Promise<{ queue: string }> {
  const { rabbitmq } = context.connections;
  if (Buffer.byteLength(queue) > SHORT_STRING)
    throw userFault('InvalidParameters', `The name of a queue has at most ${SHORT_STRING} bytes; given: '${queue}'.`);
  try {
    await withinTime(WITHIN, context.signal, (signal) => send(context, signal, queue, value));
  } catch (error) {
    context.signal.throwIfAborted();
    throw rabbitmqFailure(error, rabbitmq, queue);
  }
  return { queue };
}

async function send(
  { connections, dagId, task, idempotencyKey }: TaskContext & { readonly connections: { readonly rabbitmq: RabbitMQConnection } },
  signal: AbortSignal,
  queue: string,
  value: Json,
): Promise<void> {
  const connection = await openRabbitMQ(connections.rabbitmq, `sluice ${dagId}/${task}`);
  const close = (): Promise<void> => connection.close().catch(() => undefined);
  // What was asked for fails with it; without a listener the worker would.
  connection.on('error', () => undefined);
  signal.addEventListener('abort', () => void close(), { once: true });
  try {
    const channel = await connection.createConfirmChannel();
    channel.on('error', () => undefined);
    // Only asked for: a queue that is declared here would have this task's idea of its properties, not its owner's.
    await channel.checkQueue(queue);
    signal.throwIfAborted();
    await confirmed(channel, queue, Buffer.from(exactJsonText(value)), {
      persistent: true,
      mandatory: true,
      contentType: 'application/json',
      messageId: shortId(idempotencyKey),
      headers: { [IDEMPOTENCY_KEY]: idempotencyKey },
    });
  } finally {
    await close();
  }
}

/** Sends, and waits for the server's word. A message that it can put nowhere it gives back before, and confirms it all the same. */
function confirmed(channel: ConfirmChannel, queue: string, content: Buffer, options: Options.Publish): Promise<void> {
  return new Promise((resolve, reject) => {
    channel.once('return', () => reject(userFault('InvalidParameters', `The queue '${queue}' was deleted while the message was sent.`)));
    channel.sendToQueue(queue, content, options, (error: Error | null) => {
      if (error === null) return resolve();
      const nacked = `The queue '${queue}' does not take the message: it is full, or in trouble. The task will try again.`;
      reject(error.message === 'message nacked' ? platformFault('ServiceUnavailable', nacked) : error);
    });
  });
}

/** An idempotency key as the id of a message: what is too long becomes its hash. */
function shortId(key: string): string {
  return Buffer.byteLength(key) <= SHORT_STRING ? key : createHash('sha256').update(key).digest('hex');
}
