import { dirname } from 'node:path';
import type { ProjectPipelines } from '../temporal/deployment/changes.ts';
import type { Compilation, Compiler, PipelineFile } from './compile.ts';
import type { Context } from './check/check-context.ts';
import { dagIdOf } from './read/broken-files.ts';
import { loadPipelines, PipelinesNotFound } from './read/load-pipelines.ts';
import { pathInProject, type Project, projectOf } from './read/project.ts';

/** The pipelines of a project in some of its files and folders. */
export interface CompiledProject extends ProjectPipelines {
  readonly files: readonly PipelineFile[];
  readonly compilations: readonly Compilation[];
}

/**
 * Compiles the files at `paths`, to compare them with the applied plans.
 * @param environment the environment whose variables the files use; absent: none
 * @throws PipelinesNotFound for a path that does not exist or has no pipelines, and for paths of several projects
 * @throws EnvironmentNotUsable
 */
export async function compileProject(
  paths: readonly string[],
  compiler: Compiler,
  context: Context,
  environment?: string,
): Promise<CompiledProject> {
  const files: PipelineFile[] = [];
  for (const path of paths) {
    const found = await loadPipelines(path, environment);
    if (found.length === 0)
      throw new PipelinesNotFound(`The folder '${path}' has no pipelines: no file in it ends in .yaml or .yml. Name another folder.`);
    files.push(...found);
  }
  const project = commonProject(paths);
  const compilations = await compileWithNeighbours(files, paths, compiler, context, environment);
  const nameOf = (file: string): string => pathInProject(project, file);
  return {
    project: project.name,
    paths: paths.map(nameOf),
    files,
    compilations,
    plans: compilations.flatMap(({ file, plan }) => (plan ? [{ plan, file: nameOf(file) }] : [])),
    broken: compilations.flatMap(({ file, plan }, index) => {
      if (plan) return [];
      const dagId = files[index] && dagIdOf(files[index]);
      return [{ file: nameOf(file), ...(dagId !== undefined && { dagId }) }];
    }),
  };
}

/**
 * Compiles files together. If a file names a pipeline that is not among them, because it may start it, the other files of its folder are
 * compiled too.
 * @param paths where the files were found
 * @returns the compilations of `files`, in order
 */
export async function compileWithNeighbours(
  files: readonly PipelineFile[],
  paths: readonly string[],
  compiler: Compiler,
  context: Context,
  environment?: string,
): Promise<readonly Compilation[]> {
  const compiled = compiler.compileAll(files, context);
  if (!compiled.some(({ diagnostics }) => diagnostics.some(({ code }) => code === 'SL306'))) return compiled;
  const named = new Set(files.map(({ file }) => file));
  const neighbours = (
    await Promise.all([...new Set(paths.map((path) => dirname(path)))].map((folder) => loadPipelines(folder, environment)))
  ).flat();
  const others = neighbours.filter(({ file }) => !named.has(file));
  return compiler.compileAll([...files, ...others], context).slice(0, files.length);
}

function commonProject(paths: readonly string[]): Project {
  const [first, ...others] = paths.map((path) => ({ path, project: projectOf(path) }));
  if (!first) throw new PipelinesNotFound('No files were named.');
  const other = others.find(({ project }) => project.root !== first.project.root);
  if (other) {
    throw new PipelinesNotFound(
      `'${first.path}' belongs to the project '${first.project.name}', and '${other.path}' to '${other.project.name}'. Name files of one project at a time.`,
    );
  }
  return first.project;
}
