import { setTimeout as delay } from 'node:timers/promises';
import { ApplicationFailure } from '@temporalio/common';
import { openRabbitMQ } from '../../lib/rabbitmq.ts';
import type { SensorContext } from '../define-trigger.ts';
import { Deliveries } from './deliveries.ts';
import { DeliveryIds } from './delivery-ids.ts';
import { errorText } from '../../workflows/plan/values/error-text.ts';

/** Delay before a broken connection is recreated, in milliseconds. */
const REBUILD = 1_000;
const PREFETCH = 100;

/**
 * Starts a run for every message of a queue. A message is acknowledged when the server has the run; after a crash it is delivered again.
 * Its `message_id` (or the trigger's `dedup_key`) identifies duplicates; for messages without one see DeliveryIds.
 */
export async function watchQueue(context: SensorContext): Promise<never> {
  const { journal, signal, log } = context;
  const ids = new DeliveryIds(journal);
  for (;;) {
    signal.throwIfAborted();
    try {
      await listen(context, ids);
    } catch (error) {
      if (signal.aborted || (error instanceof ApplicationFailure && error.nonRetryable)) throw error;
      journal.obstacle = errorText(error);
      log.warn('Recreating the RabbitMQ consumer', { reason: journal.obstacle });
    }
    await delay(REBUILD, undefined, { signal });
  }
}

async function listen(context: SensorContext, ids: DeliveryIds): Promise<void> {
  const { trigger, signal } = context;
  const { queue, prefetch } = trigger.source;
  const connection = await openRabbitMQ(context.connection(['rabbitmq']), `sluice ${context.name}/${trigger.name}`);
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
        const deliveries = new Deliveries(context, ids, channel, watching.signal);
        await channel.consume(String(queue), (message) => {
          if (!message) return fail(new Error(`The queue '${String(queue)}' is gone.`));
          deliveries.handle(message).catch(fail);
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
