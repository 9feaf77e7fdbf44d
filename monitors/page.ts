import type { Page } from '../workflows/plan/incidents/incident.ts';
import { canonicalJson, type Json, type JsonObject } from '../workflows/plan/values/json.ts';
import { type Plan, timezoneOf } from '../workflows/plan/plan.ts';
import { formatWallTime } from '../workflows/plan/timetable/time-zone.ts';
import { timeText } from '../workflows/plan/values/format.ts';
import { decideCommand } from '../workflows/plan/runs/decide-command.ts';
import { alertSetting } from '../workflows/plan/incidents/sla.ts';
import { formText } from '../workflows/plan/values/form-text.ts';
import type { OpenWait } from '../workflows/plan/tasks/task-table.ts';
import type { LastSuccess, MonitorFacts, RunDetails, TaskMismatch } from './facts.ts';
import { type Problem, slaName } from './problem.ts';
import { repairCommand } from './repair-command.ts';
import { cutHeadline, headlineOf, summaryOf } from './summary.ts';

/** The consequences of each kind of problem, for on-call staff. */
const MEANING = {
  missing: 'No run has started for this interval, so its data will be missing.',
  never_started: 'The run exists, but no worker has started it. It continues automatically when a worker is available.',
  failed: 'The run has ended and its data is missing. Failed tasks left no partial data.',
  held: 'A task has failed and is on hold: the run continues after a decision, or fails when the hold expires.',
  late: 'The data is later than its SLA allows.',
  stale: 'Consumers of this data read old data.',
  waits: 'The run waits for a decision, or until the time limit of the decision.',
  assert: 'The run succeeded, but its outputs violate an SLA.',
} as const;

/** How much of an error's end is shown after its first line, which names the cause. Characters. */
const ERROR_TAIL = 2_000;
/** Maximum number of listed names and items. */
const MAX_NAMES = 10;

/** The page for a problem: the facts that on-call staff need, with links. */
export async function pageOf(problem: Problem, facts: MonitorFacts, now: number): Promise<Page> {
  const { plan, sla, run, interval, kind, severity, since, what, deadline, wait, alerts } = problem;
  const details: RunDetails | undefined = run && (await facts.runDetails(run).catch(() => undefined));
  const runbook = sla?.runbook ?? alertSetting(alerts, 'runbook') ?? alertSetting(plan.alerts, 'runbook');
  const url = run ? facts.urlOf(run) : facts.urlOfRuns(plan.dagId);
  const failed = details?.failed;
  const error = failed?.error ?? details?.error;
  const asked = wait ?? (failed && kind === 'held' ? ({ task: failed.task, kind } as const) : undefined);
  const good = await facts.lastSuccess(plan.dagId, run).catch(() => undefined);
  const mismatch = mismatchFor(problem, details ?? {});
  const items = details?.failedItems ?? [];
  return {
    summary: summaryOf(
      headline(problem, failed?.task, error, mismatch),
      [
        plan.dagId,
        ...(interval && interval.start !== interval.end ? [`data of ${shortInterval(interval.start)}`] : []),
        ...(items.length > 0 ? [`${items.length} ${items.length === 1 ? 'item' : 'items'} failed`] : []),
      ],
      since,
    ),
    severity,
    source: plan.dagId,
    kind,
    since: timeText(since),
    details: without({
      pipeline: plan.dagId,
      problem: `${plan.dagId} ${what}`,
      what_it_means: MEANING[kind],
      promise: sla && slaName(sla),
      interval: interval && `${timeText(Date.parse(interval.start))} – ${timeText(Date.parse(interval.end))}`,
      deadline: deadline === undefined ? undefined : formatWallTime(deadline, timezoneOf(plan)),
      run: run?.pipelineRunId,
      failing_task: failed?.task,
      attempt: failed?.attempt,
      ...(wait && detailsOf(wait)),
      error: causeAndEnd(wait ? wait.error : error),
      failed_items:
        items.length > 0
          ? [...items.slice(0, MAX_NAMES), ...(items.length > MAX_NAMES ? [`… and ${items.length - MAX_NAMES} more`] : [])]
          : undefined,
      difference: mismatch && mismatch.text !== error ? mismatch.text : undefined,
      report: mismatch?.report,
      status: details?.standing?.length ? details.standing : undefined,
      rows: details && Object.keys(details.rows).length > 0 ? details.rows : undefined,
      owner: plan.owner,
      last_success: good && `${timeText(good.endedAt)}${good.isPartial ? ', without some items' : ''}`,
      changed_since: run && good && changeOf(good, run.plan, details?.params ?? {}),
      next_tick: facts.nextTick(plan, now),
      to_look_at_it: run ? `sluice show ${run.pipelineRunId}` : `sluice ticks ${plan.dagId}`,
      to_decide: run && asked && decideCommand(run.pipelineRunId, asked),
      to_repair_it: run && mismatch && repairCommand(plan, mismatch.task, run.pipelineRunId),
      to_run_it_again: run && kind === 'failed' ? `sluice rerun ${run.pipelineRunId}` : undefined,
    }),
    links: [
      ...(url === undefined ? [] : [{ href: url, text: run ? 'The run in the Temporal UI' : `Runs of ${plan.dagId} in the Temporal UI` }]),
      ...(runbook === undefined ? [] : [{ href: runbook, text: 'Runbook' }]),
    ],
  };
}

