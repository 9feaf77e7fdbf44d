import { isDeepStrictEqual } from 'node:util';
import { CATALOG } from '../../activities/catalog.ts';
import { exactJsonText } from '../../workflows/plan/exact-json.ts';
import { formatDuration, parseDuration } from '../../workflows/plan/duration.ts';
import { allTasks, type Plan } from '../../workflows/plan/plan.ts';
import { dataIntervalAt } from '../../workflows/plan/schedule.ts';
import type { ActivityCall } from '../../workflows/run/run-host.ts';
import { CommandError } from '../command-context.ts';
import { sampleOutput } from './sample-output.ts';
import { simulate, type Simulated } from './simulate.ts';
import type { SimulatedAttempt } from './simulated-host.ts';
import type { DeclaredTask, TestCase } from './test-file.ts';

/** How long a task takes in a test that does not say. */
const SOME_TIME = 60_000;
const SOME_DAY = '2024-01-02T00:00:00Z';

/** What a case came to: a sentence for each expectation that was not met. */
export interface CaseResult {
  readonly name: string;
  readonly mistakes: readonly string[];
  readonly run: Simulated;
}

/** Runs one case against a plan. @throws CommandError when the case names tasks that the plan does not have */
export async function runCase(plan: Plan, testCase: TestCase, recorded: Readonly<Record<string, DeclaredTask>>): Promise<CaseResult> {
  const names = new Set([plan, ...Object.values(plan.pipelines ?? {})].flatMap((each) => allTasks(each).map(({ name }) => name)));
  const { tasks = {}, expect } = testCase;
  const unknown = [...Object.keys(tasks), ...Object.keys(expect.tasks ?? {}), ...Object.keys(expect.outputs ?? {})].find(
    (name) => !names.has(name),
  );
  if (unknown !== undefined)
    throw new CommandError(`Case '${testCase.name}' names a task '${unknown}'; ${plan.dagId} has: ${[...names].join(', ')}.`);
  const declared = { ...recorded, ...tasks };
  const run = await simulate(plan, {
    interval: dataIntervalAt(plan.schedule, dayAfter(plan, testCase.logical_date)),
    ...(testCase.params && { params: testCase.params }),
    ...(testCase.event && { event: testCase.event }),
    ...(testCase.connections && { connections: testCase.connections }),
    script: (call, attempt) => attemptOf(call, attempt, declared[call.task.name]),
    prepare(host, { decisions }) {
      if (testCase.cancel_after !== undefined) host.after(parseDuration(testCase.cancel_after) ?? 0, () => host.cancel());
      for (const [task, { decision, by = 'somebody', form, after = '1m' }] of Object.entries(declared)) {
        if (decision === undefined) continue;
        const vote = { task, decision, by, ...(form && { form }) };
        const tryAgain = (): void => {
          const mistake = decisions.checkVote(vote);
          if (mistake === undefined) decisions.vote(vote);
          // Not asked yet: people look again later.
          else if (mistake.includes('does not wait')) host.after(SOME_TIME, tryAgain);
          else throw new CommandError(`Case '${testCase.name}': ${mistake}`);
        };
        host.after(parseDuration(after) ?? 0, tryAgain);
      }
    },
  });
  return { name: testCase.name, mistakes: mistakesOf(run, expect), run };
}

/** An instant whose last complete interval begins at `logicalDate`; without one any day does. */
function dayAfter({ schedule, dagId }: Plan, logicalDate: string | undefined): number {
  if (logicalDate === undefined) return Date.parse(SOME_DAY);
  const start = Date.parse(logicalDate.length === 10 ? `${logicalDate}T00:00:00Z` : logicalDate);
  if (Number.isNaN(start)) throw new CommandError(`'${logicalDate}' is not a date such as 2024-01-31.`);
  if (schedule === null) return start;
  for (let at = start + 1; at < start + 400 * 86_400_000; at += 3_600_000) {
    const interval = dataIntervalAt(schedule, at);
    if (Date.parse(interval.start) === start) return at;
    if (Date.parse(interval.start) > start) break;
  }
  throw new CommandError(`No data interval of ${dagId} starts at ${logicalDate}.`);
}

function attemptOf({ task, input }: ActivityCall, attempt: number, declared: DeclaredTask | undefined): SimulatedAttempt {
  const takesMs = declared?.takes === undefined ? SOME_TIME : (parseDuration(declared.takes) ?? SOME_TIME);
  if (declared?.fail !== undefined && attempt <= (declared.times ?? Infinity)) {
    return { takesMs, failure: { type: declared.type ?? 'Failed', message: declared.fail, retryable: true } };
  }
  const result = CATALOG.find(({ type }) => type === task.type)?.result;
  const one = declared?.output !== undefined ? declared.output : sampleOutput(result);
  return { takesMs, output: input.batch ? input.batch.map(() => one) : one };
}

function mistakesOf({ result, tookMs, attempts }: Simulated, expect: TestCase['expect']): string[] {
  const mistakes: string[] = [];
  if (expect.state !== undefined && result.state !== expect.state) mistakes.push(`the run is ${result.state}, not ${expect.state}`);
  for (const [name, state] of Object.entries(expect.tasks ?? {})) {
    const { state: actual, error, note } = result.tasks[name] ?? { state: 'not in the run' };
    if (actual !== state) mistakes.push(`${name} is ${actual}, not ${state}${(error ?? note) ? ` (${error ?? note})` : ''}`);
  }
  for (const [name, output] of Object.entries(expect.outputs ?? {})) {
    const actual = result.tasks[name]?.output ?? null;
    if (!isDeepStrictEqual(actual, output)) mistakes.push(`${name} gives ${exactJsonText(actual)}, not ${exactJsonText(output)}`);
  }
  for (const [name, count] of Object.entries(expect.attempts ?? {})) {
    const actual = attempts.get(name) ?? 0;
    if (actual !== count) mistakes.push(`${name} had ${actual} attempts, not ${count}`);
  }
  const limit = expect.takes_at_most === undefined ? undefined : parseDuration(expect.takes_at_most);
  if (limit !== undefined && tookMs > limit) mistakes.push(`the run takes ${formatDuration(tookMs)}, more than ${formatDuration(limit)}`);
  return mistakes;
}
