import type { ItemOutcome } from '../plan/tasks/items.ts';
import { inTurns } from '../plan/values/in-turns.ts';
import type { Json, JsonObject } from '../plan/values/json.ts';
import type { ExpandPlan, TaskPlan } from '../plan/plan.ts';
import type { PartialOutputs, TaskResult } from '../plan/runs/run.ts';
import type { Call } from './task-call.ts';
import { TaskCanceled, TaskFailed } from './run-host.ts';

/** Finds the items of a task and runs them. */
export interface ItemRunner {
  list(over: ExpandPlan['over'], items: JsonObject): Json;
  runOne(call: Call): Promise<Json>;
  /** Runs several items in one activity. */
  runBatch(calls: readonly Call[]): Promise<readonly Json[]>;
  /** Runs a part of a long list. @returns the outcome of each batch */
  runPart(part: ListPart): Promise<readonly ItemOutcome[]>;
  progress(note: string): void;
  stopped(): boolean;
}

/** The batches of a long list that share a history. */
export interface ListPart {
  /** From 0. */
  readonly index: number;
  readonly batches: readonly (readonly Call[])[];
  /** How many at a time. */
  readonly parallel: number;
  readonly stopAtFailure: boolean;
}

/** Beyond this many activities, child workflows run them: each leaves up to six events, and Temporal limits a history to 51,200. */
const MAX_IN_ONE_HISTORY = 1000;
/** Activities per child workflow, and how many run at a time if the task allows that many. */
const PART = 500;
const PART_WINDOW = 100;
const MAX_CALLS = 100_000;
/** Larger outputs would not fit into the result of the run (Temporal's limit is 2 MB). */
const MAX_OUTPUT_CHARACTERS = 1_000_000;

/**
 * Runs a task once for each item of a list, a limited number at a time. The output is the list of outputs in the order of the items, or a
 * list of lists for nested lists. A task without items is skipped, as in Airflow.
 * @param earlier what an earlier round completed: only the missing items are run
 */
export async function expandTask(task: TaskPlan, expand: ExpandPlan, runner: ItemRunner, earlier?: PartialOutputs): Promise<TaskResult> {
  const lists = listsOf(task, expand, runner);
  const calls = lists.flat();
  if (calls.length === 0) return { state: 'skipped', note: 'the list is empty' };
  // If the list has changed, no earlier outputs are kept.
  const known = earlier?.outputs.length === calls.length ? earlier : undefined;
  const missing = new Set(known?.missing ?? calls.keys());
  const batches = batchesOf(
    [...calls.entries()].filter(([place]) => missing.has(place)),
    expand.batchSize,
  );
  if (batches.length > MAX_CALLS) {
    throw new TaskFailed(
      `'${task.name}' expands to ${batches.length} activities; one run can have ${MAX_CALLS}. Set a batch_size, such as 100.`,
    );
  }
  // Plans of earlier releases have no `reads`, and no limit on the number of runs.
  if (task.type === 'run_pipeline' && expand.reads && batches.length > MAX_IN_ONE_HISTORY) {
    throw new TaskFailed(
      `'${task.name}' expands to ${batches.length} runs; one task can start ${MAX_IN_ONE_HISTORY}. Give each run several items, in its params.`,
    );
  }
  const outputs: Json[] = known ? [...known.outputs] : calls.map(() => null);
  const failures: { suffix: string; item: string; error: TaskFailed }[] = [];
  let done = calls.length - missing.size;
  let canceled = false;
  const stopAtFailure = expand.onItemFailure === 'fail';
  const settle = (batch: Batch, results: readonly Json[]): void => {
    for (const [index, output] of results.entries()) {
      const place = batch.places[index] ?? 0;
      outputs[place] = output;
      missing.delete(place);
    }
    done = calls.length - missing.size;
  };
  const fail = (batch: Batch, error: unknown): void => {
    if (error instanceof TaskCanceled) canceled = true;
    else
      failures.push({
        suffix: batchName(batch.calls),
        item: expand.batchSize === 1 ? (batch.calls[0]?.suffix ?? '') : batchSuffix(batch.calls),
        error: error instanceof TaskFailed ? error : new TaskFailed(String(error), error),
      });
  };
  const mayGoOn = (): boolean => {
    runner.progress(`${done} of ${calls.length} items${failures.length > 0 ? `, ${failures.length} failed` : ''}`);
    return !(canceled || runner.stopped() || (failures.length > 0 && stopAtFailure));
  };
  const one = async (batch: Batch): Promise<boolean> => {
    try {
      settle(batch, expand.batchSize === 1 ? [await runner.runOne(batch.calls[0] as Call)] : await runner.runBatch(batch.calls));
    } catch (error) {
      fail(batch, error);
    }
    return mayGoOn();
  };
  const part =
    (parallel: number) =>
    async (some: readonly Batch[], index: number): Promise<boolean> => {
      try {
        const outcomes = await runner.runPart({ index, batches: some.map((batch) => batch.calls), parallel, stopAtFailure });
        for (const [place, batch] of some.entries()) {
          const { output, error } = outcomes[place] ?? {};
          if (error !== undefined) fail(batch, new TaskFailed(error));
          else if (output !== undefined) settle(batch, expand.batchSize === 1 ? [output] : (output as readonly Json[]));
        }
      } catch (error) {
        for (const batch of some.slice(0, 1)) fail(batch, error);
      }
      return mayGoOn();
    };
  if (batches.length <= MAX_IN_ONE_HISTORY) await inTurns(batches, expand.maxParallel, one);
  else {
    const parts = partsOf(batches);
    const atOnce = Math.min(parts.length, Math.ceil(expand.maxParallel / PART_WINDOW));
    await inTurns(parts, atOnce, part(Math.ceil(expand.maxParallel / atOnce)));
  }
  if (canceled) throw new TaskCanceled('cancelled');
  const [first] = failures;
  const failed = failures.map(({ suffix }) => suffix);
  const note = `${done} of ${calls.length} items${failed.length > 0 ? `; failed: ${failed.slice(0, 10).join(' ')}${failed.length > 10 ? ' …' : ''}` : ''}`;
  if (first && (expand.onItemFailure !== 'continue' || done === 0)) {
    const partial = sizeOf(outputs) > MAX_OUTPUT_CHARACTERS ? undefined : { outputs, missing: [...missing] };
    throw new TaskFailed(
      `${task.name}${first.suffix} failed (${note}): ${first.error.message}`,
      first.error.origin,
      partial,
      false,
      first.item,
    );
  }
  const output = expand.expand ? nested(expand, lists, outputs) : outputs;
  if (sizeOf(output) > MAX_OUTPUT_CHARACTERS) {
    throw new TaskFailed(`The outputs of '${task.name}' together are too large to be kept. Write the data to S3 and return where it is.`);
  }
  return { state: 'success', output, note, ...(missing.size > 0 && { missing: [...missing] }) };
}

