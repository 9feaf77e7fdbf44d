import type { ConfirmChannel, ConsumeMessage, Options } from 'amqplib';
import type { SensorContext } from '../define-trigger.ts';
import { LAST_SECOND } from './read-message.ts';

/** Headers that would send copies of a dead letter to other queues: https://www.rabbitmq.com/docs/sender-selected. */
const ROUTING_HEADERS: ReadonlySet<string> = new Set(['CC', 'BCC']);
/** Maximum size of headers as JSON, in characters: larger ones exceed the client's encoding buffer. */
const MAX_HEADERS = 32_000;
const MAX_REASON = 2_000;

/** The properties of a message, with any values that its sender gave. */
interface Properties extends Readonly<Record<string, unknown>> {
  readonly headers: Readonly<Record<string, unknown>> | undefined;
}

/** Writes a message to the trigger's dead-letter queue, with the reason. Resolves when the server has stored it. */
export async function deadLetter(
  { name, trigger }: Pick<SensorContext, 'name' | 'trigger'>,
  channel: ConfirmChannel,
  message: ConsumeMessage,
  reason: string,
): Promise<void> {
  const queue = `sluice.dead-letters.${name}.${trigger.name}`;
  await channel.assertQueue(queue, { durable: true });
  channel.sendToQueue(queue, message.content, letterOf(message, String(trigger.source.queue), reason));
  await channel.waitForConfirms();
}

/**
 * The properties of a dead letter. Descriptive properties are copied. Properties that the server acts on are moved to the header
 * `sluice-properties`: an `expiration` would delete the letter, and a `user_id` of another user would close the channel.
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

/** A message's headers; as text in a single header if the client cannot encode them again. */
function headersOf(headers: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const kept = Object.fromEntries(Object.entries(headers).filter(([name]) => !ROUTING_HEADERS.has(name)));
  const json = JSON.stringify(kept);
  return json.length <= MAX_HEADERS && isEncodable(kept) ? kept : { 'sluice-headers': json.slice(0, MAX_HEADERS) };
}

/** Whether the client can encode a decoded value: numbers beyond 2^53 and its own type markers may not survive. */
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
