import type { Client } from '@temporalio/client';
import { Command } from 'commander';
import type { Compilation } from '../../compiler/compile.ts';
import { EXIT } from '../../lib/exit-code.ts';
import { taskQueueOf } from '../../lib/environment.ts';
import { codecOf } from '../../temporal/codec/codec.ts';
import { TemporalUnavailable } from '../../temporal/connect.ts';
import { scheduleOf } from '../../temporal/schedules/schedule-facts.ts';
import { type ScheduleChange, type ScheduleState, diffSchedules, listSchedules } from '../../temporal/schedules/schedules.ts';
import { missingSearchAttributes } from '../../temporal/search-attributes.ts';
import { describeSchedule, describeTasks, describeTrigger } from '../../workflows/plan/describe.ts';
import type { Plan } from '../../workflows/plan/plan.ts';
import { iso, type SchedulePlan, tickAfter } from '../../workflows/plan/timetable/schedule.ts';
import { compilePaths, environment, formatMistakes, outputOption, type OutputOptions, PIPELINES, print, say } from '../command-context.ts';
import { diffPlans } from '../view/plan-diff.ts';
import { withClient } from '../with-client.ts';

const FIRE_TIMES = 5;

/** `sluice plan`: what applying the files would change in Temporal, and what the compiler filled in. */
export const command = new Command('plan')
  .description(
    'Show the next runs and what the compiler filled in; with a Temporal server, also what the scheduler would change there, and what is paused.',
  )
  .argument('[paths...]', 'files and folders', [PIPELINES])
  .addOption(outputOption())
  .addHelpText(
    'after',
    '\nExample:\n  sluice plan pipelines/\n\nExit codes: 0 nothing to change, or no Temporal server to compare with; 2 changes present; 3 mistakes in files.',
  )
  .action(async (paths: string[], options: OutputOptions) => {
    const compilations = await compilePaths(paths);
    const plans = compilations.flatMap(({ plan }) => plan ?? []);
    // Whether a schedule is to go can be told only when the whole folder is looked at.
    const whole = paths.length === 1 && paths[0] === PIPELINES;
    const changes = await withClient((client) => changesIn(client, plans, () => !whole || plans.length < compilations.length)).catch(
      (error: unknown): Change[] => {
        if (!(error instanceof TemporalUnavailable)) throw error;
        say(`${error.message} The files were not compared with anything.`);
        return plans.map((plan) => ({ dagId: plan.dagId, action: 'compiled', detail: describeSchedule(plan.schedule), plan }));
      },
    );
    const value = changes.map((change) => present(change, compilations));
    print(options, value, changes.map((change) => describe(change, compilations)).join('\n\n'));
    if (plans.length < compilations.length) {
      say(formatMistakes(compilations));
      process.exitCode = EXIT.invalidPipeline;
    } else if (changes.some(({ action }) => action !== 'unchanged' && action !== 'compiled')) {
      process.exitCode = EXIT.changesPresent;
    }
  });

/** A change, with what people want to know of it. `compiled`: there is no server to compare with. */
interface Change extends Omit<ScheduleChange, 'action'> {
  readonly action: ScheduleChange['action'] | 'compiled';
  /** Why its schedule is paused, in the words of whoever did it. */
  readonly paused?: string;
  /** What differs from the plan that was applied, line by line. */
  readonly diff?: readonly string[];
}

/** What would change on the server. To look changes nothing there. */
async function changesIn(client: Client, plans: readonly Plan[], keep: () => boolean): Promise<Change[]> {
  // Where they are missing nothing was applied yet.
  const isNew = (await missingSearchAttributes(client)).length > 0;
  const existing = isNew ? [] : await listSchedules(client, taskQueueOf(environment));
  const states = new Map(existing.map((state) => [state.dagId, state]));
  return Promise.all(
    diffSchedules(plans, existing, keep, codecOf(client).keyId).map(async (change): Promise<Change> => {
      const { paused, note } = states.get(change.dagId) ?? NOT_PAUSED;
      const diff = change.action === 'update' && change.plan ? await diffWithApplied(client, change.plan) : [];
      return { ...change, ...(paused && { paused: note || 'paused' }), ...(diff.length > 0 && { diff }) };
    }),
  );
}

const NOT_PAUSED: Pick<ScheduleState, 'paused' | 'note'> = { paused: false, note: '' };

async function diffWithApplied(client: Client, plan: Plan): Promise<string[]> {
  try {
    return diffPlans((await scheduleOf(client, plan.dagId)).plan, plan);
  } catch (error) {
    // The applied plan may be encrypted with a key that is not here, or gone since it was listed.
    return [`the applied plan cannot be read: ${error instanceof Error ? error.message : String(error)}`];
  }
}

function present({ dagId, action, detail, plan, paused, diff }: Change, compilations: readonly Compilation[]) {
  return {
    dag_id: dagId,
    action,
    detail,
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

function describe({ dagId, action, detail, plan, paused, diff = [] }: Change, compilations: readonly Compilation[]): string {
  const lines = [`${SIGNS[action]} ${dagId}  ${action === 'unchanged' ? 'no change' : action}  (${detail})`];
  if (paused !== undefined) lines.push(`  paused, and stays so until \`sluice resume ${dagId}\`: ${paused}`);
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
  if (runs.length === 0 && triggers.length === 0) lines.push('  starts only by hand');
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
  while (schedule && runs.length < FIRE_TIMES) {
    const tick = tickAfter(schedule, after);
    if (tick === undefined) break;
    runs.push(iso(tick));
    after = tick;
  }
  return runs;
}
