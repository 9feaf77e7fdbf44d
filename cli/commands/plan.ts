import type { Client } from '@temporalio/client';
import { Command } from 'commander';
import { EXIT } from '../../lib/exit-code.ts';
import { taskQueueOf } from '../../lib/environment.ts';
import { TemporalUnavailable } from '../../temporal/connect.ts';
import { listApplied } from '../../temporal/deployment/apply.ts';
import { type ApplyOptions, diffDeployment, type ProjectPipelines } from '../../temporal/deployment/changes.ts';
import { withholdWithoutWorkers } from '../../temporal/deployment/worker-check.ts';
import type { CompiledProject } from '../../compiler/project-pipelines.ts';
import { scheduleOf } from '../../temporal/schedules/schedule-facts.ts';
import type { ScheduleState } from '../../temporal/schedules/schedules.ts';
import type { SensorChange } from '../../temporal/sensors/sensors.ts';
import { describeSchedule } from '../../workflows/plan/describe.ts';
import type { PipelineName } from '../../workflows/plan/ids.ts';
import type { Plan } from '../../workflows/plan/plan.ts';
import type { CompiledResources } from '../../compiler/project-resources.ts';
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
import { planResources } from '../converge-resources.ts';
import { projectAtCommit } from '../project-at-commit.ts';
import { pruneOptions, type WaitOptions, waitOption } from '../prune-options.ts';
import { describeChange, describeSensorChange, presentChange, type ShownChange } from '../view/pipeline-changes.ts';
import { diffPlans } from '../view/plan-diff.ts';
import { describeResource, presentResource, type ShownResource } from '../view/resource-changes.ts';
import { withClient } from '../with-client.ts';
import { errorText } from '../../workflows/plan/values/error-text.ts';

/** `sluice plan`: shows what applying the files would change in Temporal, and what the compiler filled in. */
export const command = waitOption(pruneOptions(new Command('plan')), '0s')
  .description(
    'Show the next runs and the values that the compiler filled in; with a Temporal server, also what `sluice apply` would change, in Temporal and on the servers of declared resources, and what is paused.',
  )
  .argument('[paths...]', 'files and folders', PROJECT_FILES)
  .option('--against <commit>', 'compare with the files of a git commit instead of with Temporal')
  .addOption(outputOption())
  .addHelpText(
    'after',
    '\nExamples:\n  sluice plan pipelines/\n  sluice plan --against origin/main   show what a pull request changes\n\nExit codes: 0 no changes, or no Temporal server to compare with; 1 a resource could not be compared; 2 changes pending; 3 mistakes in files.',
  )
  .action(async (paths: string[], options: Options) => {
    const split = splitPaths(paths);
    const project = await readProject(split.pipelines);
    const declared = await readResources(split.resources);
    const { compilations } = project;
    const { pipelines, sensors, resources } = await (options.against === undefined
      ? changesInTemporal(project, declared, options)
      : changesSince(options.against, split.pipelines, project));
    const value = [
      ...resources.map(presentResource),
      ...pipelines.map((change) => presentChange(change, compilations)),
      ...sensors.map(({ id, action, withheld }) => ({ sensor: id, action, ...(withheld !== undefined && { withheld }) })),
    ];
    const text = [
      ...(resources.length > 0 ? [resources.map(describeResource).join('\n')] : []),
      ...pipelines.map((change) => describeChange(change, compilations)),
      ...(sensors.length > 0 ? [sensors.map(describeSensorChange).join('\n')] : []),
    ];
    print(options, value, text.join('\n\n'));
    if (project.broken.length > 0 || declared.broken.length > 0) {
      say(formatMistakes([...declared.compilations, ...compilations]));
      process.exitCode = EXIT.invalidPipeline;
    } else if (resources.some(({ action }) => action === 'unknown')) {
      process.exitCode = EXIT.failed;
    } else if (sensors.length > 0 || [...pipelines, ...resources].some(({ action }) => action !== 'unchanged' && action !== 'compiled')) {
      process.exitCode = EXIT.changesPresent;
    }
  });

type Options = OutputOptions & ResourceOptions & WaitOptions & { readonly against?: string };

interface ShownChanges {
  readonly pipelines: readonly ShownChange[];
  readonly sensors: readonly SensorChange[];
  readonly resources: readonly ShownResource[];
}

