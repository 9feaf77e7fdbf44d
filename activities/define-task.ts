import type { Context } from '@temporalio/activity';
import Type, { type Static, type TObject, type TProperties, type TSchema } from 'typebox';
import type { ConnectionOf, ConnectionType } from '../connections/catalog.ts';
import { connectionField } from '../connections/connection-field.ts';
import type { RunLookup } from './run/run-lookup.ts';
import { COMMON_TASK_KEYS, type CommonTaskKey } from '../workflows/plan/tasks/common-task-keys.ts';
import type { DatasetReference } from '../workflows/plan/datasets/dataset.ts';
import type { Place } from '../workflows/plan/datasets/places.ts';
import type { Json, JsonObject } from '../workflows/plan/values/json.ts';
import type { RunIdentity } from '../workflows/plan/tasks/task-input.ts';

/** What a task's `run` gets beside its parameters. */
export interface TaskContext<C extends ConnectionNeeds = ConnectionNeeds> {
  /** The pipeline run: the workflow id. */
  readonly pipelineRunId: string;
  readonly dagId: string;
  readonly task: string;
  /** From 1. */
  readonly attempt: number;
  /** Of the plan that the run carries out; for a task type that declares `lineage`. */
  readonly planHash?: string;
  /** ISO 8601 in UTC, half open: `[start, end)`. */
  readonly interval: { readonly start: string; readonly end: string };
  /** Of the run, for a task type that keeps its effects apart by run; absent in runs that an earlier release started. */
  readonly run?: RunIdentity;
  /** The same for every attempt of this task in this run; for servers that take such a key. */
  readonly idempotencyKey: string;
  /** The upstream's data, for a task type that reads one. */
  readonly input: DatasetReference | undefined;
  /** Where to write, for a task type that writes a data set: `s3://bucket/prefix/`, which no other run has. */
  readonly output: string | undefined;
  /** The folder of the interval, which holds `output`: readers outside of Sluice follow the manifest there. */
  readonly intervalFolder: string | undefined;
  readonly connections: {
    readonly [K in keyof C]: ConnectionOf<C[K]['types'][number]> | (C[K] extends { readonly default: string } ? never : undefined);
  };
  /**
   * A connection that is named elsewhere among the parameters.
   * @throws ApplicationFailure `ConnectionNotDefined`
   */
  connection<T extends ConnectionType>(name: string, types: readonly T[]): ConnectionOf<T>;
  /** The time zone of the pipeline; UTC where it has none. */
  readonly timezone: string;
  /**
   * Whether a condition among the parameters holds.
   * @param own the names that it has beside those of every run, such as `body`
   * @throws ApplicationFailure `InvalidParameters` when it cannot be said
   */
  holds(condition: string, own: JsonObject): boolean;
  /** A text that goes to people, without the secrets of this worker's connections and whatever else looks like one. */
  scrub(text: string): string;
  /** What this deployment's Temporal knows of runs. */
  readonly runs: RunLookup;
  /** Aborted when the run is cancelled, the attempt has timed out, or the worker shuts down. */
  readonly signal: AbortSignal;
  /** Whether `signal` was aborted because this worker shuts down: the work may be left for the next one to take up. */
  workerShutsDown(): boolean;
  /**
   * Whether the server has given this attempt up although nobody cancelled it: its time was over, or it was silent for too long. Another
   * attempt may be at work on the same output: nothing there may be touched any more.
   */
  givenUp(): boolean;
  /** Records progress: shown in the Temporal UI, and given to the next attempt as `resumePoint`. Small JSON. */
  progress(point: Json): void;
  /** What the previous attempt recorded last. */
  readonly resumePoint: Json | undefined;
  readonly log: Context['log'];
}

/** The connections a task type uses: a name for `ctx.connections`, with the YAML key that names it and its default. */
export interface ConnectionNeeds {
  readonly [name: string]: {
    /** The YAML key: `conn_id`, or `<role>_conn_id` where a task type has several. */
    readonly key: string;
    /** What earlier releases called the key. */
    readonly formerly?: string;
    /** Absent: a task that names none has none. */
    readonly default?: string;
    readonly types: readonly ConnectionType[];
    readonly description: string;
  };
}

