import { createHash, randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { ApplicationFailure } from '@temporalio/common';
import type { ConfirmChannel, ConsumeMessage } from 'amqplib';
import { openRabbitMQ } from '../../lib/rabbitmq.ts';
import type { Json } from '../../workflows/plan/json.ts';
import type { RunEvent } from '../../workflows/plan/trigger.ts';
import type { SensorContext } from '../define-trigger.ts';
import type { Verdict } from '../event-judge.ts';
import { stopped } from '../run-sensor.ts';

/** A connection that has broken is made anew after this many milliseconds. */
const REBUILD = 1_000;
const PREFETCH = 100;

/**
 * Starts a run for every message of a queue. It is acknowledged when the server has the run: what dies before gets it again. Its
 * `message_id` (or the trigger's `dedup_key`) is how it is known again; a message without one can start a second run then.
 */
export async function watchQueue(context: SensorContext): Promise<never> {
  const { journal, signal, log } = context;
  for (;;) {
    signal.throwIfAborted();
    try {
      await listen(context);
    } catch (error) {
      if (signal.aborted || (error instanceof ApplicationFailure && error.nonRetryable)) throw error;
      journal.obstacle = error instanceof Error ? error.message : String(error);
      log.warn('The RabbitMQ consumer is built anew', { reason: journal.obstacle });
    }
    await delay(REBUILD, undefined, { signal });
  }
}

async function listen(context: SensorContext): Promise<void> {
  const { trigger, signal } = context;
  const { queue, prefetch } = trigger.source;
  const connection = await openRabbitMQ(context.connection(['rabbitmq']), `sluice ${context.dagId}/${trigger.name}`);
  const watching = new AbortController();
  try {
    await new Promise<void>((resolve, reject) => {
      const fail = (error: unknown): void =>
        reject(error instanceof Error ? error : new Error(String(error ?? 'The connection was closed.')));
      signal.addEventListener('abort', () => resolve(), { once: true, signal: watching.signal });
      connection.on('error', fail);
      connection.on('close', fail);
      const consume = async (): Promise<void> => {
        const channel = await connection.createConfirmChannel();
        channel.on('error', fail);
        channel.on('close', () => fail(new Error('The channel was closed.')));
        await channel.prefetch(typeof prefetch === 'number' ? prefetch : PREFETCH);
        const ticking = setInterval(() => {
          channel.checkQueue(String(queue)).then(({ messageCount }) => (context.journal.lag = messageCount), fail);
        }, 5_000);
        watching.signal.addEventListener('abort', () => clearInterval(ticking));
        await channel.consume(String(queue), (message) => {
          if (!message) return fail(new Error(`The queue '${String(queue)}' is gone.`));
          take(context, channel, message).catch(fail);
        });
        context.journal.obstacle = undefined;
      };
      consume().catch(fail);
    });
  } finally {
    watching.abort();
    await connection.close().catch(() => undefined);
  }
}

async function take(context: SensorContext, channel: ConfirmChannel, message: ConsumeMessage): Promise<void> {
  const { journal, judge, runs, trigger } = context;
  journal.count('events');
  const verdict = verdictOn(message, (event) => judge.judge(event));
  if (verdict.kind === 'invalid') {
    journal.count('invalid');
    if (trigger.onInvalid === 'stop') throw stopped(`A message cannot be read: ${verdict.reason}`);
    if (trigger.onInvalid === 'dead_letter') await bury(context, channel, message, verdict.reason);
  } else if (verdict.kind === 'run') {
    journal.count('matches');
    await runs.start(verdict.event, verdict, idOf(message));
  }
  channel.ack(message);
}

type Judged = Exclude<Verdict, { kind: 'run' }> | (Extract<Verdict, { kind: 'run' }> & { readonly event: RunEvent });

function verdictOn({ content, fields, properties }: ConsumeMessage, judge: (event: RunEvent) => Verdict): Judged {
  let value: Json;
  try {
    value = JSON.parse(content.toString()) as Json;
  } catch {
    return { kind: 'invalid', reason: 'It is not JSON.' };
  }
  const event: RunEvent = {
    value,
    meta: {
      timestamp: new Date(typeof properties.timestamp === 'number' ? properties.timestamp * 1000 : Date.now()).toISOString(),
      message_id: String(properties.messageId ?? ''),
      routing_key: fields.routingKey,
      headers: JSON.parse(JSON.stringify(properties.headers ?? {})) as Json,
      redelivered: fields.redelivered,
    },
  };
  const verdict = judge(event);
  return verdict.kind === 'run' ? { ...verdict, event } : verdict;
}

/** Longer ids become their hash. */
const MAX_ID = 200;

function idOf({ properties }: ConsumeMessage): string {
  const id: unknown = properties.messageId;
  if (typeof id !== 'string' || id === '') return randomUUID();
  return id.length <= MAX_ID ? id : createHash('sha256').update(id).digest('hex');
}

/** Into a queue beside it, with the reason; acknowledged to its origin only when it is there. */
async function bury({ dagId, trigger }: SensorContext, channel: ConfirmChannel, message: ConsumeMessage, reason: string): Promise<void> {
  const queue = `sluice.dead-letters.${dagId}.${trigger.name}`;
  await channel.assertQueue(queue, { durable: true });
  channel.sendToQueue(queue, message.content, {
    ...message.properties,
    persistent: true,
    headers: { ...message.properties.headers, 'sluice-reason': reason.slice(0, 2_000), 'sluice-queue': String(trigger.source.queue) },
  });
  await channel.waitForConfirms();
}
