import type { Json, JsonObject } from '../plan/json.ts';
import type { ExpandPlan, TaskPlan } from '../plan/plan.ts';
import type { PartialOutputs, TaskResult } from '../plan/run.ts';
import type { Call } from './plan-task-runner.ts';
import { TaskCanceled, TaskFailed } from './run-host.ts';

/** How the items of a task are found and run. */
export interface ItemRunner {
  list(over: ExpandPlan['over'], items: JsonObject): Json;
  runOne(call: Call): Promise<Json>;
  /** Works through several items in one activity. */
  runBatch(calls: readonly Call[]): Promise<readonly Json[]>;
  progress(note: string): void;
  stopped(): boolean;
}

/** Each activity leaves three events in the history of the run, which may have 51,200 (Temporal's limit). */
const MAX_CALLS = 10_000;
/** An output over this would not fit into the result of the run (Temporal's limit is 2 MB). */
const MAX_OUTPUT_CHARACTERS = 1_000_000;

/**
 * Runs a task once for each item of a list, some at a time. Its output is the list of outputs in the order of the items; where a list is
 * expanded inside another, a list of lists. A task without items is skipped, as in Airflow.
 * @param earlier what an earlier round has done: only the missing items are run
 */
export async function expandTask(task: TaskPlan, expand: ExpandPlan, runner: ItemRunner, earlier?: PartialOutputs): Promise<TaskResult> {
  const calls = callsOf(task, expand, runner);
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
  const outputs: Json[] = known ? [...known.outputs] : calls.map(() => null);
  const failures: { suffix: string; error: TaskFailed }[] = [];
  let next = 0;
  let done = calls.length - missing.size;
  let canceled = false;
  const work = async (): Promise<void> => {
    for (let batch = batches[next++]; batch; batch = batches[next++]) {
      try {
        const results = expand.batchSize === 1 ? [await runner.runOne(batch.calls[0] as Call)] : await runner.runBatch(batch.calls);
        for (const [index, output] of results.entries()) {
          const place = batch.places[index] ?? 0;
          outputs[place] = output;
          missing.delete(place);
        }
        done = calls.length - missing.size;
      } catch (error) {
        if (error instanceof TaskCanceled) canceled = true;
        else
          failures.push({
            suffix: batchName(batch.calls),
            error: error instanceof TaskFailed ? error : new TaskFailed(String(error), error),
          });
      }
      if (canceled || runner.stopped() || (failures.length > 0 && expand.onItemFailure === 'fail')) next = batches.length;
      runner.progress(`${done} of ${calls.length} items${failures.length > 0 ? `, ${failures.length} failed` : ''}`);
    }
  };
  await Promise.all(Array.from({ length: Math.min(expand.maxParallel, batches.length) }, work));
  if (canceled) throw new TaskCanceled('cancelled');
  const [first] = failures;
  const failed = failures.map(({ suffix }) => suffix);
  const note = `${done} of ${calls.length} items${failed.length > 0 ? `; failed: ${failed.slice(0, 10).join(' ')}${failed.length > 10 ? ' …' : ''}` : ''}`;
  if (first && (expand.onItemFailure === 'fail' || done === 0)) {
    const partial = sizeOf(outputs) > MAX_OUTPUT_CHARACTERS ? undefined : { outputs, missing: [...missing] };
    throw new TaskFailed(`${task.name}${first.suffix} failed (${note}): ${first.error.message}`, first.error.origin, partial);
  }
  const output = expand.expand ? nested(calls, outputs) : outputs;
  if (sizeOf(output) > MAX_OUTPUT_CHARACTERS) {
    throw new TaskFailed(`The outputs of '${task.name}' together are too large to be kept. Write the data to S3 and return where it is.`);
  }
  return { state: 'success', output, note };
}

function sizeOf(output: Json): number {
  return JSON.stringify(output).length;
}

interface Batch {
  /** Where its items stand in the list. */
  readonly places: readonly number[];
  readonly calls: readonly Call[];
}

/** The items, each with its place: `[3]`, or `[3][1]` in a list inside a list. */
function callsOf(task: TaskPlan, { over, as: name, expand: inner }: ExpandPlan, runner: ItemRunner): Call[] {
  return listOf(task, runner.list(over, {})).flatMap((item, index): Call[] => {
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

function batchName(calls: readonly Call[]): string {
  const [first, last] = [calls[0]?.suffix ?? '', calls.at(-1)?.suffix ?? ''];
  return first === last ? first : `${first}…${last}`;
}

function nested(calls: readonly Call[], outputs: readonly Json[]): Json[][] {
  const lists: Json[][] = [];
  for (const [index, { suffix }] of calls.entries()) {
    const outer = Number(/^\[(\d+)\]/.exec(suffix)?.[1]);
    (lists[outer] ??= []).push(outputs[index] ?? null);
  }
  // An item whose inner list is empty has an empty list of outputs.
  return Array.from(lists, (list) => list ?? []);
}
