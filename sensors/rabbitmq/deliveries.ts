import { randomUUID } from 'node:crypto';
import type { ConfirmChannel, ConsumeMessage } from 'amqplib';
import type { SensorContext } from '../define-trigger.ts';
import { ifRefused } from '../events/event-runs.ts';
import { stopped } from '../run/sensor-stopped.ts';
import { deadLetter } from './dead-letter.ts';
import { type DeliveryIds, messageIdOf } from './delivery-ids.ts';
import { matchMessage } from './read-message.ts';

/** Processes the messages of one consumer on one channel. */
export class Deliveries {
  /** Distinguishes this consumer's deliveries from all others. */
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

  /** Resolves when the server has processed everything sent earlier on the channel: it answers in order, but not to acknowledgements. */
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
