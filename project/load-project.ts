import { existsSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { notifyTask } from '../activities/notify.ts';
import type { ChannelDefinition } from '../channels/define-channel.ts';
import { type Environment, SettingError } from '../lib/environment.ts';
import { projectRoot } from '../lib/roots.ts';
import { errorText } from '../workflows/plan/values/error-text.ts';
import { checkConfig } from './check-config.ts';
import { DEFINITION_KINDS } from './check-definition.ts';
import { API, compileFiles } from './compile-files.ts';
import type { ProjectConfig } from './define-config.ts';
import type { Plugin } from './define-plugin.ts';
import { BUILT_IN, type DefinitionKind, type Definitions } from './definitions.ts';
import { DefinitionList } from './definition-list.ts';
import { findFiles } from './find-files.ts';
import { refuseProject } from './project-error.ts';

/** A team's repository with everything that its pipelines can name: built-in definitions, those of plugins, and its own. */
export interface Project extends Definitions {
  /** An absolute path. */
  readonly root: string;
  readonly config: ProjectConfig;
  /** The origin of each definition that is not built in: a file such as `tasks/greet.ts`, or `plugin sluice-snowflake`. */
  readonly origins: Readonly<Record<DefinitionKind, ReadonlyMap<string, string>>>;
  /** A hash of the project's own code; '' if it has none. */
  readonly revision: string;
}

/**
 * Loads a project: its `sluice.config.*`, its plugins, and the files of its folders `tasks/`, `connections/`,
 * `triggers/`, `channels/` and `resources/`.
 * The code of the project runs in this process. A folder without any of these is a project with the built-in definitions.
 * @param environment `SLUICE_PROJECT` names the root; default: found upwards from the working directory
 * @throws SettingError when the folder in `SLUICE_PROJECT` does not exist
 * @throws ProjectError with every problem of the project's files and plugins
 */
export async function loadProject(environment: Environment = process.env): Promise<Project> {
  const root = projectRoot(environment);
  if (!existsSync(root)) {
    throw new SettingError(
      `SLUICE_PROJECT is '${environment.SLUICE_PROJECT}', which does not exist. Set it to the folder with sluice.config.ts, or unset it.`,
    );
  }
  const { config: configFile, definitions: files } = findFiles(root);
  const { revision, exports } = await loadFiles(root, [
    ...(configFile === undefined ? [] : [configFile]),
    ...files.map(({ file }) => file),
  ]);
  const config = configFile === undefined ? {} : checkConfig(configFile, exports.get(configFile));
  const list = new DefinitionList(BUILT_IN);
  for (const plugin of config.plugins ?? []) addPlugin(list, plugin);
  for (const { kind, file } of files) list.add(kind, exports.get(file), file);
  const { definitions, origins, problems } = list;
  if (problems.length > 0) refuseProject(problems);
  return { root, config, ...withOwnChannels(definitions), origins, revision };
}

/** The environment of a project's processes: `SLUICE_TASK_QUEUE`, else the deployment in the configuration. */
export function environmentOf({ config }: Project, environment: Environment): Environment {
  const { deployment } = config;
  return deployment === undefined || environment.SLUICE_TASK_QUEUE ? environment : { ...environment, SLUICE_TASK_QUEUE: deployment };
}

/** The default exports of files, and a hash of all code that was loaded. */
interface LoadedFiles {
  readonly exports: ReadonlyMap<string, unknown>;
  readonly revision: string;
}

/**
 * Compiles and imports files.
 * @throws ProjectError with every file that cannot be loaded, or that has no default export
 */
async function loadFiles(root: string, files: readonly string[]): Promise<LoadedFiles> {
  if (files.length === 0) return { exports: new Map(), revision: '' };
  const api = await import('../index.ts');
  Object.assign(globalThis, { [API]: api });
  const compiled = await compileFiles(root, files, Object.keys(api));
  // Errors then name the place in the TypeScript file.
  process.setSourceMapsEnabled(true);
  const exports = new Map<string, unknown>();
  const problems: string[] = [];
  for (const file of files) {
    try {
      const { href } = pathToFileURL(join(compiled, `${file}.mjs`));
      const { file: namespace } = (await import(href)) as { file: Readonly<Record<string, unknown>> };
      if ('default' in namespace) exports.set(file, namespace.default);
      else problems.push(withoutDefault(file, Object.keys(namespace)));
    } catch (error) {
      problems.push(`${file} cannot be loaded: ${errorText(error)}${placeOf(error, root)}`);
    }
  }
  if (problems.length > 0) refuseProject(problems);
  return { exports, revision: basename(compiled) };
}

function withoutDefault(file: string, names: readonly string[]): string {
  const folder = file.split('/')[0] ?? '';
  const hint = names.length > 0 ? ` (it exports ${names.join(', ')})` : '';
  return `${file} has no default export${hint}. Write \`export default …\`; a file without a definition belongs outside of ${folder}/, such as in lib/.`;
}

/** The first place of an error in the project's own files, such as ` (tasks/greet.ts:3:7)`. */
function placeOf(error: unknown, root: string): string {
  const stack = error instanceof Error ? (error.stack ?? '') : '';
  for (const [, path = '', place = ''] of stack.matchAll(/\(?(?:file:\/\/)?(\/[^\s():]+):(\d+:\d+)\)?$/gm)) {
    const file = relative(root, path);
    if (!file.startsWith('..') && !/^(node_modules|\.sluice)\//.test(file)) return ` (${file}:${place})`;
  }
  return '';
}

function addPlugin(list: DefinitionList, plugin: Plugin): void {
  for (const kind of DEFINITION_KINDS) {
    for (const definition of plugin[kind]) list.add(kind, definition, `plugin ${plugin.name}`);
  }
}

/** `notify` tasks can name the channels of the project. */
function withOwnChannels(definitions: Definitions): Definitions {
  const { channels, tasks } = definitions;
  if (channels.length === BUILT_IN.channels.length) return definitions;
  const notify = notifyTask(channels as [ChannelDefinition, ...ChannelDefinition[]]);
  return { ...definitions, tasks: tasks.map((each) => (each.type === notify.type ? notify : each)) };
}
