import type { Plan } from '../workflows/plan/plan.ts';
import type { DataInterval } from '../workflows/plan/timetable/schedule.ts';
import { alertSetting, type AlertsPlan, type Severity, type SlaPlan } from '../workflows/plan/incidents/sla.ts';
import type { OpenWait } from '../workflows/plan/tasks/task-table.ts';
import type { WatchedRun } from './watched.ts';

export type ProblemKind = 'missing' | 'never_started' | 'failed' | 'held' | 'late' | 'stale' | 'assert' | 'waits';

/** Something that is not as was promised. */
export interface Problem {
  /** The same for the same promise and the same interval (or run), for ever. */
  readonly key: string;
  readonly kind: ProblemKind;
  readonly state: 'warning' | 'breach';
  readonly plan: Plan;
  readonly sla?: SlaPlan;
  readonly severity: Severity;
  /** Milliseconds. */
  readonly since: number;
  /** Until when it was promised, milliseconds; absent where no time was. */
  readonly deadline?: number;
  /** What is the matter, as the end of a sentence that begins with the pipeline's name. */
  readonly what: string;
  readonly interval?: DataInterval;
  readonly run?: WatchedRun;
  /** For whom the run waits, where the problem is that it does. */
  readonly wait?: OpenWait;
  /** Who is notified; absent: those whom the pipeline names for all else. */
  readonly alerts?: AlertsPlan;
}

/** How serious it is when a pipeline, or a promise of its, is not as it should be. */
export function severityOf({ alerts, critical }: Plan, sla?: SlaPlan): Severity {
  return sla?.severity ?? alertSetting(alerts, 'severity') ?? (critical ? 'critical' : 'error');
}

/** An SLA's name among all of its pipeline. */
export function slaName({ name, task }: SlaPlan): string {
  return task === undefined ? name : `${task}.${name}`;
}
