import type { ConfirmChannel, ConsumeMessage, Options } from 'amqplib';
import type { SensorContext } from '../define-trigger.ts';
import { LAST_SECOND } from './read-message.ts';

/** Headers that would send copies of a dead letter to other queues: https://www.rabbitmq.com/docs/sender-selected. */
const ROUTING_HEADERS: ReadonlySet<string> = new Set(['CC', 'BCC']);
/** Headers of more characters, as JSON, do not fit into the buffer in which the client encodes them. */
const MAX_HEADERS = 32_000;
const MAX_REASON = 2_000;

/** What a message may have, each of whatever value its sender gave it. */
interface Properties extends Readonly<Record<string, unknown>> {
  readonly headers: Readonly<Record<string, unknown>> | undefined;
}

/** Writes a message into the queue of the trigger's dead letters, with the reason. Resolves when the server has it. */
export async function deadLetter(
  { dagId, trigger }: Pick<SensorContext, 'dagId' | 'trigger'>,
  channel: ConfirmChannel,
  message: ConsumeMessage,
  reason: string,
): Promise<void> {
  const queue = `sluice.dead-letters.${dagId}.${trigger.name}`;
  await channel.assertQueue(queue, { durable: true });
  channel.sendToQueue(queue, message.content, letterOf(message, String(trigger.source.queue), reason));
  await channel.waitForConfirms();
}

/**
 * The properties of a dead letter. Copied is what only describes the message. What the server would act on stands in the header
 * `sluice-properties` instead: an `expiration` would delete the letter, and a `user_id` of another user closes the channel.
 */
export function letterOf({ properties }: Pick<ConsumeMessage, 'properties'>, queue: string, reason: string): Options.Publish {
  const { contentType, contentEncoding, correlationId, messageId, type, appId, timestamp, headers, ...acted } = propertiesOf(properties);
  const isTime = typeof timestamp === 'number' && timestamp >= 0 && timestamp <= LAST_SECOND;
  const given = { ...acted, ...(!isTime && { timestamp }) };
  const left = Object.entries(given).filter(([, value]) => value !== undefined);
  return {
    persistent: true,
    ...definedOf({ contentType, contentEncoding, correlationId, messageId, type, appId }),
    ...(isTime && { timestamp }),
    headers: {
      ...headersOf(headers ?? {}),
      'sluice-reason': reason.slice(0, MAX_REASON),
      'sluice-queue': queue,
      ...(left.length > 0 && { 'sluice-properties': JSON.stringify(Object.fromEntries(left)) }),
    },
  };
}

/** A message's own headers; as the text of one header where the client could not encode them again. */
function headersOf(headers: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const kept = Object.fromEntries(Object.entries(headers).filter(([name]) => !ROUTING_HEADERS.has(name)));
  const json = JSON.stringify(kept);
  return json.length <= MAX_HEADERS && isEncodable(kept) ? kept : { 'sluice-headers': json.slice(0, MAX_HEADERS) };
}

/** Whether the client can encode what it has decoded: numbers beyond 2^53 and its own marks for types may not come back. */
function isEncodable(value: unknown): boolean {
  if (typeof value === 'number') return !Number.isInteger(value) || Number.isSafeInteger(value);
  if (value === null || typeof value !== 'object' || Buffer.isBuffer(value)) return true;
  return !('!' in value) && Object.values(value).every(isEncodable);
}

/** The client types them as `any`. */
const propertiesOf = (properties: ConsumeMessage['properties']): Properties => ({ ...properties, headers: properties.headers });

function definedOf(properties: Readonly<Record<string, unknown>>): Options.Publish {
  return Object.fromEntries(Object.entries(properties).filter(([, value]) => value !== undefined));
}
