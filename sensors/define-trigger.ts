import Type, { type TObject, type TProperties } from 'typebox';
import { expression } from '../lib/schema-fields.ts';
import type { JsonObject } from '../workflows/plan/json.ts';

/** A kind of trigger: what starts runs besides the clock. */
export interface TriggerType {
  /** The `type:` of YAML. */
  readonly type: string;
  /** A sentence for documentation and editors. */
  readonly description: string;
  /** The keys beside `name` and `type`. */
  readonly params: TObject;
  /** A YAML trigger that compiles. */
  readonly example: JsonObject;
}

interface TriggerDefinition {
  readonly type: string;
  readonly description: string;
  readonly params: TObject;
  /** The connection it listens on: the key that names it, and its default. */
  readonly connection?: { readonly key: string; readonly default: string };
  readonly example: JsonObject;
}

/** What every trigger can say. */
const COMMON = {
  when: Type.Optional(
    expression('When', 'A condition over the event; only what it holds for starts a run.', 'event.behavior_change_score > 0.7'),
  ),
  params: Type.Optional(
    Type.Record(Type.String(), Type.Unknown(), {
      title: 'Parameters',
      description: 'What the run is given: values, with expressions over the event.',
      examples: [{ segment: '{{ event.segment }}' }],
    }),
  ),
  dedup_key: Type.Optional(expression('Deduplication key', 'Events of the same value start one run together.', 'event.id')),
  max_in_flight: Type.Optional(
    Type.Integer({
      minimum: 1,
      title: 'In flight',
      description: 'No further run is started while so many have not ended.',
      examples: [100],
    }),
  ),
} satisfies TProperties;

/** Defines a kind of trigger. To add one: write its file beside this one, and list it in catalog.ts. */
export function defineTrigger({ connection, params, ...rest }: TriggerDefinition): TriggerType {
  const named = connection && {
    [connection.key]: Type.Optional(
      Type.String({
        pattern: '^[a-z][a-z0-9_]*$',
        form: 'small letters, digits and _',
        title: 'Connection',
        description: `Where it listens. Default: ${connection.default}.`,
        examples: [connection.default],
      }),
    ),
  };
  return { ...rest, params: Type.Object({ ...COMMON, ...params.properties, ...named }, { additionalProperties: false }) };
}
