import Type from 'typebox';
import { duration, severity } from '../../lib/schema-fields.ts';
import { SUPPRESSIONS } from '../../workflows/plan/incidents/sla.ts';
import { SLA_REFERENCE_NAMES, SLA_REFERENCES } from '../../workflows/plan/incidents/sla-references.ts';

const common = {
  severity: Type.Optional(severity('Severity of a breach. Default: error; for a critical pipeline: critical.')),
  warn_at: Type.Optional(
    Type.String({
      pattern: '^([1-9][0-9]?%|[0-9]+[smhdw].*)$',
      form: 'a part such as 80%, or a duration',
      title: 'Warn at',
      description: 'When to warn before the breach: a part of the allowed time, or a duration after the reference.',
      examples: ['80%'],
    }),
  ),
  suppress_when: Type.Optional(
    Type.Array(Type.Union(SUPPRESSIONS.map((each) => Type.Literal(each))), {
      uniqueItems: true,
      title: 'Suppress when',
      description: 'Runs for which no alert is sent.',
      examples: [['backfill', 'paused']],
    }),
  ),
  runbook: Type.Optional(
    Type.String({ format: 'uri', title: 'Runbook', description: 'Runbook for on-call staff.', examples: ['https://wiki/sales'] }),
  ),
};

const name = Type.String({
  pattern: '^[a-z][a-z0-9_]{0,63}$',
  form: 'lowercase letters, digits and _, starting with a letter',
  title: 'Name',
  description: 'Name of the SLA in pages.',
  examples: ['finishes_in_time'],
});

const REFERENCES_TEXT = SLA_REFERENCE_NAMES.map((reference) => `${reference}: ${SLA_REFERENCES[reference].description}`).join('. ');

/** One SLA: a duration, a time of day, or a condition over outputs. */
export const SlaSchema = Type.Object(
  {
    name,
    dataset: Type.Optional(
      Type.String({
        format: 'uri',
        title: 'Dataset',
        description:
          'Makes this an SLA on the freshness of a dataset: `within` is its maximum age, `by` the time of day by which a run must have updated it.',
        examples: ['s3://warehouse/sales'],
      }),
    ),
    within: Type.Optional(duration('Within', 'Maximum time from the reference to the end.', '2h')),
    by: Type.Optional(
      Type.String({
        pattern: '^([01][0-9]|2[0-3]):[0-5][0-9]$',
        form: 'a time of day',
        title: 'By',
        description: "Latest time of day for the end, in the pipeline's time zone.",
        examples: ['06:00'],
      }),
    ),
    assert: Type.Optional(
      Type.String({
        template: 'expression',
        gives: 'condition',
        reads: 'run',
        names: ['failed_items'],
        title: 'Assert',
        description:
          'A condition over the outputs that must hold. `failed_items` is the number of failed items in tasks that continued without them.',
        examples: ['outputs.reconcile_sales.discrepancy <= 0.001'],
      }),
    ),
    reference: Type.Optional(
      Type.Union(
        SLA_REFERENCE_NAMES.map((reference) => Type.Literal(reference)),
        {
          title: 'Reference',
          description: `What the time counts from. Default: started_at. ${REFERENCES_TEXT}.`,
          examples: ['data_interval_end'],
        },
      ),
    ),
    calendar: Type.Optional(
      Type.Unsafe<'schedule' | object>({
        anyOf: [{ const: 'schedule' }, { $ref: '#/definitions/calendar' }],
        title: 'Calendar',
        description: 'Excluded days: a calendar as in a schedule, or `schedule` for the calendar of the schedule.',
        examples: ['schedule', { business_days: true, exclude: ['2024-12-25'] }],
      }),
    ),
    ...common,
  },
  {
    additionalProperties: false,
    title: 'SLA',
    description: 'A condition that monitors check.',
    examples: [{ name: 'finishes_in_time', within: '2h' }],
  },
);

const ShortSla = Type.Object(
  { max_duration: duration('Longest duration', 'Maximum duration of a run.', '2h') },
  { additionalProperties: false, title: 'SLA', description: 'Short form of an SLA with one deadline.', examples: [{ max_duration: '2h' }] },
);

/** The key `sla` of a pipeline or a task. */
export const SlaListSchema = Type.Union([Type.Array(SlaSchema, { minItems: 1 }), ShortSla], {
  title: 'SLA',
  description: 'Conditions that monitors check, independently of the workers: a list, or only {max_duration: 2h}.',
  examples: [{ max_duration: '2h' }, [{ name: 'finishes_in_time', within: '2h', reference: 'data_interval_end' }]],
});
