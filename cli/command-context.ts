import { join } from 'node:path';
import { Option } from 'commander';
import { joinEnvironments } from '../compiler/join-environments.ts';
import { listEnvironments } from '../compiler/read/environments.ts';
import { projectOf } from '../compiler/read/project.ts';
import type { Context } from '../compiler/check/check-context.ts';
import { type Compilation, Compiler } from '../compiler/compile.ts';
import { type CompiledProject, compileProject, compileWithNeighbours } from '../compiler/project-pipelines.ts';
import { type ResourceCompilation, ResourceCompiler } from '../compiler/compile-resources.ts';
import { type CompiledResources, compileResources, isResourcePath, RESOURCE_FOLDER } from '../compiler/project-resources.ts';
import { type Diagnostic, formatDiagnostic } from '../compiler/mistakes/diagnostic.ts';
import { loadPipelines } from '../compiler/read/load-pipelines.ts';
import { type Connections, connectionsFrom, connectionTypesIn } from '../connections/connections.ts';
import { scrubberOf } from '../connections/scrubber.ts';
import { EXIT } from '../lib/exit-code.ts';
import { writeError, writeOutput } from '../lib/terminal.ts';
import { exactJsonText } from '../workflows/plan/values/exact-json.ts';
import { type Environment, loadEnvironment } from '../lib/environment.ts';
import { projectRoot } from '../lib/roots.ts';
import { limitsOf } from '../project/compile-context.ts';
import { environmentOf, loadProject, type Project } from '../project/load-project.ts';

const variables = { ...loadEnvironment() };
/** The settings of this process; with the project's deployment once openProject has loaded it. */
export const environment: Environment = variables;
/** The pipelines of the project. */
export const PIPELINES = join(projectRoot(environment), 'pipelines');
const RESOURCES = join(projectRoot(environment), RESOURCE_FOLDER);
/** The pipelines and the resources of the project. */
export const PROJECT_FILES: readonly string[] = [PIPELINES, RESOURCES];

/** Thrown for a mistake that the user can correct; the CLI prints only the message. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
}

/** `-o text|json`. */
export const outputOption = (): Option => new Option('-o, --output <format>', 'output format').choices(['text', 'json']).default('text');

export interface OutputOptions {
  readonly output: 'text' | 'json';
}

/** Masks the secrets of this environment in all output. */
let secrets = scrubberOf(environment);

let opened: Project | undefined;

/** Loads the project, before a command that needs it. @throws ProjectError, SettingError */
export async function openProject(): Promise<void> {
  opened = await loadProject(environment);
  Object.assign(variables, environmentOf(opened, environment));
  secrets = scrubberOf(environment, opened.connections);
}

/** The project of this process. */
export function currentProject(): Project {
  if (!opened) throw new Error('This command is listed as one that needs no project (cli.ts).');
  return opened;
}

/** The connections that the environment defines, of the types of the project. */
export function openConnections(): Connections {
  return connectionsFrom(environment, currentProject().connections);
}

/** Prints data to stdout: `value` as JSON, or `text`. */
export function print(options: OutputOptions, value: unknown, text: string): void {
  writeOutput(secrets.hide(options.output === 'json' ? `${exactJsonText(value, 2)}\n` : text === '' ? '' : `${text}\n`));
}

/** Prints a status message to stderr. */
export function say(text: string): void {
  writeError(`${secrets.hide(text)}\n`);
}

/** Compiles the files at `paths` together with neighboring files that define pipelines they refer to. */
export function compilePaths(paths: readonly string[]): Promise<readonly Compilation[]> {
  return compileFor(environmentName(), paths);
}

/** Compiles the files at `paths` for the chosen environment, or for each environment of their project if none is chosen. */
export async function compileForEach(paths: readonly string[]): Promise<readonly Compilation[]> {
  const chosenName = environmentName();
  const names = [...new Set(paths.flatMap((path) => listEnvironments(projectOf(path).root)))];
  if (chosenName !== undefined || names.length === 0) return compileFor(chosenName, paths);
  const compiled = new Map<string, readonly Compilation[]>();
  for (const name of names) compiled.set(name, await compileFor(name, paths));
  return joinEnvironments(compiled);
}

async function compileFor(name: string | undefined, paths: readonly string[]): Promise<readonly Compilation[]> {
  const files = (await Promise.all(paths.map((path) => loadPipelines(path, name)))).flat();
  return compileWithNeighbours(files, paths, Compiler.of(currentProject()), installation(), name);
}

/** Reads the pipelines at `paths` for a comparison with the applied ones. Without paths: none. @throws PipelinesNotFound */
export async function readProject(paths: readonly string[]): Promise<CompiledProject> {
  const { name } = projectOf(projectRoot(environment));
  if (paths.length === 0) return { project: name, paths: [], files: [], compilations: [], plans: [], broken: [] };
  return compileProject(paths, Compiler.of(currentProject()), installation(), environmentName());
}

