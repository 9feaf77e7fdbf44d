import Type, { type Static } from 'typebox';
import { connectionField } from '../lib/schema-fields.ts';
import { Severity } from './sla.ts';

const connection = (title: string, description: string, example: string) => ({ ...connectionField(description, example), title });

const channels = {
  pagerduty: Type.Optional(
    Type.Object(
      {
        routing_key: Type.Optional(
          connection('Routing key', 'The connection that holds the integration key; never the key itself.', 'pagerduty_default'),
        ),
        severity: Type.Optional(Severity),
        runbook: Type.Optional(
          Type.String({ format: 'uri', title: 'Runbook', description: 'What to read at 3 a.m.', examples: ['https://wiki/sales'] }),
        ),
      },
      {
        additionalProperties: false,
        title: 'PagerDuty',
        description: 'Page through PagerDuty.',
        examples: [{ routing_key: 'pagerduty_default' }],
      },
    ),
  ),
  slack: Type.Optional(
    Type.Object(
      { connection: Type.Optional(connection('Connection', 'The connection that holds the webhook.', 'slack_default')) },
      {
        additionalProperties: false,
        title: 'Slack',
        description: 'Write to a channel of Slack.',
        examples: [{ connection: 'slack_default' }],
      },
    ),
  ),
  webhook: Type.Optional(
    Type.Object(
      { connection: Type.Optional(connection('Connection', 'The connection that holds the address.', 'webhook_default')) },
      {
        additionalProperties: false,
        title: 'Webhook',
        description: 'Post to an address.',
        examples: [{ connection: 'webhook_default' }],
      },
    ),
  ),
};

/** The key `alerts` of a pipeline: who is told of breaches. */
export const AlertsSchema = Type.Object(
  {
    ...channels,
    waiting: Type.Optional(
      Type.Object(channels, {
        additionalProperties: false,
        minProperties: 1,
        title: 'Waiting',
        description: 'Who is notified when a run waits for people: an approval is asked for, or a task is on hold.',
        examples: [{ slack: { connection: 'slack_default' } }],
      }),
    ),
  },
  {
    additionalProperties: false,
    title: 'Alerts',
    description: 'Who is told of breaches.',
    examples: [{ pagerduty: { routing_key: 'pagerduty_default' } }],
  },
);

export type AlertsKeys = Static<typeof AlertsSchema>;
