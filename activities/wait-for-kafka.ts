import Type from 'typebox';
import { condition, text } from '../lib/schema-fields.ts';
import { defineTask } from './define-task.ts';
import { WAIT_DEFAULTS, WAIT_KEYS } from './run/wait-keys.ts';

/** Waits for a record. */
export const waitForKafka = defineTask({
  type: 'wait_for_kafka',
  description: 'Waits for a record of a Kafka topic; waiting holds no worker.',
  summary: ({ topic }) => topic,
  params: Type.Object({
    topic: text('Topic', 'The topic. Records since the start of the data interval are read.', 'product-updates'),
    until: Type.Optional(condition('Until', 'A condition over the record, as event. Default: any record.', 'event.day == ds', ['event'])),
    ...WAIT_KEYS,
  }),
  result: Type.Object({ event: Type.Unknown() }),
  connections: {
    kafka: { key: 'conn_id', formerly: 'kafka_conn_id', default: 'kafka_default', types: ['kafka'], description: 'The Kafka.' },
  },
  waits: true,
  defaults: WAIT_DEFAULTS,
  example: { name: 'wait_for_updates', type: 'wait_for_kafka', topic: 'product-updates', timeout: '6h' },
  run: async (context, task) => (await import('./kafka/find-record.ts')).findRecord(context, task),
});
