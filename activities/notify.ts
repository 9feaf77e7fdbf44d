import Type from 'typebox';
import { choice, text } from '../lib/schema-fields.ts';
import { declareTask } from './define-task.ts';

/** Tells people. */
export const notify = declareTask({
  type: 'notify',
  runtime: 'planned',
  description: 'Tells people: through PagerDuty, Slack or a webhook.',
  summary: ({ to, message }) => `${to}: ${message}`,
  params: Type.Object({
    to: choice('To', 'The channel.', ['slack', 'pagerduty', 'webhook']),
    connection: Type.Optional(
      text('Connection', 'The connection that holds the address or the key. Default: <to>_default.', 'slack_default', { template: 'none' }),
    ),
    message: text('Message', 'What is said.', '{{ dag_id }} has failed for {{ ds }}'),
    severity: Type.Optional(choice('Severity', 'For PagerDuty. Default: error.', ['critical', 'error', 'warning', 'info'])),
  }),
  result: Type.Object({ sent: Type.Boolean() }),
  connections: {},
  example: { name: 'tell_the_team', type: 'notify', to: 'slack', message: '{{ dag_id }} has failed for {{ ds }}' },
});
