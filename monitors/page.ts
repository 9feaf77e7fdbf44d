import type { Page } from '../workflows/plan/incident.ts';
import type { Json, JsonObject } from '../workflows/plan/json.ts';
import { iso } from '../workflows/plan/schedule.ts';
import { timezoneOf } from '../workflows/plan/plan.ts';
import { formatWallTime } from '../workflows/plan/time-zone.ts';
import type { MonitorFacts, RunDetails } from './facts.ts';
import { type Problem, slaName } from './problem.ts';
import type { WatchedPipeline } from './watched.ts';

/** What a kind of problem means for whoever reads of it at night. */
const MEANING = {
  missing: 'No run has been started for this interval: its data will not be there.',
  never_started: 'The run is there, and no worker takes it. It goes on by itself when one does.',
  failed: 'The run is over and its data is not there. Nothing of a task that failed was left behind.',
  late: 'The data is not there yet, and was promised to be.',
  stale: 'What reads its data reads old data.',
  assert: 'The run has ended well, and what it found is not as was promised.',
} as const;

/** So much of an error is said: its end, where the reason is. Characters. */
const ERROR_TAIL = 2_000;

/** The page about a problem: what one needs to know, and where to look. */
export async function pageOf(problem: Problem, pipeline: WatchedPipeline, facts: MonitorFacts, now: number): Promise<Page> {
  const { plan, sla, run, interval, kind, severity, since, what, deadline } = problem;
  const details: RunDetails | undefined = run && (await facts.runDetails(run).catch(() => undefined));
  const runbook = sla?.runbook ?? plan.alerts?.pagerduty?.runbook;
  const url = run && facts.urlOf(run);
  const why = kind === 'failed' ? firstLine(details?.failed?.error ?? details?.error) : undefined;
  const failed = details?.failed;
  return {
    summary: `${plan.dagId} ${what}${failed && kind === 'failed' ? ` in ${failed.task}` : ''}${interval ? `, data of ${shortInterval(interval.start)}` : ''}, since ${iso(since)}${why === undefined ? '' : `: ${why}`}`,
    severity,
    source: plan.dagId,
    kind,
    since: iso(since),
    details: without({
      pipeline: plan.dagId,
      what_it_means: MEANING[kind],
      promise: sla && slaName(sla),
      interval: interval && `${interval.start} – ${interval.end}`,
      deadline: deadline === undefined ? undefined : formatWallTime(deadline, timezoneOf(plan)),
      run: run?.pipelineRunId,
      failing_task: failed?.task,
      attempt: failed?.attempt,
      error: tail(failed?.error ?? details?.error),
      rows: details && Object.keys(details.rows).length > 0 ? details.rows : undefined,
      owner: plan.owner,
      last_success: pipeline.lastSuccess === undefined ? undefined : iso(pipeline.lastSuccess),
      next_tick: facts.nextTick(plan, now),
      to_run_it_again: run && kind === 'failed' ? `sluice rerun ${run.pipelineRunId}` : undefined,
    }),
    links: [
      ...(url === undefined ? [] : [{ href: url, text: 'The run in the Temporal UI' }]),
      ...(runbook === undefined ? [] : [{ href: runbook, text: 'Runbook' }]),
    ],
  };
}

function firstLine(text: string | undefined): string | undefined {
  return text?.split('\n')[0];
}

function tail(text: string | undefined): string | undefined {
  return text !== undefined && text.length > ERROR_TAIL ? `…${text.slice(-ERROR_TAIL)}` : text;
}

function shortInterval(start: string): string {
  return start.replace(/T00:00:00Z$/, '');
}

function without(details: Record<string, JsonObject[string] | undefined>): JsonObject {
  const given = Object.entries(details).filter((entry): entry is [string, Json] => entry[1] !== undefined);
  return Object.fromEntries(given);
}