/** Shows what `sluice apply` would change; without a server, only the compiled pipelines. */
function changesInTemporal(
  project: CompiledProject,
  declared: CompiledResources,
  options: ResourceOptions & WaitOptions,
): Promise<ShownChanges> {
  return withClient(async (client) => {
    const deployment = { client, taskQueue: taskQueueOf(environment), project: currentProject(), environment };
    const resources = await planResources(deployment, declared, options);
    return { ...(await changesIn(client, project, options)), resources };
  }).catch((error: unknown): ShownChanges => {
    if (!(error instanceof TemporalUnavailable)) throw error;
    say(`${error.message} The files were not compared with what is applied.`);
    const compiled = project.plans.map(({ plan }): ShownChange => ({
      dagId: plan.dagId,
      action: 'compiled',
      detail: describeSchedule(plan.schedule),
      plan,
    }));
    const resources = declared.resources.map((each): ShownResource => ({
      ...each,
      action: 'compiled',
      detail: each.file,
      differences: [],
      isOwn: false,
    }));
    return { pipelines: compiled, sensors: [], resources };
  });
}

/** Shows how the files differ from those of a git commit. */
async function changesSince(ref: string, paths: readonly string[], project: CompiledProject): Promise<ShownChanges> {
  const earlier = await projectAtCommit(ref, paths);
  const broken = earlier?.broken ?? [];
  if (broken.length > 0) {
    const files = broken.map(({ file }) => file).join(', ');
    say(`Files with mistakes in '${ref}' are left out of the comparison: ${files}`);
  }
  return { pipelines: diffProjects(earlier?.plans ?? [], project), sensors: [], resources: [] };
}

/** Compares pipelines with earlier versions. Skips files that have mistakes now. */
function diffProjects(earlier: CompiledProject['plans'], { plans, broken }: CompiledProject): ShownChange[] {
  const before = new Map(earlier.map(({ plan }) => [plan.dagId, plan]));
  const now = new Set(plans.map(({ plan }) => plan.dagId));
  const mayBeBroken = (dagId: string): boolean => broken.some((file) => file.dagId === undefined || file.dagId === dagId);
  const kept = plans.map(({ plan }): ShownChange => {
    const old = before.get(plan.dagId);
    const change = { dagId: plan.dagId, detail: describeSchedule(plan.schedule), plan };
    if (!old) return { ...change, action: 'create' };
    if (old.hash === plan.hash) return { ...change, action: 'unchanged' };
    return { ...change, action: 'update', detail: `plan ${old.hash.slice(0, 12)} → ${plan.hash.slice(0, 12)}`, diff: diffPlans(old, plan) };
  });
  const gone = earlier.filter(({ plan: { dagId } }) => !now.has(dagId) && !mayBeBroken(dagId));
  return [...kept, ...gone.map(({ plan: { dagId }, file }): ShownChange => ({ dagId, action: 'delete', detail: `${file} is gone` }))];
}

/** Determines what `sluice apply` would change on the server, without changing it. */
async function changesIn(
  client: Client,
  project: ProjectPipelines,
  options: ApplyOptions & WaitOptions,
): Promise<Omit<ShownChanges, 'resources'>> {
  const taskQueue = taskQueueOf(environment);
  const applied = await listApplied(client, taskQueue, project);
  const wanted = diffDeployment(project, applied, options);
  const { pipelines, sensors } = options.wait === false ? wanted : await withholdWithoutWorkers(client, taskQueue, wanted, options.wait);
  const states = new Map(applied.schedules.map((state) => [state.dagId, state]));
  const shown = await Promise.all(
    pipelines.map(async (change): Promise<ShownChange> => {
      const { paused, note } = states.get(change.dagId) ?? NOT_PAUSED;
      const { name = change.dagId } = change;
      const diff = change.action === 'update' && change.plan ? await diffWithApplied(client, name, change.plan) : [];
      return { ...change, ...(paused && { paused: note || 'paused' }), ...(diff.length > 0 && { diff }) };
    }),
  );
  return { pipelines: shown, sensors };
}

const NOT_PAUSED: Pick<ScheduleState, 'paused' | 'note'> = { paused: false, note: '' };

async function diffWithApplied(client: Client, name: PipelineName, plan: Plan): Promise<string[]> {
  try {
    return diffPlans((await scheduleOf(client, name)).plan, plan);
  } catch (error) {
    // The applied plan may be encrypted with an unavailable key, or deleted since it was listed.
    return [`the applied plan cannot be read: ${errorText(error)}`];
  }
}
