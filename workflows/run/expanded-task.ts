import type { ItemOutcome } from '../plan/tasks/items.ts';
import { inTurns } from '../plan/values/in-turns.ts';
import type { Json, JsonObject } from '../plan/values/json.ts';
import type { ExpandPlan, TaskPlan } from '../plan/plan.ts';
import type { PartialOutputs, TaskResult } from '../plan/runs/run.ts';
import type { Call } from './task-call.ts';
import { TaskCanceled, TaskFailed } from './run-host.ts';

/** How the items of a task are found and run. */
export interface ItemRunner {
  list(over: ExpandPlan['over'], items: JsonObject): Json;
  runOne(call: Call): Promise<Json>;
  /** Works through several items in one activity. */
  runBatch(calls: readonly Call[]): Promise<readonly Json[]>;
  /** Works through a part of a long list. @returns what became of each batch */
  runPart(part: ListPart): Promise<readonly ItemOutcome[]>;
  progress(note: string): void;
  stopped(): boolean;
}

/** Batches of a long list that share a history. */
export interface ListPart {
  /** From 0. */
  readonly index: number;
  readonly batches: readonly (readonly Call[])[];
  /** How many at a time. */
  readonly parallel: number;
  readonly stopAtFailure: boolean;
}

/** More activities than these are given to workflows of their own: each leaves up to six events, and a history may have 51,200 (Temporal's limit). */
const MAX_IN_ONE_HISTORY = 1000;
/** How many activities each of those has, and how many of them run at a time where many may. */
const PART = 500;
const PART_WINDOW = 100;
const MAX_CALLS = 100_000;
/** An output over this would not fit into the result of the run (Temporal's limit is 2 MB). */
const MAX_OUTPUT_CHARACTERS = 1_000_000;

/**
 * Runs a task once for each item of a list, some at a time. Its output is the list of outputs in the order of the items; where a list is
 * expanded inside another, a list of lists. A task without items is skipped, as in Airflow.
 * @param earlier what an earlier round has done: only the missing items are run
 */
export async function expandTask(task: TaskPlan, expand: ExpandPlan, runner: ItemRunner, earlier?: PartialOutputs): Promise<TaskResult> {
  const lists = listsOf(task, expand, runner);
  const calls = lists.flat();
  if (calls.length === 0) return { state: 'skipped', note: 'the list is empty' };
  // Of another list nothing can be kept.
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
  // Plans of earlier releases have no `reads`: their runs end as they have begun.
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
  /** Where its items stand in the list. */
  readonly places: readonly number[];
  readonly calls: readonly Call[];
}

/** The items of each item of the list, each with its place: `[3]`, or `[3][1]` in a list inside a list. */
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

/** What is added to a task's name for a batch of its items: `[0-99]`. */
export function batchSuffix(calls: readonly Call[]): string {
  const [first, last] = [calls[0]?.suffix ?? '', calls.at(-1)?.suffix ?? ''];
  return `${first.slice(0, -1)}-${last.slice(1)}`;
}

function batchName(calls: readonly Call[]): string {
  const [first, last] = [calls[0]?.suffix ?? '', calls.at(-1)?.suffix ?? ''];
  return first === last ? first : `${first}…${last}`;
}

/** The outputs as the lists are. */
function nested({ reads }: ExpandPlan, lists: readonly (readonly Call[])[], outputs: readonly Json[]): Json[][] {
  const rest = [...outputs];
  const parts = lists.map((calls) => rest.splice(0, calls.length));
  if (reads) return parts;
  return parts.slice(0, parts.findLastIndex((part) => part.length > 0) + 1);
}
