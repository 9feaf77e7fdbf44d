import { existsSync } from 'node:fs';
import { join, resolve, sep } from 'node:path';
import type { ProjectResources } from '../resources/declared-resource.ts';
import type { Context } from './check/check-context.ts';
import type { ResourceCompilation, ResourceCompiler } from './compile-resources.ts';
import { loadPipelines } from './read/load-pipelines.ts';
import { pathInProject, type Project, projectOf } from './read/project.ts';

/** The folder of a project with resource files. */
export const RESOURCE_FOLDER = 'resources';

/** The resources of a project in some of its files and folders. */
export interface CompiledResources extends ProjectResources {
  readonly compilations: readonly ResourceCompilation[];
}

/** Whether a path is the folder `resources/` of its project, or in it. */
export function isResourcePath(path: string): boolean {
  const folder = join(projectOf(path).root, RESOURCE_FOLDER);
  const absolute = resolve(path);
  return absolute === folder || absolute.startsWith(folder + sep);
}

/** Without resources, a project needs no such folder; it is also gone after its last file is removed. */
function isMissingFolder(path: string): boolean {
  return resolve(path) === join(projectOf(path).root, RESOURCE_FOLDER) && !existsSync(path);
}

/**
 * Compiles the resource files at `paths`, which may have none.
 * @param project that owns them
 * @param environment the environment whose variables they use; absent: none
 * @throws PipelinesNotFound for a path that does not exist
 * @throws EnvironmentNotUsable
 */
export async function compileResources(
  paths: readonly string[],
  project: Project,
  compiler: ResourceCompiler,
  context: Context,
  environment?: string,
): Promise<CompiledResources> {
  const files = (await Promise.all(paths.filter((path) => !isMissingFolder(path)).map((path) => loadPipelines(path, environment)))).flat();
  const compilations = compiler.compileAll(files, context);
  const nameOf = (file: string): string => pathInProject(project, file);
  return {
    project: project.name,
    paths: paths.map(nameOf),
    compilations,
    resources: compilations.flatMap(({ resources = [] }) => resources),
    broken: compilations.flatMap(({ file, resources }) => (resources ? [] : [nameOf(file)])),
  };
}
