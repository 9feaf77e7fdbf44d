import Type, { type TObject, type TOptional, type TProperties } from 'typebox';
import type { ChannelDefinition } from '../../channels/define-channel.ts';
import { connectionField } from '../../connections/connection-field.ts';

/** The schema of the key `alerts` of a pipeline: the channels to notify of breaches. */
export function alertsSchema(channels: readonly ChannelDefinition[]): TObject {
  const keys = Object.fromEntries(channels.map((channel) => [channel.name, channelSchema(channel)]));
  const waiting = Type.Object(keys, {
    additionalProperties: false,
    minProperties: 1,
    title: 'Waiting',
    description: 'Whom to notify when a run waits for a decision: an approval, or a task on hold.',
    examples: [{ slack: { conn_id: 'slack_default' } }],
  });
  return Type.Object(
    { ...keys, [WAITING]: Type.Optional(waiting) },
    {
      additionalProperties: false,
      title: 'Alerts',
      description: 'Whom to notify of breaches.',
      examples: [{ pagerduty: { conn_id: 'pagerduty_default' } }],
    },
  );
}

/** The key in `alerts` that is not a channel. */
export const WAITING = 'waiting';

function channelSchema({ name, title, description, connection, keys = {} }: ChannelDefinition): TOptional<TObject> {
  const example = usualConnection(name);
  const properties: TProperties = {
    conn_id: Type.Optional(connectionField(connection.description, example, [connection.type], connection.formerly)),
    ...keys,
  };
  return Type.Optional(Type.Object(properties, { additionalProperties: false, title, description, examples: [{ conn_id: example }] }));
}

/** The default connection of a channel. */
export function usualConnection(channel: string): string {
  return `${channel}_default`;
}