/** How a task type takes part in the hand-over of data between tasks. */
export interface DataHandOver {
  /** It reads its nearest upstream's data set; `bucketKey` is the parameter that says in which bucket that must lie. */
  readonly reads?: { readonly bucketKey?: string };
  /** It writes a data set: into the bucket that parameter `bucketKey` names, else into the one its downstream reads from. */
  readonly writes?: { readonly bucketKey?: string };
}

/** What is wrong with parameters that are right one by one. */
export interface ParamMistake {
  /** The way to it: `['checks', 0, 'min']`; to what lacks something, where a key is missing. */
  readonly at: readonly (string | number)[];
  /** A sentence. */
  readonly message: string;
  /** What to do: `remove it`. */
  readonly hint?: string;
}

export interface TaskType<P extends TProperties = TProperties, C extends ConnectionNeeds = ConnectionNeeds> {
  /** Snake case; the `type:` of YAML and Temporal's activity type. */
  readonly type: string;
  /** A sentence for documentation and editors. */
  readonly description: string;
  /** One line for the Temporal UI: what this task does with these parameters. */
  summary(params: Static<TObject<P>>): string;
  /** The keys that stand flat beside `name` and `type`. */
  readonly params: TObject<P>;
  /** Groups of keys of which a task has one and only one. */
  readonly exactlyOneOf?: readonly (readonly string[])[];
  /** Looks at what a schema cannot say. Called for the file, and again when expressions have values; parameters fit the schema. */
  mistakes?(params: Static<TObject<P>>): readonly ParamMistake[];
  /** Parameters that, where they are not given, are an output of the nearest task of a type before it; `same`: a parameter that both have alike. */
  readonly fromUpstream?: Readonly<Record<string, { readonly type: string; readonly output: string; readonly same: string }>>;
  /**
   * After the end of a run, a task of this type takes back what the task of the same type in `tasks` did that has this parameter alike: it then
   * `undoes` that task where its file does not say so.
   */
  readonly undoesSame?: string;
  /** Whether its output says how things stand, such as who is champion: a rerun of what follows it asks again. */
  readonly outputExpires?: boolean;
  /** Whether what it makes is remembered with the plan that has made it: `ctx.planHash`. */
  readonly lineage?: boolean;
  /** Whether its effects are kept apart by run: `ctx.run`, and an idempotency key that no other run has. What reads or writes data always does. */
  readonly ownsEffects?: boolean;
  /** The types of a connection that is named beside certain other keys, where its own key does not say them. */
  connectionTypes?(siblings: JsonObject): readonly ConnectionType[];
  /** How long a task waits for a person when it has failed and no `hold_on_failure` is given, such as `7d`. */
  heldFor?(params: Static<TObject<P>>): string | undefined;
  /** Where it writes beside a data set: that which triggers may watch. `connection` is a name in `connections`. */
  writesTo?(params: Static<TObject<P>>): readonly (Place & { readonly connection: string })[];
  /** Values of keys that are checked, and whose runtime is not there yet. */
  readonly planned?: Readonly<Record<string, readonly string[]>>;
  /** Whether it waits: `run` throws `notYet` until what it waits for is there, and is called again after `poke_interval`. Its keys hold WAIT_KEYS. */
  readonly waits?: boolean;
  /** Types of failures of its own, beside the common ones of failure-types.ts. */
  readonly errors?: readonly string[];
  readonly result: TSchema;
  readonly connections: C;
  readonly data: DataHandOver;
  /** Used where the pipeline says nothing. Durations as in YAML: `15s`. */
  readonly defaults: { readonly heartbeat_timeout: string; readonly execution_timeout: string };
  /** A YAML task that compiles: shown in the docs, and run through the compiler by a test. */
  readonly example: JsonObject;
  /**
   * Who carries it out: an activity, the interpreter itself, or nobody yet: a `planned` type is part of the language, is checked like every
   * other, and is not applied.
   */
  readonly runtime: 'activity' | 'interpreter' | 'planned';
  run(context: TaskContext<C>, params: Static<TObject<P>>): Promise<Json>;
}

type TaskTypeDefinition<P extends TProperties, C extends ConnectionNeeds, R extends TSchema> = Omit<
  TaskType<P, C>,
  'result' | 'run' | 'data' | 'defaults' | 'runtime'
> & {
  readonly result: R;
  readonly data?: DataHandOver;
  readonly defaults?: Partial<TaskType['defaults']>;
  run(context: TaskContext<C>, params: Static<TObject<P>>): Promise<Static<R>>;
};

