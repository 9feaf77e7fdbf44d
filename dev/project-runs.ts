import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import { formatTasks, runView } from '../cli/view/run-view.ts';
import { Compiler } from '../compiler/compile.ts';
import { ResourceCompiler } from '../compiler/compile-resources.ts';
import { compileResources, RESOURCE_FOLDER } from '../compiler/project-resources.ts';
import { projectOf } from '../compiler/read/project.ts';
import type { DeclaredResource } from '../resources/declared-resource.ts';
import { formatDiagnostic } from '../compiler/mistakes/diagnostic.ts';
import { loadPipelines } from '../compiler/read/load-pipelines.ts';
import { connectionTypesIn } from '../connections/connections.ts';
import { type Environment, taskQueueOf } from '../lib/environment.ts';
import type { Progress } from '../lib/progress.ts';
import { limitsOf } from '../project/compile-context.ts';
import type { Project } from '../project/load-project.ts';
import { followRun, type RunEnd } from '../temporal/runs/follow-run.ts';
import { type RunReference, startManualRun } from '../temporal/runs/runs.ts';
import type { Plan } from '../workflows/plan/plan.ts';
import { dataIntervalAt, iso } from '../workflows/plan/timetable/schedule.ts';
import { say } from './platform.ts';

/** Compiles the pipelines of a project, and prints mistakes. @throws PipelinesNotFound, EnvironmentNotUsable */
export async function plansOf(project: Project, environment: Environment): Promise<readonly Plan[]> {
  const files = await loadPipelines(join(project.root, 'pipelines'), environment.SLUICE_ENV || undefined);
  const context = { ...limitsOf(project, environment), connectionTypes: connectionTypesIn(environment, project.connections) };
  const compiled = Compiler.of(project).compileAll(files, context);
  for (const { diagnostics } of compiled) for (const diagnostic of diagnostics) say(formatDiagnostic(diagnostic));
  return compiled.flatMap(({ plan }) => plan ?? []);
}

/** Compiles the resources of a project. Their mistakes are shown by the scheduler. @throws PipelinesNotFound, EnvironmentNotUsable */
export async function resourcesOf(project: Project, environment: Environment): Promise<readonly DeclaredResource[]> {
  const folder = join(project.root, RESOURCE_FOLDER);
  const compiler = new ResourceCompiler(project.resources);
  const context = limitsOf(project, environment);
  return (await compileResources([folder], projectOf(folder), compiler, context, environment.SLUICE_ENV || undefined)).resources;
}

/** Runs a pipeline for its current interval, and shows it task by task until it ends. */
export async function runNow(
  plan: Plan,
  { environment, client }: { readonly environment: Environment; readonly client: Client },
  progress: Progress,
  signal: AbortSignal,
): Promise<{ readonly run: RunReference; readonly end: RunEnd }> {
  const interval = dataIntervalAt(plan.schedule, Date.now());
  const run = await startManualRun(client, plan, taskQueueOf(environment), interval, iso(Date.now()));
  say(`\nRun ${run.pipelineRunId}, data of ${interval.start} – ${interval.end}`);
  const end = await followRun(client, run, runView(progress), signal);
  say(`\n${formatTasks(end.tasks)}\n`);
  return { run, end };
}
