import Type, { type TObject, type TProperties } from 'typebox';
import type { ConnectionKind, ConnectionOf } from '../connections/catalog.ts';
import { connectionField } from '../connections/connection-field.ts';
import { condition, expression } from '../lib/schema-fields.ts';
import type { WatchedPlace } from '../workflows/plan/datasets/places.ts';
import type { Shape } from '../workflows/plan/expressions/shape.ts';
import type { JsonObject } from '../workflows/plan/values/json.ts';
import type { PipelineName } from '../workflows/plan/ids.ts';
import type { Plan } from '../workflows/plan/plan.ts';
import { OWN_CAUSES } from '../workflows/plan/runs/run.ts';
import type { TriggerPlan } from '../workflows/plan/trigger.ts';
import type { EventMatcher } from './events/event-matcher.ts';
import type { EventRuns } from './events/event-runs.ts';
import type { Cursor } from './run/run-starts.ts';
import type { SensorJournal } from './run/sensor-journal.ts';

/** The identity of a sensor. */
export interface SensorIdentity {
  readonly dagId: string;
  /** Of the pipeline, different for each deployment. */
  readonly name: PipelineName;
  readonly plan: Plan;
  readonly trigger: TriggerPlan;
  /** The index of this consumer, from 0. */
  readonly consumer: number;
  /** When the sensor first started, ISO 8601. */
  readonly since: string;
  /** The trigger's connection. @throws ConnectionError */
  connection<T extends ConnectionKind>(types: readonly T[]): ConnectionOf<T>;
}

/** The context of a sensor's `run`. */
export interface SensorContext extends SensorIdentity {
  readonly matcher: EventMatcher;
  readonly runs: EventRuns;
  readonly journal: SensorJournal;
  /** Aborted when the sensor must stop. */
  readonly signal: AbortSignal;
  readonly log: { warn(message: string, fields?: object): void; info(message: string, fields?: object): void };
}

/** Watches a source. */
export interface Sensor {
  /**
   * Reads events until the signal is aborted, then rejects. An event is done only after `runs` has started its run: only then acknowledge
   * it to the source, or move `journal.cursor` on.
   * @throws ApplicationFailure `SensorStopped` for problems that only a person can fix; any other error restarts the sensor
   */
  run(context: SensorContext): Promise<void>;
  /** Makes the next `run` start at `to`: `earliest`, `latest`, or a time. @param cursor its previous position @returns its new cursor */
  reset(identity: SensorIdentity, to: string, cursor: Cursor): Promise<Cursor>;
}

/** A trigger type: starts runs on events instead of a schedule. */
export interface TriggerType {
  /** The `type:` in YAML. */
  readonly type: string;
  /** One sentence for documentation and editors. */
  readonly description: string;
  /** The keys in addition to `name` and `type`. */
  readonly params: TObject;
  readonly connection?: TriggerConnection;
  /** Groups of keys of which a trigger must have exactly one. */
  readonly exactlyOneOf?: readonly (readonly string[])[];
  /** The fields of its events in expressions. */
  readonly event: EventShape;
  /** The external places that it watches, if tasks can write to them; `source` contains the trigger's own keys. */
  watches?(source: JsonObject): readonly WatchedPlace[];
  /** Absent: this release checks such triggers but cannot run them yet. */
  readonly sensor?: Sensor;
  /** A YAML trigger that compiles. */
  readonly example: JsonObject;
}

/** The types of an event in expressions. */
export interface EventShape {
  /** Type of `event`; absent: any JSON. */
  readonly value?: Shape;
  /** The fields of `event_meta` in addition to `timestamp`, which every event has. */
  readonly meta?: Readonly<Record<string, Shape>>;
}

/** The trigger's connection, selected by the key `conn_id`. */
interface TriggerConnection {
  readonly default: string;
  readonly types: readonly ConnectionKind[];
  /** The key's name in earlier releases. */
  readonly formerly?: string;
}

