import type { Context } from '@temporalio/activity';
import Type, { type Static, type TObject, type TProperties, type TSchema } from 'typebox';
import { type ConnectionKind, type ConnectionOf, typeName } from '../connections/catalog.ts';
import { connectionField } from '../connections/connection-field.ts';
import type { RunLookup } from './run/run-lookup.ts';
import { COMMON_TASK_KEYS, type CommonTaskKey } from '../workflows/plan/tasks/common-task-keys.ts';
import type { DatasetReference } from '../workflows/plan/datasets/dataset.ts';
import type { Place } from '../workflows/plan/datasets/places.ts';
import type { Json, JsonObject } from '../workflows/plan/values/json.ts';
import type { RunIdentity } from '../workflows/plan/tasks/task-input.ts';

/** The context of a task's `run`. */
export interface TaskContext<C extends ConnectionNeeds = ConnectionNeeds> {
  /** The workflow id of the pipeline run. */
  readonly pipelineRunId: string;
  readonly dagId: string;
  readonly task: string;
  /** Counted from 1. */
  readonly attempt: number;
  /** Hash of the plan that the run executes; set for task types that declare `lineage`. */
  readonly planHash?: string;
  /** ISO 8601 in UTC, half open: `[start, end)`. */
  readonly interval: { readonly start: string; readonly end: string };
  /** Identity of the run, for task types with `ownsEffects`; absent in runs that an earlier release started. */
  readonly run?: RunIdentity;
  /** The same for all attempts of this task in this run, for servers that accept an idempotency key. */
  readonly idempotencyKey: string;
  /** The upstream's data, for a task type that reads a dataset. */
  readonly input: DatasetReference | undefined;
  /** Where to write, for a task type that writes a dataset: `s3://bucket/prefix/`, unique to this run. */
  readonly output: string | undefined;
  /** The folder of the interval, which contains `output`: readers outside Sluice follow the manifest there. */
  readonly intervalFolder: string | undefined;
  readonly connections: {
    readonly [K in keyof C]: ConnectionOf<C[K]['types'][number]> | (C[K] extends { readonly default: string } ? never : undefined);
  };
  /**
   * Returns a connection that a parameter names, outside of `connections`.
   * @throws ApplicationFailure `ConnectionNotDefined`
   */
  connection<T extends ConnectionKind>(name: string, types: readonly T[]): ConnectionOf<T>;
  /** The time zone of the pipeline; default: UTC. */
  readonly timezone: string;
  /**
   * Evaluates a condition given as a parameter.
   * @param own names available in addition to those of every run, such as `body`
   * @throws ApplicationFailure `InvalidParameters` when the condition has no value
   */
  holds(condition: string, own: JsonObject): boolean;
  /**
   * Evaluates an expression given as a parameter, such as one for each record of a file. Its cost is limited.
   * @param own names available in addition to those of every run, such as `record`
   * @throws ExpressionFailed when it has no value
   */
  evaluate(expression: string, own: JsonObject): Json;
  /** Removes from a text for people the secrets of this worker's connections and anything that looks like a secret. */
  scrub(text: string): string;
  /** Looks up runs in this deployment's Temporal. */
  readonly runs: RunLookup;
  /** Aborted when the run is cancelled, the attempt times out, or the worker shuts down. */
  readonly signal: AbortSignal;
  /** Whether `signal` was aborted because this worker shuts down: the next worker may take over the work. */
  workerShutsDown(): boolean;
  /**
   * Whether the server abandoned this attempt without a cancellation, because of its time limit or missing heartbeats. Another attempt may
   * already write the same output, so nothing there may be touched any more.
   */
  givenUp(): boolean;
  /** Records progress as small JSON: shown in the Temporal UI, and passed to the next attempt as `resumePoint`. */
  progress(point: Json): void;
  /** The last progress that the previous attempt recorded. */
  readonly resumePoint: Json | undefined;
  readonly log: Context['log'];
}

