import Type from 'typebox';
import { count, duration, expression } from '../../lib/schema-fields.ts';

const Cooldown = Type.Object(
  { cooldown: duration('Cooldown', 'After a run was started, none is started for this long.', '10m') },
  { additionalProperties: false },
);

/** How events become runs, if each event is independent. */
export const StartMode = Type.Union([Type.Literal('each'), Cooldown], {
  title: 'Mode',
  description: 'How events become runs: each (one run an event), or cooldown. Default: each.',
  examples: ['each', { cooldown: '10m' }],
});

/** How events become runs. */
export const EventMode = Type.Union(
  [
    Type.Literal('each'),
    Type.Object(
      {
        batch: Type.Object(
          {
            max_records: Type.Integer({
              minimum: 1,
              title: 'Records',
              description: 'Maximum number of events of a batch.',
              examples: [1000],
            }),
            within: duration('Within', 'Or after this long, with those that have come.', '1m'),
          },
          {
            additionalProperties: false,
            title: 'Batch',
            description: 'One run for several events.',
            examples: [{ max_records: 1000, within: '1m' }],
          },
        ),
      },
      { additionalProperties: false },
    ),
    Cooldown,
    Type.Object(
      {
        window: Type.Object(
          {
            size: duration('Size', 'How far a window reaches back, in the time of the events.', '1h'),
            slide: Type.Optional(duration('Slide', 'How often a window ends. Default: its size.', '1m')),
            lateness: Type.Optional(duration('Lateness', 'How late events may come and still count. Default: 0s.', '5m')),
            key: Type.Optional(expression('Key', 'One window for each value.', 'event.product_id')),
            aggregates: Type.Record(Type.String(), Type.String(), {
              title: 'Aggregates',
              description: 'What is computed over the events of a window, by name: count(), sum(x), min(x), max(x), avg(x).',
              examples: [{ views: 'count()' }],
            }),
            having: Type.Optional(
              Type.String({
                title: 'Having',
                description: 'A condition over the aggregates; a run starts when it becomes true.',
                examples: ['views > 1000'],
                template: 'expression',
                gives: 'condition',
                reads: 'aggregates',
              }),
            ),
            keys_per_run: Type.Optional(
              count(
                'Keys per run',
                'One run handles up to this many keys of a window, as the list event.keys: all keys that satisfy `having`, and those that satisfied it one slide before. Default: one run per key.',
                1000,
              ),
            ),
          },
          {
            additionalProperties: false,
            title: 'Window',
            description: 'Starts a run when an aggregate over a time window matches a condition.',
            examples: [{ size: '1h', slide: '1m', key: 'event.product_id', aggregates: { views: 'count()' }, having: 'views > 1000' }],
          },
        ),
      },
      { additionalProperties: false },
    ),
  ],
  {
    title: 'Mode',
    description: 'How events become runs: each (one run an event), or a map of batch, cooldown or window.',
    examples: ['each', { cooldown: '10m' }],
  },
);

/** How to handle an event that cannot be read. */
export const OnInvalid = Type.Union([Type.Literal('dead_letter'), Type.Literal('skip'), Type.Literal('stop')], {
  title: 'On invalid',
  description:
    'What happens to an event that cannot be read: dead-letter it with the reason, skip it, or stop the sensor. Default: dead_letter.',
  examples: ['dead_letter'],
});