function sizeOf(output: Json): number {
  return JSON.stringify(output).length;
}

interface Batch {
  /** Positions of its items in the list. */
  readonly places: readonly number[];
  readonly calls: readonly Call[];
}

/** The calls for each item of the list, with positions as suffixes: `[3]`, or `[3][1]` in a nested list. */
function listsOf(task: TaskPlan, { over, as: name, expand: inner }: ExpandPlan, runner: ItemRunner): Call[][] {
  return listOf(task, runner.list(over, {})).map((item, index): Call[] => {
    const items = { [name]: item };
    if (!inner) return [{ suffix: `[${index}]`, items }];
    return listOf(task, runner.list(inner.over, items)).map((part, position) => ({
      suffix: `[${index}][${position}]`,
      items: { ...items, [inner.as]: part },
    }));
  });
}

function listOf(task: TaskPlan, value: Json): readonly Json[] {
  if (Array.isArray(value)) return value as readonly Json[];
  throw new TaskFailed(`'${task.name}' can expand over a list only, not over ${JSON.stringify(value)?.slice(0, 100)}.`);
}

function batchesOf(calls: readonly (readonly [place: number, call: Call])[], size: number): Batch[] {
  return Array.from({ length: Math.ceil(calls.length / size) }, (_, index) => {
    const part = calls.slice(index * size, (index + 1) * size);
    return { places: part.map(([place]) => place), calls: part.map(([, call]) => call) };
  });
}

function partsOf(batches: readonly Batch[]): (readonly Batch[])[] {
  return Array.from({ length: Math.ceil(batches.length / PART) }, (_, index) => batches.slice(index * PART, (index + 1) * PART));
}

/** The suffix of a task's name for a batch of its items: `[0-99]`. */
export function batchSuffix(calls: readonly Call[]): string {
  const [first, last] = [calls[0]?.suffix ?? '', calls.at(-1)?.suffix ?? ''];
  return `${first.slice(0, -1)}-${last.slice(1)}`;
}

function batchName(calls: readonly Call[]): string {
  const [first, last] = [calls[0]?.suffix ?? '', calls.at(-1)?.suffix ?? ''];
  return first === last ? first : `${first}…${last}`;
}

/** Nests the outputs in the same way as the lists. */
function nested({ reads }: ExpandPlan, lists: readonly (readonly Call[])[], outputs: readonly Json[]): Json[][] {
  const rest = [...outputs];
  const parts = lists.map((calls) => rest.splice(0, calls.length));
  if (reads) return parts;
  return parts.slice(0, parts.findLastIndex((part) => part.length > 0) + 1);
}
