import Type, { type Static } from 'typebox';
import { connectionField } from '../connections/connection-field.ts';
import { Severity } from './sla.ts';

const channels = {
  pagerduty: Type.Optional(
    Type.Object(
      {
        conn_id: Type.Optional(
          connectionField(
            'The connection that holds the integration key; never the key itself.',
            'pagerduty_default',
            ['pagerduty'],
            'routing_key',
          ),
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
        examples: [{ conn_id: 'pagerduty_default' }],
      },
    ),
  ),
  slack: Type.Optional(
    Type.Object(
      { conn_id: Type.Optional(connectionField('The connection that holds the webhook.', 'slack_default', ['http'], 'connection')) },
      {
        additionalProperties: false,
        title: 'Slack',
        description: 'Write to a channel of Slack.',
        examples: [{ conn_id: 'slack_default' }],
      },
    ),
  ),
  webhook: Type.Optional(
    Type.Object(
      { conn_id: Type.Optional(connectionField('The connection that holds the address.', 'webhook_default', ['http'], 'connection')) },
      {
        additionalProperties: false,
        title: 'Webhook',
        description: 'Post to an address.',
        examples: [{ conn_id: 'webhook_default' }],
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
        examples: [{ slack: { conn_id: 'slack_default' } }],
      }),
    ),
  },
  {
    additionalProperties: false,
    title: 'Alerts',
    description: 'Who is told of breaches.',
    examples: [{ pagerduty: { conn_id: 'pagerduty_default' } }],
  },
);

export type AlertsKeys = Static<typeof AlertsSchema>;
