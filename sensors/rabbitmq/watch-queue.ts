import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { ApplicationFailure } from '@temporalio/common';
import type { ConfirmChannel, ConsumeMessage } from 'amqplib';
import { openRabbitMQ } from '../../lib/rabbitmq.ts';
import type { SensorContext } from '../define-trigger.ts';
import { ifRefused } from '../events/event-runs.ts';
import { stopped } from '../run/sensor-stopped.ts';
import { deadLetter } from './dead-letter.ts';
import { DeliveryIds, messageIdOf } from './delivery-ids.ts';
import { matchMessage } from './read-message.ts';
import { errorText } from '../../workflows/plan/values/error-text.ts';

/** A connection that has broken is made anew after this many milliseconds. */
const REBUILD = 1_000;
const PREFETCH = 100;

/**
 * Starts a run for every message of a queue. It is acknowledged when the server has the run: what dies before gets it again. Its
 * `message_id` (or the trigger's `dedup_key`) is how it is known again; for a message without one see DeliveryIds.
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
      log.warn('The RabbitMQ consumer is built anew', { reason: journal.obstacle });
    }
    await delay(REBUILD, undefined, { signal });
  }
}

async function listen(context: SensorContext, ids: DeliveryIds): Promise<void> {
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

/** What one consumer on one channel does with the messages that it gets. */
class Deliveries {
  /** Tells the deliveries of this consumer from all others. */
  private readonly session = randomUUID();
  private settling: Promise<void> | undefined;
  private settlingNext: Promise<void> | undefined;

  /** @param closed aborted when the channel is gone: its messages are delivered again to the next one */
  constructor(
    private readonly context: SensorContext,
    private readonly ids: DeliveryIds,
    private readonly channel: ConfirmChannel,
    private readonly closed: AbortSignal,
  ) {}

  async handle(message: ConsumeMessage): Promise<void> {
    const { context, channel } = this;
    const { journal, matcher, runs, trigger } = context;
    journal.count('events');
    const match = matchMessage(message, (event) => matcher.match(event));
    const reject = async (reason: string): Promise<void> => {
      journal.count('invalid');
      if (trigger.onInvalid === 'stop') throw stopped(`A message starts no run: ${reason}`);
      if (trigger.onInvalid === 'dead_letter') await deadLetter(context, channel, message, reason);
    };
    if (match.kind === 'invalid') await reject(match.reason);
    if (match.kind !== 'run') return channel.ack(message);
    journal.count('matches');
    const id = messageIdOf(message);
    if (match.id !== undefined || id !== undefined) {
      await runs.start(match.event, match, id ?? '').catch(ifRefused(reject));
      return channel.ack(message);
    }
    const delivery = `${this.session}/${message.fields.deliveryTag}`;
    await this.ids.handle(
      message,
      async (number) => {
        this.closed.throwIfAborted();
        const owner = await runs.start(match.event, match, number, { upTo: delivery }).catch(
          ifRefused(async (reason) => {
            await reject(reason);
            return undefined;
          }),
        );
        return owner === undefined || owner === delivery ? 'mine' : 'other';
      },
      async () => {
        channel.ack(message);
        await this.settled();
      },
    );
  }

  /** Resolves when the server has processed what was sent on the channel before: it answers in order, and acknowledgements have no answer. */
  private settled(): Promise<void> {
    if (!this.settling) {
      const asking = this.channel.checkQueue(String(this.context.trigger.source.queue)).then(() => undefined);
      this.settling = asking.finally(() => (this.settling = undefined));
      return this.settling;
    }
    return (this.settlingNext ??= this.settling
      .catch(() => undefined)
      .then(() => {
        this.settlingNext = undefined;
        return this.settled();
      }));
  }
}
