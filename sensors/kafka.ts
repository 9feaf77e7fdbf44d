import Type from 'typebox';
import { text } from '../lib/schema-fields.ts';
import { defineTrigger } from './define-trigger.ts';
import { EventMode, OnInvalid } from './events/event-mode.ts';

/** Records of a Kafka topic. */
export const kafka = defineTrigger({
  type: 'kafka',
  description: 'Starts runs from the records of a Kafka topic.',
  connection: { default: 'kafka_default', types: ['kafka'], formerly: 'kafka_conn_id' },
  params: Type.Object({
    topic: Type.Union([text('Topic', 'The topic.', 'user-behavior-metrics'), Type.Array(Type.String({ minLength: 1 }), { minItems: 1 })], {
      title: 'Topic',
      description: 'The topic, or several.',
      examples: ['user-behavior-metrics', ['user-activity', 'purchase']],
    }),
    mode: Type.Optional(EventMode),
    on_invalid: Type.Optional(OnInvalid),
    format: Type.Optional(
      Type.Union([Type.Literal('json'), Type.Literal('avro'), Type.Literal('protobuf'), Type.Literal('json_schema')], {
        title: 'Format',
        description: 'How records are written; all but json through the Schema Registry. Default: json.',
        examples: ['avro'],
      }),
    ),
    start: Type.Optional(text('Start', 'Where to begin when it is new: earliest, latest or a time. Default: latest.', 'earliest')),
    parallelism: Type.Optional(
      Type.Integer({ minimum: 1, title: 'Parallelism', description: 'How many workers share the partitions. Default: 1.', examples: [2] }),
    ),
  }),
  event: {
    meta: { key: 'string', headers: { fields: {} }, topic: 'string', partition: 'int', offset: 'int', last_offset: 'int' },
  },
  watches: ({ topic }) => (Array.isArray(topic) ? topic : [topic]).map((name) => ({ kind: 'Kafka topic', name: String(name) })),
  sensor: {
    run: async (context) => (await import('./kafka/run-kafka-sensor.ts')).runKafkaSensor(context),
    reset: async (identity, to, cursor) => (await import('./kafka/start-position.ts')).resetPosition(identity, to, cursor),
  },
  example: {
    name: 'user_behavior_change',
    type: 'kafka',
    topic: 'user-behavior-metrics',
    when: 'event.behavior_change_score > 0.7',
    mode: 'each',
    on_invalid: 'dead_letter',
  },
});
