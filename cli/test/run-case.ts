import { isDeepStrictEqual } from 'node:util';
import { CATALOG } from '../../activities/catalog.ts';
import type { TaskType } from '../../activities/define-task.ts';
import { exactJsonText } from '../../workflows/plan/values/exact-json.ts';
import { formatDuration, parseDuration } from '../../workflows/plan/values/duration.ts';
import { allTasks, type Plan, type TaskPlan } from '../../workflows/plan/plan.ts';
import { dataIntervalAt } from '../../workflows/plan/timetable/schedule.ts';
import type { ActivityCall } from '../../workflows/run/run-host.ts';
import { CommandError } from '../command-context.ts';
import { intervalOf } from '../given-interval.ts';
import { sampleOutput } from './sample-output.ts';
import { simulate, type Simulated } from './simulate.ts';
import type { SimulatedAttempt } from './simulated-host.ts';
import type { DeclaredTask, TestCase } from './test-file.ts';
import { errorText } from '../../workflows/plan/values/error-text.ts';

/** Default duration of a task in a test, in milliseconds. */
const SOME_TIME = 60_000;
const SOME_DAY = '2024-01-02T00:00:00Z';

/** The result of a case: a sentence for each expectation that failed. */
export interface CaseResult {
  readonly name: string;
  readonly mistakes: readonly string[];
  /** Absent when the case could not run; `mistakes` says why. */
  readonly run?: Simulated;
}

/**
 * Runs one case against a plan. A mistake in the case itself also makes it fail.
 * @param types the task types of the project, for sample outputs; default: the built-in ones
 */
export async function runCase(
  plan: Plan,
  testCase: TestCase,
  recorded: Readonly<Record<string, DeclaredTask>>,
  types: readonly TaskType[] = CATALOG,
): Promise<CaseResult> {
  const { name, tasks = {}, expect } = testCase;
  const mistakes = mistakesOfCase(plan, testCase);
  if (mistakes.length > 0) return { name, mistakes };
  try {
    const run = await simulateCase(withDeclared(plan, { ...recorded, ...tasks }), testCase, { ...recorded, ...tasks }, types);
    return { name, mistakes: mistakesOf(run, expect), run };
  } catch (error) {
    return { name, mistakes: [errorText(error)] };
  }
}

function simulateCase(
  plan: Plan,
  testCase: TestCase,
  declared: Readonly<Record<string, DeclaredTask>>,
  types: readonly TaskType[],
): Promise<Simulated> {
  return simulate(plan, {
    interval:
      testCase.logical_date === undefined ? dataIntervalAt(plan.schedule, Date.parse(SOME_DAY)) : intervalOf(plan, testCase.logical_date),
    ...(testCase.params && { params: testCase.params }),
    ...(testCase.event && { event: testCase.event }),
    ...(testCase.connections && { connections: testCase.connections }),
    script: (call, attempt) => attemptOf(call, attempt, declared[call.task.name], types),
    prepare(host, { decisions }) {
      if (testCase.cancel_after !== undefined) host.after(parseDuration(testCase.cancel_after) ?? 0, () => host.cancel());
      for (const [task, { decision, by = 'unknown', form, after = '1m' }] of Object.entries(declared)) {
        if (decision === undefined) continue;
        const vote = { task, decision, by, ...(form && { form }) };
        const tryAgain = (): void => {
          const mistake = decisions.checkVote(vote);
          if (mistake === undefined) decisions.vote(vote);
          // The task does not wait for a decision yet: try again later.
          else if (mistake.includes('does not wait')) host.after(SOME_TIME, tryAgain);
          else throw new CommandError(mistake);
        };
        host.after(parseDuration(after) ?? 0, tryAgain);
      }
    },
  });
}