/** The connections of a task type: a name in `ctx.connections`, with the YAML key that selects the connection and its default. */
export interface ConnectionNeeds {
  readonly [name: string]: {
    /** The YAML key: `conn_id`, or `<role>_conn_id` where a task type has several. */
    readonly key: string;
    /** The key's name in earlier releases. */
    readonly formerly?: string;
    /** Absent: no connection unless the task names one. */
    readonly default?: string;
    /** Built-in types by name, others by their definition. */
    readonly types: readonly ConnectionKind[];
    readonly description: string;
  };
}

/** How a task type passes data between tasks. */
export interface DataHandOver {
  /**
   * Reads the dataset of the nearest upstream; the parameter `bucketKey` names the bucket that must contain it. `instead`: parameters that
   * name another source; default: `s3_key`.
   */
  readonly reads?: { readonly bucketKey?: string; readonly instead?: readonly string[] };
  /** Writes a dataset: into the bucket that the parameter `bucketKey` names, else into the one that its downstream reads from. */
  readonly writes?: { readonly bucketKey?: string };
}

/** A problem with parameters that are valid one by one. */
export interface ParamMistake {
  /** Path to the parameter: `['checks', 0, 'min']`; if a key is missing, the path to its parent. */
  readonly at: readonly (string | number)[];
  /** One sentence. */
  readonly message: string;
  /** What to do: `remove it`. */
  readonly hint?: string;
}

/** A file beside the pipeline that describes a parameter, such as an OpenAPI document. Read when the pipeline is compiled. */
export interface DescribingDocument {
  /** The parameter that names the file, in JSON or YAML. Tasks never see it. */
  readonly key: string;
  /** The parameter that the document describes: a name in it, which `read` replaces. */
  readonly replaces: string;
  /** Parameters that have a meaning only with the document. */
  readonly needed: readonly string[];
  /** @returns what the document says about `name`; or why it cannot be used, as a clause, with what to do instead */
  read(document: JsonObject, name: string): { readonly value: Json } | { readonly mistake: string; readonly hint?: string };
}

/** Schemas that depend on the values of parameters. */
export interface NarrowedTypes {
  /** A schema of parameters, which holds in addition to `params`. */
  readonly params: TSchema;
  /** Used in place of `result`. */
  readonly result?: TSchema;
}

