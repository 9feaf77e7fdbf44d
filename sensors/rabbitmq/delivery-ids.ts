import { createHash } from 'node:crypto';
import type { ConsumeMessage } from 'amqplib';
import type { Json } from '../../workflows/plan/values/json.ts';
import type { SensorJournal } from '../run/sensor-journal.ts';

/** Longer ids become their hash. */
const MAX_ID = 200;
/** So many contents are remembered with the number of messages that had them; after a restart too. */
const MAX_CONTENTS = 200;
/** Headers that change with each delivery of one message. */
const DELIVERY_HEADERS: ReadonlySet<string> = new Set(['x-delivery-count', 'x-acquired-count']);

/** What a RabbitMQ sensor remembers beside what the server does. */
export interface QueueCursor {
  /** How many messages without `message_id` were acknowledged, by the hash of their content; the most recent last. */
  readonly acknowledged?: Readonly<Record<string, number>>;
  readonly [name: string]: Json | undefined;
}

/** Starts the run of a message under an id. @returns `mine` when the run is this delivery's, `other` when it was there before */
type Start = (id: string) => Promise<'mine' | 'other'>;

/**
 * Numbers messages without `message_id`, so that a delivery finds its run again and equal messages get a run each. A message that was never
 * delivered before is a new one: it gets the first number that is free. A redelivered one gets the number after those that are
 * acknowledged, whether its run is there or not. Equal messages are handled one after the other, so that this number is its own.
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
   * @throws what `start` and `acknowledge` throw; the message is delivered again then, and finds its run
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

/** A hash of all that a message has and keeps when it is delivered again. */
function contentHash({ content, fields, properties }: ConsumeMessage): string {
  const headers = Object.entries(properties.headers ?? {}).filter(([name]) => !DELIVERY_HEADERS.has(name));
  const described = JSON.stringify([fields.exchange, fields.routingKey, { ...properties, headers }]);
  return createHash('sha256').update(described).update(content).digest('hex').slice(0, 32);
}
