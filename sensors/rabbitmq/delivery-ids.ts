import { createHash } from 'node:crypto';
import type { ConsumeMessage } from 'amqplib';
import type { Json } from '../../workflows/plan/values/json.ts';
import type { SensorJournal } from '../run/sensor-journal.ts';

/** Longer ids are hashed. */
const MAX_ID = 200;
/** How many contents are remembered with their message counts, even across restarts. */
const MAX_CONTENTS = 200;
/** Headers that change with each delivery of a message. */
const DELIVERY_HEADERS: ReadonlySet<string> = new Set(['x-delivery-count', 'x-acquired-count']);

/** A RabbitMQ sensor's own state, in addition to the server's. */
export interface QueueCursor {
  /** How many messages without `message_id` were acknowledged, by content hash; most recent last. */
  readonly acknowledged?: Readonly<Record<string, number>>;
  readonly [name: string]: Json | undefined;
}

/** Starts the run of a message under an id. @returns `mine` if the run belongs to this delivery, `other` if it already existed */
type Start = (id: string) => Promise<'mine' | 'other'>;

/**
 * Numbers messages without `message_id`, so that a redelivery finds its run and equal messages get a run each. A message that was never
 * delivered before gets the first free number. A redelivered one gets the number after the acknowledged ones, whether its run exists or
 * not. Equal messages are processed one by one, so that this number is unique.
 */
export class DeliveryIds {
  private readonly acknowledged: Map<string, number>;
  private readonly turns = new Map<string, Promise<void>>();

  constructor(private readonly journal: SensorJournal) {
    const { acknowledged = {} } = (journal.cursor ?? {}) as QueueCursor;
    this.acknowledged = new Map(Object.entries(acknowledged));
  }

  /**
   * Starts the run of a message without `message_id`, and acknowledges the message.
   * @param acknowledge resolves when the server has processed it
   * @throws errors of `start` and `acknowledge`; the message is then redelivered, and finds its run
   */
  handle(message: ConsumeMessage, start: Start, acknowledge: () => Promise<void>): Promise<void> {
    const content = contentHash(message);
    const before = this.turns.get(content);
    const done = (async () => {
      await before?.catch(() => undefined);
      let number = (this.acknowledged.get(content) ?? 0) + 1;
      while ((await start(idOf(content, number))) === 'other' && !message.fields.redelivered) number++;
      await acknowledge();
      this.remember(content, number);
    })();
    this.turns.set(content, done);
    const forget = (): void => {
      if (this.turns.get(content) === done) this.turns.delete(content);
    };
    done.then(forget, forget);
    return done;
  }

  private remember(content: string, number: number): void {
    this.acknowledged.delete(content);
    this.acknowledged.set(content, number);
    const [oldest] = this.acknowledged.keys();
    if (this.acknowledged.size > MAX_CONTENTS && oldest !== undefined) this.acknowledged.delete(oldest);
    this.journal.cursor = { acknowledged: Object.fromEntries(this.acknowledged) };
  }
}

/** The `message_id` of a message as part of a run's id; undefined when it has none. */
export function messageIdOf({ properties }: Pick<ConsumeMessage, 'properties'>): string | undefined {
  const id: unknown = properties.messageId;
  if (typeof id !== 'string' || id === '') return undefined;
  return id.length <= MAX_ID ? id : createHash('sha256').update(id).digest('hex');
}

function idOf(content: string, number: number): string {
  return number === 1 ? content : `${content}-${number}`;
}

/** A hash of everything in a message that stays the same on redelivery. */
function contentHash({ content, fields, properties }: ConsumeMessage): string {
  const headers = Object.entries(properties.headers ?? {}).filter(([name]) => !DELIVERY_HEADERS.has(name));
  const described = JSON.stringify([fields.exchange, fields.routingKey, { ...properties, headers }]);
  return createHash('sha256').update(described).update(content).digest('hex').slice(0, 32);
}
