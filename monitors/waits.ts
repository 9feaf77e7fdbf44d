import type { OpenProblem } from '../workflows/plan/incidents/incident.ts';
import { isUnderWay } from '../workflows/plan/runs/run.ts';
import { alertSetting, type AlertsPlan } from '../workflows/plan/incidents/sla.ts';
import type { OpenWait } from '../workflows/plan/tasks/task-table.ts';
import { waitKey } from '../workflows/plan/tasks/wait-key.ts';
import { DEFAULT_ALERTS } from './finding.ts';
import { type Problem, severityOf } from './problem.ts';
import type { WatchedPipeline, WatchedRun } from './watched.ts';

/** Tasks that wait for people, in runs whose pipeline has channels for waits. */
export function findWaits({ runs }: Pick<WatchedPipeline, 'runs'>): Problem[] {
  return runs.flatMap((run) =>
    (run.waits ?? []).flatMap((wait): Problem[] => {
      const { plan, pipelineRunId, interval } = run;
      const alerts = alertsFor(wait, run);
      if (Object.keys(alerts).length === 0) return [];
      return [
        {
          key: waitKey(plan.dagId, wait.task, pipelineRunId),
          kind: 'waits',
          state: 'breach',
          plan,
          severity: alertSetting(alerts, 'severity') ?? (wait.kind === 'held' ? severityOf(plan) : 'info'),
          since: wait.since,
          what: wordsOf(wait),
          ...(interval && { interval }),
          run,
          wait,
          alerts,
        },
      ];
    }),
  );
}

/** Whether an open wait's run is still active but its wait cannot be read, because no worker responds. */
export function isUnanswered({ id }: NonNullable<OpenProblem['run']>, pipelines: readonly WatchedPipeline[]): boolean {
  return pipelines.some(({ runs }) => runs.some((run) => run.pipelineRunId === id && isUnderWay(run.state) && run.waits === undefined));
}

/** A task on hold in a critical pipeline has its own incident, so its channels are not paged again here. */
function alertsFor({ kind }: OpenWait, { plan: { waitingAlerts = {}, alerts, critical } }: WatchedRun): AlertsPlan {
  if (kind !== 'held' || !critical) return waitingAlerts;
  const paged = alerts ?? DEFAULT_ALERTS;
  return Object.fromEntries(Object.entries(waitingAlerts).filter(([channel, { connection }]) => connection !== paged[channel]?.connection));
}

function wordsOf({ kind, task, prompt, error }: OpenWait): string {
  const [reason = ''] = (kind === 'held' ? error : prompt)?.split('\n') ?? [];
  const what = kind === 'held' ? `a decision on ${task}, which has failed` : `approval of ${task}`;
  return `waits for ${what}${reason === '' ? '' : `: ${reason}`}`;
}
