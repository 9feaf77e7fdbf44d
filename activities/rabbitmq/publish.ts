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

/** Time limit for the whole exchange, in milliseconds: a server that is short of memory or disk does not answer until it recovers. */
const WITHIN = 60_000;
/** Maximum length of an AMQP short string, in bytes: queue names and message ids. */
const SHORT_STRING = 255;

/** Sends a message to an existing queue, with an id that identifies duplicates. Returns when the server has stored the message. */
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
  // The pending request fails with the connection; an 'error' event without a listener would crash the worker.
  connection.on('error', () => undefined);
  signal.addEventListener('abort', () => void close(), { once: true });
  try {
    const channel = await connection.createConfirmChannel();
    channel.on('error', () => undefined);
    // Only check that the queue exists: declaring it would impose this task's properties instead of its owner's.
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

/** Sends a message and waits for the confirm. The server returns an unroutable message first, and confirms it all the same. */
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

/** Makes a message id of an idempotency key: a key that is too long is hashed. */
function shortId(key: string): string {
  return Buffer.byteLength(key) <= SHORT_STRING ? key : createHash('sha256').update(key).digest('hex');
}