/** Mistakes of a case: what its pipeline cannot do. */
function mistakesOfCase(plan: Plan, { tasks = {}, expect }: TestCase): string[] {
  const types = new Map(
    [plan, ...Object.values(plan.pipelines ?? {})].flatMap((each) => allTasks(each).map(({ name, type }) => [name, type])),
  );
  const attempted = Object.keys(expect.attempts ?? {}).map((id) => id.replace(/[[#].*$/, ''));
  const named = new Set([...Object.keys(tasks), ...Object.keys(expect.tasks ?? {}), ...Object.keys(expect.outputs ?? {}), ...attempted]);
  const unknown = [...named].filter((name) => !types.has(name));
  const mistakes = unknown.map(
    (name) => `the case lists a task '${name}' that ${plan.dagId} does not have. Its tasks: ${[...types.keys()].join(', ')}`,
  );
  for (const [name, { decision, by, form, after, fail, output }] of Object.entries(tasks)) {
    const isApproval = types.get(name) === 'approval';
    const isDecided = [decision, by, form, after].some((each) => each !== undefined);
    if (!isApproval && isDecided)
      mistakes.push(`'${name}' is not an approval: 'decision', 'by', 'form' and 'after' are only for approvals`);
    if (isApproval && (fail !== undefined || output !== undefined))
      mistakes.push(`'${name}' is an approval: use 'decision: approve' or 'decision: reject' instead of 'fail' and 'output'`);
  }
  return mistakes;
}

/** Types that run without an activity. A declared result turns such a task into an activity. */
const WITHOUT_ACTIVITY = ['empty', 'run_pipeline'];

function withDeclared(plan: Plan, declared: Readonly<Record<string, DeclaredTask>>): Plan {
  const change = (task: TaskPlan): TaskPlan => {
    const { fail, output } = declared[task.name] ?? {};
    const isDeclared = fail !== undefined || output !== undefined;
    return isDeclared && WITHOUT_ACTIVITY.includes(task.type) ? { ...task, type: `${DECLARED}${task.type}` } : task;
  };
  const { pipelines, onFailure, onSuccess, finally: last } = plan;
  return {
    ...plan,
    tasks: plan.tasks.map(change),
    ...(onFailure && { onFailure: onFailure.map(change) }),
    ...(onSuccess && { onSuccess: onSuccess.map(change) }),
    ...(last && { finally: last.map(change) }),
    ...(pipelines && {
      pipelines: Object.fromEntries(Object.entries(pipelines).map(([dagId, child]) => [dagId, withDeclared(child, declared)])),
    }),
  };
}

const DECLARED = 'declared ';

function attemptOf(
  { task, input }: ActivityCall,
  attempt: number,
  declared: DeclaredTask | undefined,
  types: readonly TaskType[],
): SimulatedAttempt {
  const takesMs = declared?.takes === undefined ? SOME_TIME : (parseDuration(declared.takes) ?? SOME_TIME);
  if (declared?.fail !== undefined && attempt <= (declared.times ?? Infinity)) {
    return { takesMs, failure: { type: declared.type ?? 'Failed', message: declared.fail, retryable: true } };
  }
  // An `unfinished` task fails here as in a run, unless the case declares its result.
  if (task.type === 'unfinished' && declared?.output === undefined) {
    return { takesMs, failure: { type: 'Unfinished', message: String(task.params.missing), retryable: false } };
  }
  const taskType = types.find(({ type }) => type === task.type.replace(DECLARED, ''));
  const result = taskType?.narrow?.(task.params)?.result ?? taskType?.result;
  const one = declared?.output !== undefined ? declared.output : sampleOutput(result);
  return { takesMs, output: input.batch ? input.batch.map(() => one) : one };
}

function mistakesOf({ result, failure, tookMs, attempts }: Simulated, expect: TestCase['expect']): string[] {
  const mistakes: string[] = [];
  if (expect.state !== undefined && result.state !== expect.state)
    mistakes.push(`the run is ${result.state}, not ${expect.state}${failure ? `: ${failure.message}` : ''}`);
  for (const [name, state] of Object.entries(expect.tasks ?? {})) {
    const { state: actual, error, note } = result.tasks[name] ?? { state: 'not in the run' };
    if (actual !== state) mistakes.push(`${name} is ${actual}, not ${state}${(error ?? note) ? ` (${error ?? note})` : ''}`);
  }
  for (const [name, output] of Object.entries(expect.outputs ?? {})) {
    const actual = result.tasks[name]?.output ?? null;
    if (!isDeepStrictEqual(actual, output))
      mistakes.push(`the output of ${name} is ${exactJsonText(actual)}, not ${exactJsonText(output)}`);
  }
  for (const [name, count] of Object.entries(expect.attempts ?? {})) {
    const actual = attempts.get(name) ?? 0;
    if (actual !== count) mistakes.push(`${name} had ${actual} attempts, not ${count}`);
  }
  const limit = expect.takes_at_most === undefined ? undefined : parseDuration(expect.takes_at_most);
  if (limit !== undefined && tookMs > limit) mistakes.push(`the run takes ${formatDuration(tookMs)}, more than ${formatDuration(limit)}`);
  return mistakes;
}
