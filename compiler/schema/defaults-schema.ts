import type { JsonSchema } from './json-schema.ts';

/** The keys of a pipeline that a `defaults.yaml` may set. The others say what one pipeline is. */
export const DEFAULT_KEYS: ReadonlySet<string> = new Set([
  'owner',
  'tags',
  'timezone',
  'start_date',
  'end_date',
  'catchup',
  'max_active_runs',
  'dagrun_timeout',
  'default_args',
  'sla',
  'alerts',
  'critical',
]);

/** The JSON Schema of `defaults.yaml`, derived from that of pipelines. */
export function defaultsSchema({ properties, ...pipeline }: JsonSchema): JsonSchema {
  return {
    ...pipeline,
    title: 'Sluice defaults',
    description: 'Defaults for the pipelines of this folder and the folders below it.',
    required: [],
    properties: Object.fromEntries(Object.entries(properties as JsonSchema).filter(([key]) => DEFAULT_KEYS.has(key))),
  };
}
