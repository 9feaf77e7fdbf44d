import { ApplicationFailure, type Client, WorkflowNotFoundError } from '@temporalio/client';
import { formatDuration } from '../../workflows/plan/values/duration.ts';
import { isExpired } from '../../workflows/plan/timetable/interval-coverage.ts';
import type { Past, PastQuestion } from '../../workflows/plan/runs/past.ts';
import { VARIANT_MEMO } from '../../workflows/plan/runs/run-facts.ts';
import { iso } from '../../workflows/plan/timetable/schedule.ts';
import { SEARCH_ATTRIBUTES } from '../../workflows/plan/runs/search-attributes.ts';
import type { TaskState } from '../../workflows/plan/tasks/task-state.ts';
import { intervalRuns } from './intervals.ts';
import { pipelineRunId, scheduledRunIdBase, siblingName } from '../../workflows/plan/ids.ts';
import { ofDeployment } from '../names.ts';
import { expiryOf, retentionOf } from '../retention.ts';
import { NOT_BY_EVENTS } from '../search-attributes.ts';
import { type RunSummary, summaryOf } from './runs.ts';
import { taskStateOf } from './task-state-of-run.ts';

/** The activities of tasks that depend on earlier runs. @param taskQueue of the deployment, whose runs count */
export function createPastActivities(client: Client, taskQueue: string) {
  return {
    /** Fails, and so is retried, until the task may start. */
    async past_of_task(question: PastQuestion): Promise<Past> {
      const runs: RunBefore[] = [];
      for (const run of await runsOf(client, taskQueue, question)) {
        const state = await taskStateOf(client, run, question.task);
        runs.push({ pipelineRunId: run.pipelineRunId, hasEnded: run.endedAt !== undefined, task: state });
        if (state === 'success' || state === 'skipped') break;
      }
      const match = resultOfPast(question, runs, runs.length > 0 ? {} : await historyOf(client, taskQueue, question));
      if (typeof match !== 'string') return match;
      throw ApplicationFailure.create({ type: 'NotYet', message: match, nonRetryable: false });
    },
  };
}

/** A run of the previous interval. */
export interface RunBefore {
  readonly pipelineRunId: string;
  readonly hasEnded: boolean;
  /** The state of the task; absent if the run does not have the task. */
  readonly task: TaskState | 'unknown' | undefined;
}

/** What is known if the previous interval has no run. */
export interface EarlierHistory {
  /** Whether any earlier interval has a run. */
  readonly hasEarlier?: boolean;
  /** How long Temporal keeps runs, milliseconds, if that is too short to know whether the interval had a run. */
  readonly expiredAfterMs?: number;
}

/**
 * Decides whether earlier runs allow a task to start.
 * @param runs of the previous interval, best first
 * @returns if the task may not start, what it waits for and what operators can do
 */
export function resultOfPast(
  question: PastQuestion,
  runs: readonly RunBefore[],
  { hasEarlier, expiredAfterMs }: EarlierHistory,
): Past | string {
  const { task, dagId, interval, pipelineRunId: waiting } = question;
  const span = `${interval.start} – ${interval.end}`;
  const anyway = `\`sluice retry ${waiting} ${task}\` starts it anyway`;
  if (runs.some((run) => run.task === 'success' || run.task === 'skipped')) return {};
  const [best] = runs;
  if (best) {
    if (best.task === undefined) return { note: `its pipeline had no '${task}' in ${best.pipelineRunId}` };
    if (!best.hasEnded) return `${best.pipelineRunId} has not ended, and '${task}' is ${best.task} there.`;
    return `'${task}' is ${best.task} in ${best.pipelineRunId}: \`sluice rerun ${best.pipelineRunId}\` repeats it; ${anyway}.`;
  }
  if (expiredAfterMs !== undefined)
    return { note: `its past is not known: Temporal keeps ended runs for ${formatDuration(expiredAfterMs)}, and has none of ${span}` };
  if (hasEarlier !== true) return {};
  return `There is no run of ${span}: \`sluice backfill ${dagId} --from ${interval.start} --to ${interval.start}\` runs it; ${anyway}.`;
}

async function historyOf(client: Client, taskQueue: string, question: PastQuestion): Promise<EarlierHistory> {
  const expiredBefore = await expiryOf(client, siblingName(question.pipelineRunId, question.dagId), Date.now());
  const retentionMs = isExpired(question.interval, expiredBefore) ? await retentionOf(client) : undefined;
  if (retentionMs !== undefined) return { expiredAfterMs: retentionMs };
  return { hasEarlier: await hasEarlierRun(client, taskQueue, question) };
}

/** The runs that cover the whole interval, most promising first. */
async function runsOf(client: Client, taskQueue: string, question: PastQuestion): Promise<RunSummary[]> {
  const { dagId, schedule, interval, pipelineRunId: own } = question;
  const { start, end } = interval;
  const listed = (await intervalRuns(client, { dagId, schedule }, start, end, taskQueue))
    .filter((run) => Date.parse(run.interval.start) <= Date.parse(start) && Date.parse(run.interval.end) >= Date.parse(end))
    .map((run) => run.pipelineRunId);
  // The list lags a moment behind. The ids of scheduled, manual and backfill runs are predictable, so check them too.
  const name = siblingName(own, dagId);
  const usual = [
    `${scheduledRunIdBase(name)}-${end}`,
    pipelineRunId(name, 'backfill', `${start}/${end}`),
    pipelineRunId(name, 'manual', start),
  ];
  const ids = [...new Set([...listed, ...usual])].filter((id) => id !== own);
  const runs = await Promise.all(ids.map((id) => found(client, taskQueue, id)));
  const rank = ({ state, endedAt }: RunSummary): number => (state === 'success' ? 0 : endedAt === undefined ? 1 : 2);
  return runs
    .flatMap((run) => run ?? [])
    .sort((a, b) => rank(a) - rank(b) || b.startedAt.getTime() - a.startedAt.getTime())
    .slice(0, MOST);
}

/** Of many runs of one interval, only the best are checked. */
const MOST = 20;

/** @returns undefined if there is no such run, or another deployment has started it */
async function found(client: Client, taskQueue: string, id: string): Promise<RunSummary | undefined> {
  try {
    const run = await client.workflow.getHandle(id).describe();
    return run.taskQueue === taskQueue ? summaryOf(run) : undefined;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}

/** Whether the pipeline had a run of any earlier interval. */
async function hasEarlierRun(client: Client, taskQueue: string, { dagId, interval }: PastQuestion): Promise<boolean> {
  const { pipeline, interval: since } = SEARCH_ATTRIBUTES;
  const query = `${pipeline.name} = ${JSON.stringify(dagId)} AND ${NOT_BY_EVENTS} AND ${since.name} <= "${iso(Date.parse(interval.start) + 1000)}"${ofDeployment(taskQueue)}`;
  for await (const info of client.workflow.list({ query })) {
    const { interval: start } = summaryOf(info);
    if (start !== undefined && Date.parse(start) < Date.parse(interval.start) && info.memo?.[VARIANT_MEMO] !== true) return true;
  }
  return false;
}
