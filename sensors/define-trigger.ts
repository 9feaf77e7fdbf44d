import Type, { type TObject, type TProperties } from 'typebox';
import type { ConnectionOf, ConnectionType } from '../connections/catalog.ts';
import { connectionField } from '../connections/connection-field.ts';
import { condition, expression } from '../lib/schema-fields.ts';
import type { WatchedPlace } from '../workflows/plan/datasets/places.ts';
import type { Shape } from '../workflows/plan/expressions/shape.ts';
import type { JsonObject } from '../workflows/plan/values/json.ts';
import type { Plan } from '../workflows/plan/plan.ts';
import { OWN_CAUSES } from '../workflows/plan/runs/run.ts';
import type { TriggerPlan } from '../workflows/plan/trigger.ts';
import type { EventMatcher } from './events/event-matcher.ts';
import type { EventRuns } from './events/event-runs.ts';
import type { Cursor } from './run/run-starts.ts';
import type { SensorJournal } from './run/sensor-journal.ts';

/** What a sensor knows of itself. */
export interface SensorIdentity {
  readonly dagId: string;
  readonly plan: Plan;
  readonly trigger: TriggerPlan;
  /** Which of its consumers this is, from 0. */
  readonly consumer: number;
  /** When the sensor first began, ISO 8601. */
  readonly since: string;
  /** The connection that the trigger names. @throws ConnectionError */
  connection<T extends ConnectionType>(types: readonly T[]): ConnectionOf<T>;
}

/** What a sensor's `run` gets. */
export interface SensorContext extends SensorIdentity {
  readonly matcher: EventMatcher;
  readonly runs: EventRuns;
  readonly journal: SensorJournal;
  /** Aborted when the sensor is to stop. */
  readonly signal: AbortSignal;
  readonly log: { warn(message: string, fields?: object): void; info(message: string, fields?: object): void };
}

/** Watches a source. */
export interface Sensor {
  /**
   * Looks at events until the signal is aborted, then rejects. An event is done with only when `runs` has started its run: then, and not
   * before, the source is told, or `journal.cursor` moved on.
   * @throws ApplicationFailure `SensorStopped` for what only a person can put right; everything else begins it anew
   */
  run(context: SensorContext): Promise<void>;
  /** Makes the next `run` begin at `to`: `earliest`, `latest`, or a time. @param cursor where it stood @returns its cursor */
  reset(identity: SensorIdentity, to: string, cursor: Cursor): Promise<Cursor>;
}

/** A kind of trigger: what starts runs besides the clock. */
export interface TriggerType {
  /** The `type:` of YAML. */
  readonly type: string;
  /** A sentence for documentation and editors. */
  readonly description: string;
  /** The keys beside `name` and `type`. */
  readonly params: TObject;
  readonly connection?: TriggerConnection;
  /** Keys of each group exclude each other, and one of them is needed. */
  readonly exactlyOneOf?: readonly (readonly string[])[];
  /** What expressions read of its events. */
  readonly event: EventShape;
  /** What outside of Sluice it watches, where tasks could write there; `source` holds its own keys. */
  watches?(source: JsonObject): readonly WatchedPlace[];
  /** Absent: this release checks such triggers and cannot carry them out yet. */
  readonly sensor?: Sensor;
  /** A YAML trigger that compiles. */
  readonly example: JsonObject;
}

/** The types of what expressions read of an event. */
export interface EventShape {
  /** Of `event`; absent: it is whatever the source holds. */
  readonly value?: Shape;
  /** The fields of `event_meta` beside `timestamp`, which every event has. */
  readonly meta?: Readonly<Record<string, Shape>>;
}

/** The connection it listens on, which the key `conn_id` names. */
interface TriggerConnection {
  readonly default: string;
  readonly types: readonly ConnectionType[];
  /** What earlier releases called the key. */
  readonly formerly?: string;
}

/** What every trigger can say. */
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

/** The type of trigger whose runs have the cause that runs have which tasks start. */
const SHARED_CAUSE = 'pipeline';

/**
 * Defines a trigger type: a file in `sensors/`, listed in `sensors/catalog.ts`. The schema of YAML files, the editor, the reference page, the
 * types of `event` and `event_meta`, and the sensor's activities follow from it.
 *
 * Every trigger also has the keys `name`, `type`, `when`, `params`, `dedup_key` and `max_in_flight`, and `conn_id` where `connection` is given.
 * Defaults: `event.value` is any JSON, `event_meta` has `timestamp` alone. Times that a sensor gets are in milliseconds, durations in YAML are
 * texts with a unit. `sensor.run` ends only when its signal is aborted; it moves its cursor after `runs` has started the run of an event, and
 * not before. It throws `SensorStopped` where only a person can help; any other error restarts it.
 * @param definition see TriggerType for each field
 * @returns the trigger type, for the catalog
 * @throws Error when one of its keys has the name of a key that every trigger has, or its type is the cause of other runs
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