/** Details of a wait: who must decide what, and until when. */
function detailsOf({ kind, prompt, assignees, quorum = 1, votes, until, form }: OpenWait): Record<string, Json | undefined> {
  return {
    question: prompt,
    assignees: assignees ? assignees.join(', ') : 'anybody',
    votes: kind === 'held' ? undefined : `${votes?.length ?? 0} of ${quorum}`,
    until: until === undefined ? 'no limit' : timeText(until),
    form: form && formText(form),
  };
}

/** The headline: the problem comes first. */
function headline(
  { kind, what }: Problem,
  task: string | undefined,
  error: string | undefined,
  mismatch: TaskMismatch | undefined,
): string {
  if (mismatch) return `${mismatch.short} (${mismatch.task})`;
  const isFailure = kind === 'failed' || kind === 'held';
  const cause = isFailure ? firstLine(error) : undefined;
  const words = headlineOf(isFailure && task !== undefined ? `task ${task} ${what}` : what);
  const said = `${words}${cause === undefined ? '' : `: ${cause}`}`;
  return isFailure || kind === 'waits' ? cutHeadline(said) : said;
}

/** The comparison that failed, or that the missed SLA refers to. */
function mismatchFor({ kind, sla }: Problem, { mismatches = [], failed }: Partial<RunDetails>): TaskMismatch | undefined {
  if (kind === 'failed' || kind === 'held') return mismatches.find(({ task }) => task === failed?.task);
  const condition = sla?.promise.kind === 'assert' ? sla.promise.condition : '';
  return mismatches.find(({ task }) => condition.includes(`outputs.${task}.`));
}

/** One line about edits and changed parameters since the last success. Without values, because pages leave the deployment. */
function changeOf(good: LastSuccess, plan: Plan, params: JsonObject): string | undefined {
  const changes = [...(good.plan.hash === plan.hash ? [] : [editOf(good.plan, plan)]), ...paramsChange(good.params, params)];
  return changes.length === 0 ? undefined : changes.join('; ');
}

function editOf(before: Plan, after: Plan): string {
  const old = new Map(before.tasks.map((task) => [task.name, JSON.stringify(task)]));
  const now = new Map(after.tasks.map((task) => [task.name, JSON.stringify(task)]));
  const names = [...new Set([...old.keys(), ...now.keys()])].filter((name) => old.get(name) !== now.get(name));
  const file = `the file was edited: plan ${before.hash.slice(0, 12)} → ${after.hash.slice(0, 12)}`;
  return names.length === 0 ? file : `${file}; changed tasks: ${listed(names)}`;
}

function paramsChange(before: JsonObject, after: JsonObject): string[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(
    (name) => canonicalJson(before[name] ?? null) !== canonicalJson(after[name] ?? null),
  );
  return names.length === 0 ? [] : [`changed parameters: ${listed(names)}`];
}

function listed(names: readonly string[]): string {
  return `${names.slice(0, MAX_NAMES).join(', ')}${names.length > MAX_NAMES ? ', …' : ''}`;
}

function firstLine(text: string | undefined): string | undefined {
  return text?.split('\n')[0];
}

/** The cause of an error (its first line) and its end, which for programs is the end of the log. */
function causeAndEnd(text: string | undefined): string | undefined {
  if (text === undefined || text.length <= ERROR_TAIL) return text;
  const cause = (firstLine(text) ?? '').slice(0, ERROR_TAIL);
  return `${cause}\n…\n${text.slice(-ERROR_TAIL)}`;
}

function shortInterval(start: string): string {
  return timeText(Date.parse(start)).replace(/T00:00:00Z$/, '');
}

function without(details: Record<string, JsonObject[string] | undefined>): JsonObject {
  const given = Object.entries(details).filter((entry): entry is [string, Json] => entry[1] !== undefined);
  return Object.fromEntries(given);
}
