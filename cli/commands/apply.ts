import { Command } from 'commander';
import { EXIT } from '../../lib/exit-code.ts';
import { taskQueueOf } from '../../lib/environment.ts';
import { applyDeployment, listApplied, type Outcome } from '../../temporal/deployment/apply.ts';
import { type ApplyOptions, diffDeployment } from '../../temporal/deployment/changes.ts';
import { ensureSearchAttributes } from '../../temporal/search-attributes.ts';
import { environment, formatMistakes, outputOption, type OutputOptions, PIPELINES, print, readProject, say } from '../command-context.ts';
import { pruneOptions } from '../prune-options.ts';
import { withClient } from '../with-client.ts';

/** `sluice apply`: makes the changes that `sluice plan` shows. */
export const command = pruneOptions(new Command('apply'))
  .description('Make the schedules and sensors in Temporal agree with the pipeline files, as `sluice plan` shows.')
  .argument('[paths...]', 'files and folders', [PIPELINES])
  .addOption(outputOption())
  .addHelpText(
    'after',
    '\nExample:\n  sluice apply pipelines/ --prune\n\n' +
      'Exit codes: 0 applied; 1 a change failed, or a deletion was not carried out; 3 mistakes in files, whose pipelines stay as they were.',
  )
  .action(async (paths: string[], options: OutputOptions & ApplyOptions) => {
    const project = await readProject(paths);
    const queue = taskQueueOf(environment);
    const results: Result[] = [];
    await withClient(async (client) => {
      await ensureSearchAttributes(client);
      const changes = diffDeployment(project, await listApplied(client, queue, project), options);
      for (const { dagId, action, detail, withheld } of changes.pipelines)
        if (withheld !== undefined) results.push({ dag_id: dagId, action, detail, withheld });
      await applyDeployment(client, queue, changes, {
        onPipeline: ({ dagId, action, detail }, outcome) => results.push({ dag_id: dagId, action, detail, ...shown(outcome) }),
        onSensor: ({ id, action }, outcome) => results.push({ sensor: id, action, ...shown(outcome) }),
      });
    });
    const unchanged = project.plans.length - results.filter((each) => 'dag_id' in each && each.action !== 'delete').length;
    print(options, results, [...results.map(describe), `${unchanged} unchanged`].join('\n'));
    if (project.broken.length > 0) say(formatMistakes(project.compilations));
    if (project.broken.length > 0) process.exitCode = EXIT.invalidPipeline;
    else if (results.some(({ failure, withheld }) => (failure ?? withheld) !== undefined)) process.exitCode = EXIT.failed;
  });

/** A change and its outcome. */
type Result = ({ readonly dag_id: string; readonly detail: string } | { readonly sensor: string }) & {
  readonly action: string;
  /** Why a deletion was withheld. */
  readonly withheld?: string;
  readonly failure?: string;
  /** The runs that an update started, for ticks that it would have dropped. */
  readonly started?: readonly string[];
  /** The backfill that `catchup` started. */
  readonly backfill?: string;
};

function shown(outcome: Outcome): Pick<Result, 'failure' | 'started' | 'backfill'> {
  if ('failure' in outcome) return { failure: outcome.failure };
  const { started, backfill } = outcome;
  return { ...(started.length > 0 && { started }), ...(backfill !== undefined && { backfill }) };
}

const PAST: Readonly<Record<string, string>> = {
  create: 'created',
  update: 'updated',
  finish: 'finished',
  delete: 'deleted',
  start: 'started',
  stop: 'stopped',
};

function describe(result: Result): string {
  const name = 'dag_id' in result ? result.dag_id : result.sensor;
  const detail = 'dag_id' in result ? `  (${result.detail})` : '';
  if (result.failure !== undefined) return `! ${name}  ${result.action} failed: ${result.failure}`;
  if (result.withheld !== undefined) return `! ${name}  not deleted${detail}: ${result.withheld}`;
  const more = [
    ...(result.started ?? []).map((run) => `\n    started ${run}, which was due when the schedule was updated`),
    ...(result.backfill === undefined ? [] : [`\n    catches up: ${result.backfill}`]),
  ];
  return `${name}  ${PAST[result.action] ?? result.action}${detail}${more.join('')}`;
}
