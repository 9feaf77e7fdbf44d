import Type from 'typebox';
import { parse } from 'yaml';
import type { SimulatedAttempt } from '../../cli/test/simulated-host.ts';
import { defineTask, type TaskType } from '../../activities/define-task.ts';
import { approval } from '../../activities/approval.ts';
import { empty } from '../../activities/empty.ts';
import { runPipeline } from '../../activities/run-pipeline.ts';
import { parseDuration } from '../../workflows/plan/duration.ts';
import type { JsonObject } from '../../workflows/plan/json.ts';
import type { TaskInput } from '../../workflows/plan/task-input.ts';

const toy = (type: string): TaskType =>
  defineTask({
    type,
    description: `A toy: ${type}.`,
    summary: () => type,
    params: Type.Object({ give: Type.Optional(Type.Any()), takes: Type.Optional(Type.String()), poison: Type.Optional(Type.Any()) }),
    errors: ['ToyBusy', 'ToyFailed', 'Poisoned'],
    result: Type.Any(),
    connections: {},
    example: { name: 'toy', type },
    run: async () => null,
  });

/** Task types whose behaviour is their name: `ok` gives `give`, `fail` fails for good, `flaky` fails twice, `slow` takes an hour, `hang` for ever. */
export const TOYS: readonly TaskType[] = [toy('ok'), toy('fail'), toy('flaky'), toy('slow'), toy('hang'), approval, empty, runPipeline];

/**
 * Tasks in one line: `a: ok; b: fail after a if all_done; c: ok with {when: "params.n > 1"}`. `with` is a YAML map of any other keys.
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

/** What a toy does at an attempt, be it simulated or an activity. */
export function toyAttempt(type: string, input: TaskInput, attempt: number): SimulatedAttempt {
  const one = (params: JsonObject): SimulatedAttempt => {
    const takesMs = type === 'slow' ? 3_600_000 : (parseDuration(String(params.takes ?? '')) ?? 1000);
    const bad = (failure: string, retryable: boolean): SimulatedAttempt => ({
      takesMs,
      failure: { type: failure, message: `${type} broke`, retryable },
    });
    if (params.poison === true) return bad('Poisoned', false);
    if (type === 'fail') return bad('ToyFailed', false);
    if (type === 'flaky' && attempt < 3) return bad('ToyBusy', true);
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