/** Reads the resources at `paths`, for the chosen environment. @throws PipelinesNotFound */
export function readResources(paths: readonly string[]): Promise<CompiledResources> {
  return resourcesFor(environmentName(), paths);
}

/** Compiles the resources at `paths` for the chosen environment, or for each environment of their project if none is chosen. */
export async function compileResourcesForEach(paths: readonly string[]): Promise<readonly ResourceCompilation[]> {
  const chosenName = environmentName();
  const names = [...new Set(paths.flatMap((path) => listEnvironments(projectOf(path).root)))];
  const each = chosenName !== undefined || names.length === 0 ? [chosenName] : names;
  return (await Promise.all(each.map((name) => resourcesFor(name, paths)))).flatMap(({ compilations }) => compilations);
}

function resourcesFor(name: string | undefined, paths: readonly string[]): Promise<CompiledResources> {
  const project = projectOf(paths[0] ?? projectRoot(environment));
  return compileResources(paths, project, new ResourceCompiler(currentProject().resources), installation(), name);
}

/** Separates the paths of resources from those of pipelines. */
export function splitPaths(paths: readonly string[]): { readonly pipelines: readonly string[]; readonly resources: readonly string[] } {
  const resources = paths.filter(isResourcePath);
  return { pipelines: paths.filter((path) => !resources.includes(path)), resources };
}

let chosen: string | undefined;

/** Chooses the environment whose variables pipelines read. @param name value of `--env` */
export function chooseEnvironment(name: string): void {
  chosen = name;
}

/** The name from `--env` or `SLUICE_ENV`; undefined if neither is set. */
function environmentName(): string | undefined {
  return chosen ?? (environment.SLUICE_ENV || undefined);
}

/** What pipelines may use, and the connections that the environment defines. */
function installation(): Context {
  const connections = openConnections().names();
  return {
    ...limitsOf(currentProject(), environment),
    ...(connections.length > 0 && { connections: new Set(connections) }),
    connectionTypes: connectionTypesIn(environment, currentProject().connections),
  };
}

/** Formats all errors and warnings of `compilations` as text. */
export function formatMistakes(compilations: readonly Pick<Compilation, 'diagnostics'>[]): string {
  return distinctDiagnostics(compilations).map(formatDiagnostic).join('\n\n');
}

/** The errors and warnings of `compilations`, each once: all pipelines below a `defaults.yaml` have its mistakes. */
export function distinctDiagnostics(compilations: readonly Pick<Compilation, 'diagnostics'>[]): Diagnostic[] {
  const all = compilations.flatMap(({ diagnostics }) => diagnostics.map((each): [string, Diagnostic] => [JSON.stringify(each), each]));
  return [...new Map(all).values()];
}

/** Names of errors whose message is for the user. Importing their classes would load Temporal's client in commands that need no server. */
const EXPECTED = new Set([
  'BackfillRefused',
  'CommandError',
  'ConnectionError',
  'DecisionRefused',
  'EnvironmentNotUsable',
  'NoAnswer',
  'NotScheduled',
  'NotYet',
  'PayloadRefused',
  'PipelinesNotFound',
  'ProjectError',
  'RerunRefused',
  'RunEnded',
  'RunExists',
  'RunNotFound',
  'RunUnclear',
  'SearchAttributesMissing',
  'SettingError',
  'TemporalUnavailable',
]);

/** gRPC's PERMISSION_DENIED and UNAUTHENTICATED: the credentials are invalid. */
const REFUSALS: ReadonlySet<unknown> = new Set([7, 16]);

/** Temporal's reason for denying a request; undefined for other errors. */
function refusalOf(error: unknown): string | undefined {
  for (let each: unknown = error; each instanceof Error; each = each.cause) {
    if (each.name === 'SearchAttributesMissing') return undefined;
    const { code, details } = each as { code?: unknown; details?: unknown };
    if (REFUSALS.has(code)) return `${typeof details === 'string' && details !== '' ? details : each.message}.`;
  }
  return undefined;
}

/** Converts an error of a command to a message and an exit code. Internal errors keep their stack trace. */
export function reportFailure(error: unknown): void {
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
  process.exitCode = name === 'TemporalUnavailable' ? EXIT.cannotConnect : EXIT.failed;
  const refusal = refusalOf(error);
  if (refusal !== undefined) {
    say(
      `Temporal denied the request: ${refusal} Check the credentials (TEMPORAL_API_KEY, or the TLS certificate) and their role in the namespace.`,
    );
    return;
  }
  say(EXPECTED.has(name) ? message : `Internal error of Sluice. Please report it.\n${stack}`);
}
