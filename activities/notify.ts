import Type from 'typebox';
import { CHANNELS, channelNamed } from '../channels/catalog.ts';
import type { ChannelDefinition } from '../channels/define-channel.ts';
import { connectionField } from '../connections/connection-field.ts';
import { choice, severity, text } from '../lib/schema-fields.ts';
import { defineTask } from './define-task.ts';

/** The task type that notifies people through one of `channels`. */
export function notifyTask(channels: readonly [ChannelDefinition, ...ChannelDefinition[]]) {
  return defineTask({
    type: 'notify',
    description: `Notifies people through a channel: ${channels.map(({ title }) => title).join(', ')}.`,
    summary: ({ to, message }) => `${to}: ${message}`,
    params: Type.Object({
      to: choice('To', 'The channel.', channels.map(({ name }) => name) as [string, ...string[]]),
      conn_id: Type.Optional(
        connectionField('The connection that holds the address or the key. Default: <to>_default.', 'slack_default', [], 'connection'),
      ),
      message: text('Message', 'What is said, without secrets; at most 32 KiB of it.', '{{ dag_id }} has failed for {{ ds }}'),
      severity: Type.Optional(severity('How bad it is. Default: error.')),
    }),
    result: Type.Object({ sent: Type.Boolean() }),
    ownsEffects: true,
    connectionTypes({ to }) {
      const channel = channelNamed(String(to), channels);
      return channel ? [channel.connection.type] : [];
    },
    connections: {},
    example: { name: 'tell_the_team', type: 'notify', to: 'slack', message: '{{ dag_id }} has failed for {{ ds }}' },
    run: async (context, task) => (await import('./notify/send-message.ts')).sendMessage(context, task, channels),
  });
}

export const notify = notifyTask(CHANNELS);
