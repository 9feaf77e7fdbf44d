import { PAUSED_BY } from '../workflows/plan/runs/decision.ts';
import type { KnownBrokenFile } from '../workflows/plan/incidents/incident.ts';
import { sensorOf } from '../workflows/plan/ids.ts';
import type { Plan } from '../workflows/plan/plan.ts';
import { iso } from '../workflows/plan/timetable/schedule.ts';
import { type Finding, findingOf } from './finding.ts';
import { isWatched } from './problems.ts';
import type { Since } from './since.ts';
import type { WatchedPipeline } from './watched.ts';

/** The finding that no worker responds. @param since milliseconds */
export function deadWorkers(taskQueue: string, since: number, pipelines: readonly WatchedPipeline[]): Finding {
  const running = pipelines.flatMap(({ plan, runs }) => (runs.some(({ endedAt }) => endedAt === undefined) ? [plan.dagId] : []));
  return findingOf(`workers/${taskQueue}`, undefined, {
    subject: `task queue ${taskQueue}`,
    what: 'has no responding worker: nothing runs',
    kind: 'dead_workers',
    source: taskQueue,
    severity: 'critical',
    since: iso(since),
    details: {
      pipelines_with_open_runs: running,
      what_it_means: 'Runs are waiting; none is lost. They continue automatically when a worker is available again.',
      what_to_do:
        'Start workers (`sluice worker`). `sluice doctor` runs the same check. The log of a worker shows why it cannot reach Temporal.',
    },
  });
}

/** Pipelines whose schedule is missing although the scheduler applied it. @param isThere whether a pipeline has a schedule */
export function missingSchedules(
  expected: readonly string[] | undefined,
  isThere: (dagId: string) => boolean,
  since: Since,
  patience: number,
): Finding[] {
  return (expected ?? []).flatMap((dagId): Finding[] => {
    const key = `schedule/${dagId}`;
    const lasting = since.lasting(key, !isThere(dagId));
    if (lasting === undefined || lasting < patience) return [];
    return [
      findingOf(key, undefined, {
        subject: dagId,
        what: 'has no schedule in Temporal although its file exists: its runs do not start',
        kind: 'missing_schedule',
        severity: 'error',
        since: since.began(key),
        details: { what_to_do: 'Start the scheduler, which recreates it: `sluice scheduler --watch`.' },
      }),
    ];
  });
}

/** Pipelines with SLAs that were paused outside of `sluice pause`: their runs do not start, and no reason is recorded. */
export function unexplainedPauses(pipelines: readonly WatchedPipeline[], since: Since, patience: number): Finding[] {
  return pipelines.flatMap(({ plan, paused, note = '' }): Finding[] => {
    const key = `paused/${plan.dagId}`;
    const lasting = since.lasting(key, paused && isWatched(plan) && !note.startsWith(PAUSED_BY));
    if (lasting === undefined || lasting < patience) return [];
    return [
      findingOf(key, plan.alerts, {
        subject: plan.dagId,
        what: `is paused, and not by \`sluice pause\`: its runs do not start${note === '' ? '' : ` (noted: ${note})`}`,
        kind: 'unexpected_pause',
        severity: plan.critical ? 'critical' : 'error',
        since: since.began(key),
        details: {
          what_to_do: `\`sluice resume ${plan.dagId}\`, or if the pause is intended, \`sluice pause ${plan.dagId} --reason "..."\`.`,
        },
      }),
    ];
  });
}

/** Parts that could not be checked for a while, so that their status is unknown. @param unchecked the reasons by subject */
export function uncheckedFindings(
  unchecked: ReadonlyMap<string, string>,
  plans: ReadonlyMap<string, Plan>,
  since: Since,
  patience: number,
): Finding[] {
  return [...unchecked].flatMap(([subject, reason]): Finding[] => {
    const key = `unchecked/${subject}`;
    const lasting = since.lasting(key, true);
    if (lasting === undefined || lasting < patience) return [];
    const plan = plans.get(subject.startsWith('sensor/') ? sensorOf(subject).dagId : subject);
    return [
      findingOf(key, plan?.alerts, {
        subject,
        what: `cannot be checked: ${reason}`,
        kind: 'unchecked',
        severity: plan?.critical ? 'critical' : 'error',
        since: since.began(key),
        details: {
          what_to_do: `While this lasts, new problems of ${subject} are not detected, and open incidents stay open. \`sluice doctor\` checks the deployment.`,
        },
      }),
    ];
  });
}

/** Runs that were deleted before they ended: their outcome is unknown. */
export function removedRuns(pipelines: readonly WatchedPipeline[]): Finding[] {
  return pipelines.flatMap(({ plan, removed = [] }) =>
    isWatched(plan)
      ? removed.map(({ pipelineRunId, noticedAt }) =>
          findingOf(`removed/${pipelineRunId}`, plan.alerts, {
            subject: `run ${pipelineRunId}`,
            what: 'was deleted from Temporal before it had ended',
            kind: 'run_removed',
            source: plan.dagId,
            severity: 'warning',
            since: iso(noticedAt),
            details: {
              what_to_do: `Check whether its data is there; \`sluice ticks ${plan.dagId}\` lists the intervals. This incident resolves itself after an hour.`,
            },
          }),
        )
      : [],
  );
}

/**
 * Pipeline files that the scheduler has not been able to apply for a while.
 * @param plans of the applied pipelines, by dag_id
 * @param now milliseconds @param patience milliseconds
 */
export function brokenFileFindings(
  files: readonly KnownBrokenFile[],
  plans: ReadonlyMap<string, Plan>,
  now: number,
  patience: number,
): Finding[] {
  return files
    .filter(({ since }) => now - Date.parse(since) >= patience)
    .map(({ file, dagId, mistake, mistakes, since }) => {
      const plan = dagId === undefined ? undefined : plans.get(dagId);
      const owner = plan?.owner === undefined ? '' : ` Its owner is ${plan.owner}.`;
      return findingOf(`file/${file}`, plan?.alerts, {
        subject: file,
        what: `cannot be applied: ${mistake}${mistakes > 1 ? `, and ${mistakes - 1} more` : ''}`,
        kind: 'broken_file',
        source: dagId ?? file,
        severity: 'warning',
        since,
        details: {
          what_to_do: `\`sluice validate ${file}\` shows every mistake. Correct or remove the file. Its last applied version stays active.${owner}`,
        },
      });
    });
}
