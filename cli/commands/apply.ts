import { Command } from 'commander';
import { EXIT } from '../../lib/exit-code.ts';
import { taskQueueOf } from '../../lib/environment.ts';
import { applyDeployment, listApplied, type Outcome } from '../../temporal/deployment/apply.ts';
import { diffDeployment } from '../../temporal/deployment/changes.ts';
import { reportProject } from '../../temporal/deployment/report-project.ts';
import { withholdWithoutWorkers } from '../../temporal/deployment/worker-check.ts';
import { listBrokenFiles } from '../../compiler/read/broken-files.ts';
import { errorText } from '../../workflows/plan/values/error-text.ts';
import { sensorOf } from '../../workflows/plan/sensor.ts';
import { ensureSearchAttributes } from '../../temporal/search-attributes.ts';
import type { ResourceOptions } from '../../resources/run/compare.ts';
import {
  currentProject,
  environment,
  formatMistakes,
  outputOption,
  type OutputOptions,
  print,
  PROJECT_FILES,
  readProject,
  readResources,
  say,
  splitPaths,
} from '../command-context.ts';
import { convergeResources } from '../converge-resources.ts';
import { pruneOptions, type WaitOptions, waitOption } from '../prune-options.ts';
import { describeResourceResult, isDone, presentResourceResult, type ResourceResult } from '../view/resource-changes.ts';
import { withClient } from '../with-client.ts';

/** `sluice apply`: makes the changes that `sluice plan` shows. */
export const command = waitOption(pruneOptions(new Command('apply')), '30s')
  .description(
    'Make declared resources agree with their files, then the schedules and sensors in Temporal with the pipelines, as `sluice plan` shows. Waits for workers that know their task types.',
  )
  .argument('[paths...]', 'files and folders', PROJECT_FILES)
  .addOption(outputOption())
  .addHelpText(
    'after',
    '\nExample:\n  sluice apply pipelines/ --prune\n\n' +
      'Exit codes: 0 applied; 1 a change failed, or was not carried out, or a resource could not be compared; 3 mistakes in files, whose pipelines and resources stay as they were.',
  )
  .action(async (paths: string[], options: OutputOptions & ResourceOptions & WaitOptions) => {
    const split = splitPaths(paths);
    const project = await readProject(split.pipelines);
    const declared = await readResources(split.resources);
    const queue = taskQueueOf(environment);
    const results: Result[] = [];
    let resources: readonly ResourceResult[] = [];
    /** Why a change was not made, by dag_id. */
    const failures = new Map<string, string>();
    await withClient(async (client) => {
      await ensureSearchAttributes(client);
      resources = await convergeResources({ client, taskQueue: queue, project: currentProject(), environment }, declared, options);
      const applied = await listApplied(client, queue, project);
      const wanted = diffDeployment(project, applied, options);
      const changes = options.wait === false ? wanted : await withholdWithoutWorkers(client, queue, wanted, options.wait);
      for (const { dagId, action, detail, withheld } of changes.pipelines)
        if (withheld !== undefined) {
          results.push({ dag_id: dagId, action, detail, withheld });
          if (action !== 'delete') failures.set(dagId, withheld);
        }
      for (const { id, action, withheld } of changes.sensors) if (withheld !== undefined) results.push({ sensor: id, action, withheld });
      await applyDeployment(client, queue, changes, {
        onPipeline({ dagId, action, detail }, outcome) {
          if ('failure' in outcome) failures.set(dagId, outcome.failure);
          results.push({ dag_id: dagId, action, detail, ...shown(outcome) });
        },
        onSensor({ id, action }, outcome) {
          if ('failure' in outcome) failures.set(sensorOf(id).dagId, outcome.failure);
          results.push({ sensor: id, action, ...shown(outcome) });
        },
      });
      const broken = listBrokenFiles(project.files, project.compilations, failures);
      await reportProject(client, queue, project, applied, changes, broken).catch((error: unknown) => {
        say(`The monitors could not be given the list of pipelines: ${errorText(error)}`);
      });
    });
    const changedPipelines = results.filter((each) => 'dag_id' in each && each.action !== 'delete').length;
    const changedResources = resources.filter(({ change }) => change.declared).length;
    const unchanged = project.plans.length - changedPipelines + declared.resources.length - changedResources;
    print(
      options,
      [...resources.map(presentResourceResult), ...results],
      [...resources.map(describeResourceResult), ...results.map(describe), `${unchanged} unchanged`].join('\n'),
    );
    const isBroken = project.broken.length > 0 || declared.broken.length > 0;
    if (isBroken) say(formatMistakes([...declared.compilations, ...project.compilations]));
    if (isBroken) process.exitCode = EXIT.invalidPipeline;
    else if (!resources.every(isDone) || results.some(({ failure, withheld }) => (failure ?? withheld) !== undefined))
      process.exitCode = EXIT.failed;
  });

/** A change and its outcome. */
type Result = ({ readonly dag_id: string; readonly detail: string } | { readonly sensor: string }) & {
  readonly action: string;
  /** Why it was not carried out. */
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
  if (result.withheld !== undefined) return `! ${name}  not ${PAST[result.action] ?? result.action}${detail}: ${result.withheld}`;
  const more = [
    ...(result.started ?? []).map((run) => `\n    started ${run}, which was due when the schedule was updated`),
    ...(result.backfill === undefined ? [] : [`\n    catches up: ${result.backfill}`]),
  ];
  return `${name}  ${PAST[result.action] ?? result.action}${detail}${more.join('')}`;
}
