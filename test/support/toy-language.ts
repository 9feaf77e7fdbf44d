import { setTimeout as delay } from 'node:timers/promises';
import { ApplicationFailure, Context } from '@temporalio/activity';
import Type from 'typebox';
import { parse } from 'yaml';
import type { SimulatedAttempt } from '../../cli/test/simulated-host.ts';
import { defineTask, type TaskType } from '../../activities/define-task.ts';
import { approval } from '../../activities/approval.ts';
import { empty } from '../../activities/empty.ts';
import { runPipeline } from '../../activities/run-pipeline.ts';
import { WAIT_DEFAULTS, WAIT_KEYS } from '../../activities/run/wait-keys.ts';
import { parseDuration } from '../../workflows/plan/values/duration.ts';
import type { Json, JsonObject } from '../../workflows/plan/values/json.ts';
import type { TaskInput } from '../../workflows/plan/tasks/task-input.ts';

const toy = (type: string, waits = false): TaskType =>
  defineTask({
    type,
    description: `A toy: ${type}.`,
    summary: () => type,
    params: Type.Object({
      give: Type.Optional(Type.Any()),
      takes: Type.Optional(Type.String()),
      poison: Type.Optional(Type.Any()),
      ...(waits && WAIT_KEYS),
    }),
    errors: ['ToyBusy', 'ToyFailed', 'Poisoned'],
    result: Type.Any(),
    connections: {},
    ...(waits && { waits, defaults: WAIT_DEFAULTS }),
    example: { name: 'toy', type },
    run: ({ attempt, signal, interval }, params) => doToy(type, { params: params as JsonObject, interval }, attempt, signal),
  });

/** Runs a toy in real time. */
async function doToy(type: string, input: TaskInput, attempt: number, signal: AbortSignal): Promise<Json> {
  const { takesMs, output = null, failure } = toyAttempt(type, input, attempt);
  const from = Date.now();
  // Node's timers have a maximum, so limit the delay.
  await delay(Math.min(takesMs, 86_400_000), undefined, { signal });
  if (failure) throw ApplicationFailure.create({ type: failure.type, message: failure.message, nonRetryable: !failure.retryable });
  return type === 'trace' ? { queue: Context.current().info.taskQueue, from, to: Date.now() } : output;
}

/**
 * Task types named after their behavior: `ok` returns `give`, `fail` fails permanently, `flaky` fails twice, `slow` takes an hour, `hang`
 * never ends. `look` waits until its third check, `trace` returns when and on which queue a worker ran it, `mute` sends no heartbeat on a
 * real worker.
 */
export const TOYS: readonly TaskType[] = [
  ...['ok', 'fail', 'flaky', 'slow', 'hang', 'trace', 'mute'].map((type) => toy(type)),
  toy('look', true),
  toy('mute_look', true),
  approval,
  empty,
  runPipeline,
];

/**
 * Parses tasks from one line: `a: ok; b: fail after a if all_done; c: ok with {when: "params.n > 1"}`. `with` is a YAML map of other keys.
 */
export function tasksOf(text: string): JsonObject[] {
  return text.split(/;\s+/).map((line) => {
    const match = /^(\w+): (\w+)(?: after ([\w., -]+?))?(?: if (\w+))?(?: with (\{.*\}))?$/s.exec(line.trim());
    if (!match) throw new Error(`case not understood: ${line}`);
    const [, name = '', type = '', after, rule, rest] = match;
    return {
      name,
      type,
      ...(after !== undefined && { depends_on: after.split(', ').filter((each) => each !== '-') }),
      ...(rule !== undefined && { trigger_rule: rule }),
      ...(rest !== undefined && (parse(rest) as JsonObject)),
    };
  });
}

const FOR_EVER_MS = 365 * 86_400_000;

/** The result of an attempt of a toy, simulated or as an activity. */
export function toyAttempt(type: string, input: TaskInput, attempt: number): SimulatedAttempt {
  const one = (params: JsonObject): SimulatedAttempt => {
    const takesMs = type === 'hang' ? FOR_EVER_MS : type === 'slow' ? 3_600_000 : (parseDuration(String(params.takes ?? '')) ?? 1000);
    const bad = (failure: string, retryable: boolean): SimulatedAttempt => ({
      takesMs,
      failure: { type: failure, message: `${type} broke`, retryable },
    });
    if (params.poison === true) return bad('Poisoned', false);
    if (type === 'fail') return bad('ToyFailed', false);
    if ((type === 'flaky' || type === 'look') && attempt < 3) return bad('ToyBusy', true);
    return { takesMs, output: params.give ?? null };
  };
  if (!input.batch) return one(input.params);
  const all = input.batch.map(({ params }) => one(params));
  return (
    all.find(({ failure }) => failure) ?? {
      takesMs: Math.max(...all.map(({ takesMs }) => takesMs)),
      output: all.map(({ output = null }) => output),
    }
  );
}