export interface TaskType<P extends TProperties = TProperties, C extends ConnectionNeeds = ConnectionNeeds> {
  /** Snake case; the `type:` in YAML, and Temporal's activity type. */
  readonly type: string;
  /**
   * A whole number, to increase when pipelines need what earlier versions of the task type lack. Their tasks then only run on workers that
   * have this version or a later one, which must still carry out earlier plans. Default: 1.
   */
  readonly version?: number;
  /** Where it is defined: a file of the project, or a plugin. Set when a project is loaded; absent: built in. */
  readonly origin?: string;
  /** One sentence for documentation and editors. */
  readonly description: string;
  /** One line for the Temporal UI: what this task does with these parameters. */
  summary(params: Static<TObject<P>>): string;
  /** The keys at the same level as `name` and `type`. */
  readonly params: TObject<P>;
  /** Groups of keys of which a task must have exactly one. */
  readonly exactlyOneOf?: readonly (readonly string[])[];
  /** Checks what a schema cannot express. Runs on the file, and again after expressions are evaluated; parameters match the schema. */
  mistakes?(params: Static<TObject<P>>): readonly ParamMistake[];
  readonly document?: DescribingDocument;
  /** The schemas that follow from these parameters, which may be invalid; undefined: only `params` and `result` hold. */
  narrow?(params: JsonObject): NarrowedTypes | undefined;
  /** Parameters that default to an output of the nearest preceding task of a type; `same` names a parameter that must be equal in both. */
  readonly fromUpstream?: Readonly<Record<string, { readonly type: string; readonly output: string; readonly same: string }>>;
  /**
   * After a run ends, a task of this type reverts the task of the same type in `tasks` that has the same value of this parameter: it
   * `undoes` that task unless its file says otherwise.
   */
  readonly undoesSame?: string;
  /** Whether its output reflects a state that changes, such as the current champion: a rerun of its downstream tasks reruns it too. */
  readonly outputExpires?: boolean;
  /** Whether its results are recorded with the hash of the plan that produced them: `ctx.planHash`. */
  readonly lineage?: boolean;
  /** Whether its effects are separate per run: `ctx.run`, and an idempotency key unique to the run. Always true for tasks with data. */
  readonly ownsEffects?: boolean;
  /** The types of a connection that appears beside certain other keys, if its own key does not determine them. */
  connectionTypes?(siblings: JsonObject): readonly ConnectionKind[];
  /** How long a failed task stays on hold if `hold_on_failure` is not given, such as `7d`. */
  heldFor?(params: Static<TObject<P>>): string | undefined;
  /** Where it writes besides a dataset, for triggers that watch those places. `connection` is a name in `connections`. */
  writesTo?(params: Static<TObject<P>>): readonly (Place & { readonly connection: string })[];
  /** Values of keys that are checked but not supported at run time yet. */
  readonly planned?: Readonly<Record<string, readonly string[]>>;
  /** Whether it waits: `run` throws `notYet` until the condition is met, and is called again after `poke_interval`. Needs WAIT_KEYS. */
  readonly waits?: boolean;
  /** Failure types of its own, in addition to those in failure-types.ts. */
  readonly errors?: readonly string[];
  readonly result: TSchema;
  readonly connections: C;
  readonly data: DataHandOver;
  /** Used if the pipeline sets no value. Durations as in YAML: `15s`. */
  readonly defaults: { readonly heartbeat_timeout: string; readonly execution_timeout: string };
  /** A YAML task that compiles: shown in the docs, and compiled by a test. */
  readonly example: JsonObject;
  /**
   * What executes it: an activity or the interpreter. A `planned` type is part of the language and is checked like every other, but cannot
   * be applied yet.
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

/** A compile error for parameters named like a key that every task has: the compiler would not pass them to the task. */
type Unshadowed<P, C extends ConnectionNeeds> = [Extract<keyof P | C[keyof C]['key'], CommonTaskKey>] extends [never]
  ? unknown
  : { readonly 'a parameter has the name of a key that every task has': Extract<keyof P | C[keyof C]['key'], CommonTaskKey> };

/**
 * Defines a task type: a file in `activities/`, listed in `activities/catalog.ts`. The YAML schema, the editor, the reference page, the
 * types of `outputs.<task>` and the activity are derived from it. docs/10 shows how to test one.
 *
 * Defaults: `data` `{}`, `defaults.heartbeat_timeout` `15s`, `defaults.execution_timeout` `24h`. Durations are strings with a unit, as in
 * YAML. `run` is called once per attempt and may be killed at any point. It returns at most 64 KiB of JSON. It throws `userFault(…)` for
 * errors that a retry cannot fix, and any other error otherwise. Each of `connections` adds a key to `params` that selects the connection.
 * @param definition see TaskType for each field
 * @returns the task type, for the catalog
 * @throws Error when a parameter is named like a key that every task has, such as `queue`; this does not compile either
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

/** Declares a task type that runs without an activity. @throws Error as defineTask does */
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
          ? connectionField(need.description, `${need.types.map(typeName)[0]}_default`, need.types, need.formerly)
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
  // The catalog mixes task types with different parameters, so one cast is needed; each `run` only gets parameters its own schema accepted.
  return {
    ...rest,
    params: Type.Object(properties, { additionalProperties: false }),
    data,
    runtime: 'activity',
    defaults: { heartbeat_timeout: '15s', execution_timeout: '24h', ...defaults },
  } as unknown as TaskType;
}
