import { Command } from 'commander';
import type { Compilation } from '../compiler/compile.ts';
import { EXIT } from '../lib/exit-code.ts';
import { taskQueueOf } from '../lib/environment.ts';
import { codecOf } from '../temporal/codec.ts';
import { type ScheduleChange, diffSchedules, listSchedules } from '../temporal/schedules.ts';
import { missingSearchAttributes } from '../temporal/search-attributes.ts';
import { describeSchedule, describeTasks, describeTrigger } from '../workflows/plan/describe.ts';
import type { Plan } from '../workflows/plan/plan.ts';
import { iso, type SchedulePlan, tickAfter } from '../workflows/plan/schedule.ts';
import { compilePaths, environment, formatMistakes, outputOption, type OutputOptions, PIPELINES, print, say } from './command-context.ts';
import { withClient } from './with-client.ts';

const FIRE_TIMES = 5;

/** `sluice plan`: what applying the files would change in Temporal, and what the compiler filled in. */
export const command = new Command('plan')
  .description('Show what the scheduler would change in Temporal, the next runs, and what the compiler filled in.')
  .argument('[paths...]', 'files and folders', [PIPELINES])
  .addOption(outputOption())
  .addHelpText(
    'after',
    '\nExample:\n  sluice plan pipelines/\n\nExit codes: 0 nothing to change, 2 changes present, 3 mistakes in files, 4 no Temporal server.',
  )
  .action(async (paths: string[], options: OutputOptions) => {
    const compilations = await compilePaths(paths);
    const plans = compilations.flatMap(({ plan }) => plan ?? []);
    // Whether a schedule is to go can be told only when the whole folder is looked at.
    const whole = paths.length === 1 && paths[0] === PIPELINES;
    const changes = await withClient(async (client) => {
      // Where they are missing nothing was applied yet. To look changes nothing on the server.
      const isNew = (await missingSearchAttributes(client)).length > 0;
      return diffSchedules(
        plans,
        isNew ? [] : await listSchedules(client, taskQueueOf(environment)),
        () => !whole || plans.length < compilations.length,
        codecOf(client).keyId,
      );
    });
    const value = changes.map((change) => present(change, compilations));
    print(options, value, changes.map((change) => describe(change, compilations)).join('\n\n'));
    if (plans.length < compilations.length) {
      say(formatMistakes(compilations));
      process.exitCode = EXIT.invalidPipeline;
    } else if (changes.some(({ action }) => action !== 'unchanged')) {
      process.exitCode = EXIT.changesPresent;
    }
  });

function present({ dagId, action, detail, plan }: ScheduleChange, compilations: readonly Compilation[]) {
  return {
    dag_id: dagId,
    action,
    detail,
    ...(plan && {
      hash: plan.hash,
      next_runs: nextRuns(plan.schedule),
      triggers: plan.triggers?.map(({ name }) => name) ?? [],
      filled_in: filledInOf(plan, compilations),
    }),
  };
}

const SIGNS = { create: '+', update: '~', finish: '~', delete: '-', unchanged: '=' } as const;

function describe({ dagId, action, detail, plan }: ScheduleChange, compilations: readonly Compilation[]): string {
  const lines = [`${SIGNS[action]} ${dagId}  ${action === 'unchanged' ? 'no change' : action}  (${detail})`];
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