/** What is wrong with parameters that have the name of a key which every task has: the compiler would not hand them to the task. */
type Unshadowed<P, C extends ConnectionNeeds> = [Extract<keyof P | C[keyof C]['key'], CommonTaskKey>] extends [never]
  ? unknown
  : { readonly 'a parameter has the name of a key that every task has': Extract<keyof P | C[keyof C]['key'], CommonTaskKey> };

/**
 * Defines a task type: a file in `activities/`, listed in `activities/catalog.ts`. The schema of YAML files, the editor, the reference page, the
 * types of `outputs.<task>` and the activity follow from it. docs/10 shows how to test one.
 *
 * Defaults: `data` `{}`, `defaults.heartbeat_timeout` `15s`, `defaults.execution_timeout` `24h`. Durations are texts with a unit, as in YAML.
 * `run` is called once for each attempt and may be killed at any point; it returns at most 64 KiB of JSON and throws `userFault(…)` where
 * another attempt cannot help, anything else where it may. Each of `connections` adds a key to `params`, so that an analyst can name another.
 * @param definition see TaskType for each field
 * @returns the task type, for the catalog
 * @throws Error when a parameter has the name of a key that every task has, such as `queue`; that does not compile either
 * @example
 * // activities/greet.ts
 * import Type from 'typebox';
 * import { defineTask } from './define-task.ts';
 *
 * export const greet = defineTask({
 *   type: 'greet',
 *   description: 'Greets somebody.',
 *   summary: ({ who }) => `hello, ${who}`,
 *   params: Type.Object({ who: Type.String({ title: 'Who', description: 'The name to greet.', examples: ['Ada'] }) }),
 *   result: Type.Object({ greeting: Type.String() }),
 *   connections: {},
 *   example: { name: 'say_hello', type: 'greet', who: 'Ada' },
 *   run: (ctx, { who }) => Promise.resolve({ greeting: `Hello, ${who}, on ${ctx.interval.start.slice(0, 10)}!` }),
 * });
 */
export function defineTask<P extends TProperties, const C extends ConnectionNeeds, R extends TSchema>(
  definition: TaskTypeDefinition<P, C, R> & Unshadowed<P, C>,
): TaskType {
  return taskTypeOf(definition);
}

/** Declares a task type that no activity carries out. @throws Error as defineTask does */
export function declareTask<P extends TProperties, const C extends ConnectionNeeds, R extends TSchema>(
  declaration: Declaration<P, C, R> & Unshadowed<P, C>,
): TaskType {
  const { runtime, ...definition }: Declaration<P, C, R> = declaration;
  const run = (): Promise<never> => Promise.reject(new Error(`No activity carries out ${definition.type}.`));
  return { ...taskTypeOf<P, C, R>({ ...definition, run }), runtime };
}

type Declaration<P extends TProperties, C extends ConnectionNeeds, R extends TSchema> = Omit<TaskTypeDefinition<P, C, R>, 'run'> & {
  readonly runtime: 'interpreter' | 'planned';
};

function taskTypeOf<P extends TProperties, C extends ConnectionNeeds, R extends TSchema>(
  definition: TaskTypeDefinition<P, C, R>,
): TaskType {
  const connectionKeys = Object.fromEntries(
    Object.values(definition.connections).map((need) => [
      need.key,
      Type.Optional(
        need.default === undefined
          ? connectionField(need.description, `${need.types[0]}_default`, need.types, need.formerly)
          : connectionField(`${need.description} Default: ${need.default}.`, need.default, need.types, need.formerly),
      ),
    ]),
  );
  const { data = {}, defaults = {}, ...rest } = definition;
  const properties = { ...definition.params.properties, ...connectionKeys };
  const shadowing = Object.keys(properties).find((key) => (COMMON_TASK_KEYS as readonly string[]).includes(key));
  if (shadowing !== undefined) {
    throw new Error(
      `The parameter '${shadowing}' of the task type '${definition.type}' has the name of a key that every task has. Rename it, for example to ` +
        `'${definition.type}_${shadowing}'.`,
    );
  }
  // One cast: the catalog holds task types of many parameter types; each `run` is only ever called with what its own schema has passed.
  return {
    ...rest,
    params: Type.Object(properties, { additionalProperties: false }),
    data,
    runtime: 'activity',
    defaults: { heartbeat_timeout: '15s', execution_timeout: '24h', ...defaults },
  } as unknown as TaskType;
}
