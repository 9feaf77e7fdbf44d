import Type from 'typebox';
import { choice, text } from '../lib/schema-fields.ts';
import { connectionField } from '../connections/connection-field.ts';
import { defineTask } from './define-task.ts';
import { CHANNEL_CONNECTIONS } from './notify/channel-connections.ts';

/** Tells people. */
export const notify = defineTask({
  type: 'notify',
  description: 'Tells people: through PagerDuty, Slack or a webhook.',
  summary: ({ to, message }) => `${to}: ${message}`,
  params: Type.Object({
    to: choice('To', 'The channel.', ['slack', 'pagerduty', 'webhook']),
    conn_id: Type.Optional(
      connectionField('The connection that holds the address or the key. Default: <to>_default.', 'slack_default', [], 'connection'),
    ),
    message: text('Message', 'What is said, without secrets; at most 32 KiB of it.', '{{ dag_id }} has failed for {{ ds }}'),
    severity: Type.Optional(choice('Severity', 'How bad it is. Default: error.', ['critical', 'error', 'warning', 'info'])),
  }),
  result: Type.Object({ sent: Type.Boolean() }),
  ownsEffects: true,
  connectionTypes: ({ to }) => Object.entries(CHANNEL_CONNECTIONS).find(([channel]) => channel === to)?.[1] ?? [],
  connections: {},
  example: { name: 'tell_the_team', type: 'notify', to: 'slack', message: '{{ dag_id }} has failed for {{ ds }}' },
  run: async (context, task) => (await import('./notify/tell.ts')).tell(context, task),
});
