import type { Plan } from '../workflows/plan/plan.ts';
import type { DataInterval } from '../workflows/plan/timetable/schedule.ts';
import { alertSetting, type AlertsPlan, type Severity, type SlaPlan } from '../workflows/plan/incidents/sla.ts';
import type { OpenWait } from '../workflows/plan/tasks/task-table.ts';
import type { WatchedRun } from './watched.ts';

export type ProblemKind = 'missing' | 'never_started' | 'failed' | 'held' | 'late' | 'stale' | 'assert' | 'waits';

/** A violated expectation. */
export interface Problem {
  /** Constant for the same SLA and the same interval (or run). */
  readonly key: string;
  readonly kind: ProblemKind;
  readonly state: 'warning' | 'breach';
  readonly plan: Plan;
  readonly sla?: SlaPlan;
  readonly severity: Severity;
  /** Milliseconds. */
  readonly since: number;
  /** The deadline, in milliseconds; absent if there was none. */
  readonly deadline?: number;
  /** The problem, as the end of a sentence that starts with the pipeline's name. */
  readonly what: string;
  readonly interval?: DataInterval;
  readonly run?: WatchedRun;
  /** The decision that the run waits for, if that is the problem. */
  readonly wait?: OpenWait;
  /** Channels to notify; default: those of the pipeline. */
  readonly alerts?: AlertsPlan;
}

/** The severity of a problem with a pipeline or one of its SLAs. */
export function severityOf({ alerts, critical }: Plan, sla?: SlaPlan): Severity {
  return sla?.severity ?? alertSetting(alerts, 'severity') ?? (critical ? 'critical' : 'error');
}

/** An SLA's unique name within its pipeline. */
export function slaName({ name, task }: SlaPlan): string {
  return task === undefined ? name : `${task}.${name}`;
}
