import type { ConsumeMessage } from 'amqplib';
import { jsonValueOf } from '../../lib/json-value.ts';
import { parseExactJson } from '../../workflows/plan/values/exact-json.ts';
import type { Json } from '../../workflows/plan/values/json.ts';
import type { RunEvent } from '../../workflows/plan/trigger.ts';
import type { EventMatch } from '../events/event-matcher.ts';
import { errorText } from '../../workflows/plan/values/error-text.ts';

/** The decision about a message; for a run it includes the event. */
export type MessageMatch = Exclude<EventMatch, { kind: 'run' }> | (Extract<EventMatch, { kind: 'run' }> & { readonly event: RunEvent });

/** The last second of the year 9999: a larger timestamp is not in seconds, as AMQP requires. */
export const LAST_SECOND = Date.parse('9999-12-31T23:59:59Z') / 1000;

/** Reads a message and matches it against the trigger. A message that cannot be read is invalid; nothing is thrown. */
export function matchMessage(message: ConsumeMessage, match: (event: RunEvent) => EventMatch): MessageMatch {
  try {
    const event = eventOf(message);
    const result = match(event);
    return result.kind === 'run' ? { ...result, event } : result;
  } catch (error) {
    return { kind: 'invalid', reason: errorText(error) };
  }
}

/** @throws Error with a sentence as the reason, when the message is not an event */
function eventOf({ content, fields, properties }: ConsumeMessage): RunEvent {
  return {
    value: valueOf(content),
    meta: {
      timestamp: timestampOf(properties.timestamp),
      message_id: String(properties.messageId ?? ''),
      routing_key: fields.routingKey,
      headers: jsonValueOf(properties.headers ?? {}),
      redelivered: fields.redelivered,
    },
  };
}

function valueOf(content: Buffer): Json {
  try {
    return parseExactJson(content.toString());
  } catch {
    throw new Error('It is not JSON.');
  }
}

/** @param seconds since 1970, as in AMQP; absent: now @returns ISO 8601 */
function timestampOf(seconds: unknown): string {
  if (typeof seconds !== 'number') return new Date().toISOString();
  if (seconds > LAST_SECOND) {
    throw new Error(`The property 'timestamp' is ${seconds}: AMQP counts seconds since 1970, and this many end after the year 9999.`);
  }
  return new Date(seconds * 1000).toISOString();
}
