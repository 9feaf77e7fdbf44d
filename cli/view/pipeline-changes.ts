import type { Compilation } from '../../compiler/compile.ts';
import type { PipelineChange } from '../../temporal/deployment/changes.ts';
import type { SensorChange } from '../../temporal/sensors/sensors.ts';
import { describeSchedule, describeTasks, describeTrigger } from '../../workflows/plan/describe.ts';
import type { Plan } from '../../workflows/plan/plan.ts';
import { iso, type SchedulePlan, tickAfter } from '../../workflows/plan/timetable/schedule.ts';

/** Number of upcoming runs that are shown. */
const NEXT_RUNS = 5;

/** A change with details for the output. `compiled`: there is no server to compare with. */
export interface ShownChange extends Omit<PipelineChange, 'action'> {
  readonly action: PipelineChange['action'] | 'compiled';
  /** Why its schedule is paused, as noted by the operator. */
  readonly paused?: string;
  /** Line-by-line difference from the applied plan. */
  readonly diff?: readonly string[];
}

export function presentChange({ dagId, action, detail, plan, withheld, paused, diff }: ShownChange, compilations: readonly Compilation[]) {
  return {
    dag_id: dagId,
    action,
    detail,
    ...(withheld !== undefined && { withheld }),
    ...(paused !== undefined && { paused }),
    ...(diff && { diff }),
    ...(plan && {
      hash: plan.hash,
      next_runs: nextRuns(plan.schedule),
      triggers: plan.triggers?.map(({ name }) => name) ?? [],
      filled_in: filledInOf(plan, compilations),
    }),
  };
}

const SIGNS = { create: '+', update: '~', finish: '~', delete: '-', unchanged: '=', compiled: '*' } as const;

export function describeChange(
  { dagId, action, detail, plan, withheld, paused, diff = [] }: ShownChange,
  compilations: readonly Compilation[],
): string {
  const lines = [`${SIGNS[action]} ${dagId}  ${action === 'unchanged' ? 'no change' : action}  (${detail})`];
  if (withheld !== undefined) lines.push(`  not carried out: ${withheld}`);
  if (paused !== undefined) lines.push(`  paused until \`sluice resume ${dagId}\`: ${paused}`);
  if (diff.length > 0) lines.push('  changes', ...diff.map((line) => `    ${line}`));
  if (!plan) return lines.join('\n');
  lines.push(
    ...describeTasks(plan)
      .split('\n')
      .map((line) => `    ${line}`),
  );
  const runs = nextRuns(plan.schedule);
  const triggers = plan.triggers ?? [];
  if (runs.length > 0) lines.push(`  next runs (${describeSchedule(plan.schedule)})`, ...runs.map((run) => `    ${run}`));
  lines.push(...triggers.map((trigger) => `  starts on ${trigger.name}: ${describeTrigger(trigger)}`));
  if (runs.length === 0 && triggers.length === 0) lines.push('  starts only manually');
  const filledIn = filledInOf(plan, compilations);
  if (filledIn.length > 0)
    lines.push('  filled in', ...filledIn.map(({ task, what, value, why }) => `    ${task ? `${task} ` : ''}${what}: ${value}  (${why})`));
  return lines.join('\n');
}

function filledInOf(plan: Plan, compilations: readonly Compilation[]) {
  return compilations.find((compilation) => compilation.plan === plan)?.filledIn ?? [];
}

function nextRuns(schedule: SchedulePlan | null): string[] {
  const runs: string[] = [];
  let after = Date.now();
  while (schedule && runs.length < NEXT_RUNS) {
    const tick = tickAfter(schedule, after);
    if (tick === undefined) break;
    runs.push(iso(tick));
    after = tick;
  }
  return runs;
}

/** One line for a sensor that is started, updated or stopped. */
export function describeSensorChange({ id, action, withheld }: SensorChange): string {
  return `${SENSOR_SIGNS[action]} ${id}  ${action}${withheld === undefined ? '' : `\n  not carried out: ${withheld}`}`;
}

const SENSOR_SIGNS = { start: '+', update: '~', stop: '-' } as const;