/** Keys of all triggers. */
const COMMON = {
  when: Type.Optional(
    condition('When', 'A condition over the event; only what it holds for starts a run.', 'event.behavior_change_score > 0.7'),
  ),
  params: Type.Optional(
    Type.Record(Type.String(), Type.Unknown(), {
      title: 'Parameters',
      description: 'What the run is given: values, with expressions over the event.',
      examples: [{ segment: '{{ event.segment }}' }],
      template: 'value',
      runParams: true,
    }),
  ),
  dedup_key: Type.Optional(expression('Deduplication key', 'Events of the same value start one run together.', 'event.id')),
  max_in_flight: Type.Optional(
    Type.Integer({
      minimum: 1,
      title: 'In flight',
      description: 'Maximum number of runs of this trigger at the same time.',
      examples: [100],
    }),
  ),
} satisfies TProperties;
const COMMON_KEYS: ReadonlySet<string> = new Set(['name', 'type', 'conn_id', ...Object.keys(COMMON)]);

/** The only trigger type that shares its cause with runs started by tasks. */
const SHARED_CAUSE = 'pipeline';

/**
 * Defines a trigger type: a file in `sensors/`, listed in `sensors/catalog.ts`. The YAML schema, the editor, the reference page, the types
 * of `event` and `event_meta`, and the sensor's activities are derived from it.
 *
 * Every trigger also has the keys `name`, `type`, `when`, `params`, `dedup_key` and `max_in_flight`, and `conn_id` if `connection` is
 * given. Defaults: `event.value` is any JSON, `event_meta` has only `timestamp`. Sensors get times in milliseconds; durations in YAML are
 * strings with a unit. `sensor.run` ends only when its signal is aborted. It moves its cursor only after `runs` has started the run of an
 * event. It throws `SensorStopped` for problems that only a person can fix; any other error restarts it.
 * @param definition see TriggerType for each field
 * @returns the trigger type, for the catalog
 * @throws Error when a key has the name of a key that every trigger has, or when its type is the cause of other runs
 * @example
 * // sensors/feed.ts
 * import Type from 'typebox';
 * import { callHttp } from '../lib/http.ts';
 * import { text } from '../lib/schema-fields.ts';
 * import { defineTrigger } from './define-trigger.ts';
 * import { pollSource } from './run/poll.ts';
 * import { cannotReset } from './run/time-cursor.ts';
 *
 * export const feed = defineTrigger({
 *   type: 'feed',
 *   description: 'Starts a run for each new entry of a JSON feed.',
 *   connection: { default: 'http_default', types: ['http'] },
 *   params: Type.Object({ path: text('Path', 'Where the feed is.', '/news.json', { format: 'path' }) }),
 *   event: { value: { fields: { id: 'string', title: 'string' } }, meta: { position: 'int' } },
 *   sensor: {
 *     run: (context) =>
 *       pollSource<number>(context, {
 *         every: 60_000,
 *         begin: () => Promise.resolve(0),
 *         async poll(cursor) {
 *           const { body } = await callHttp(context.connection(['http']), { path: String(context.trigger.source.path), signal: context.signal });
 *           const entries = (body as { id: string; title: string }[]).slice(cursor);
 *           const found = entries.map((value, index) => ({
 *             id: value.id,
 *             event: { value, meta: { timestamp: new Date().toISOString(), position: cursor + index } },
 *           }));
 *           return { found, cursor: cursor + entries.length };
 *         },
 *       }),
 *     reset: cannotReset('a feed is read from its first entry'),
 *   },
 *   example: { name: 'news', type: 'feed', path: '/news.json' },
 * });
 */
export function defineTrigger({ connection, params, ...rest }: TriggerType): TriggerType {
  if (rest.type !== SHARED_CAUSE && (OWN_CAUSES as readonly string[]).includes(rest.type))
    throw new Error(`A trigger type cannot be called '${rest.type}': that is the cause of runs that no event has started. Rename it.`);
  const shadowing = Object.keys(params.properties).find((key) => COMMON_KEYS.has(key));
  if (shadowing !== undefined)
    throw new Error(`The key '${shadowing}' of the trigger type '${rest.type}' has the name of a key that every trigger has. Rename it.`);
  const named = connection && {
    conn_id: Type.Optional(
      connectionField(`Where it listens. Default: ${connection.default}.`, connection.default, connection.types, connection.formerly),
    ),
  };
  return {
    ...rest,
    ...(connection && { connection }),
    params: Type.Object({ ...COMMON, ...params.properties, ...named }, { additionalProperties: false }),
  };
}
