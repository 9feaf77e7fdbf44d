import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { Command } from 'commander';
import { EXIT } from '../../lib/exit-code.ts';
import { taskQueueOf } from '../../lib/environment.ts';
import { formatTable } from '../../lib/table.ts';
import { listApplied } from '../../temporal/deployment/apply.ts';
import type { CompiledProject } from '../../compiler/project-pipelines.ts';
import { errorText } from '../../workflows/plan/values/error-text.ts';
import {
  CommandError,
  environment,
  formatMistakes,
  outputOption,
  type OutputOptions,
  PIPELINES,
  print,
  readProject,
  say,
} from '../command-context.ts';
import { withClient } from '../with-client.ts';

const run = promisify(execFile);
/** Nothing listens there: the other installation only compiles. */
const NO_SERVER = '127.0.0.1:1';
/** Plans of 10,000 pipelines, as JSON. */
const MAX_OUTPUT_BYTES = 512 * 1024 * 1024;

interface Options extends OutputOptions {
  readonly check: boolean;
  readonly from?: string;
}

/** A pipeline whose plan differs between two releases. */
interface ChangedPlan {
  readonly dag_id: string;
  /** The hash of its plan by the other release, or as applied; null: it has none. */
  readonly before: string | null;
  /** The hash of its plan by this release; null: this release finds mistakes in its file. */
  readonly after: string | null;
}

/** `sluice upgrade --check`: shows which plans change with this release. */
export const command = new Command('upgrade')
  .description('Show which pipelines get another plan with this release of Sluice than with another one, from the same files.')
  .argument('[paths...]', 'files and folders', [PIPELINES])
  .requiredOption('--check', 'compile with both releases and compare; nothing is changed')
  .option('--from <folder>', 'the other installation: a folder with its package.json; default: the plans that are applied in Temporal')
  .addOption(outputOption())
  .addHelpText(
    'after',
    '\nExamples:\n  sluice upgrade --check                                   compare with what is applied\n' +
      '  npx sluice@next upgrade --check --from node_modules/sluice   compare with the installed release\n\n' +
      'Exit codes: 0 all plans are the same; 2 some change; 3 mistakes in files.',
  )
  .action(async (paths: string[], options: Options) => {
    const project = await readProject(paths);
    const before = await (options.from === undefined ? appliedHashes(project) : hashesOf(options.from, paths));
    const changed = compare(before, project);
    const rows = changed.map(({ dag_id, before: old, after }) => [dag_id, shorten(old), shorten(after)]);
    print(options, changed, rows.length === 0 ? '' : formatTable(['PIPELINE', 'BEFORE', 'NOW'], rows));
    say(`${changed.length} of ${new Set([...before.keys(), ...project.plans.map(({ plan }) => plan.dagId)]).size} plans change.`);
    if (project.broken.length > 0) say(formatMistakes(project.compilations));
    process.exitCode = project.broken.length > 0 ? EXIT.invalidPipeline : changed.length > 0 ? EXIT.changesPresent : EXIT.ok;
  });

function compare(before: ReadonlyMap<string, string>, { plans }: CompiledProject): ChangedPlan[] {
  const after = new Map(plans.map(({ plan }) => [plan.dagId, plan.hash]));
  return [...new Set([...before.keys(), ...after.keys()])].sort().flatMap((dagId) => {
    const [old, now] = [before.get(dagId) ?? null, after.get(dagId) ?? null];
    return old === now ? [] : [{ dag_id: dagId, before: old, after: now }];
  });
}

/** The hashes of the applied plans of the pipelines in a project's files, by dag_id. */
async function appliedHashes(project: CompiledProject): Promise<ReadonlyMap<string, string>> {
  const { schedules } = await withClient((client) => listApplied(client, taskQueueOf(environment), project));
  const wanted = new Map(project.plans.map(({ plan }) => [plan.dagId, plan.hash.length]));
  // The applied hash also includes the horizon of the spec and the key of the encryption.
  return new Map(schedules.flatMap(({ dagId, planHash }) => (wanted.has(dagId) ? [[dagId, planHash.slice(0, wanted.get(dagId))]] : [])));
}

/** The hashes of the plans that another installation compiles from the same files, by dag_id. @throws CommandError */
async function hashesOf(folder: string, paths: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const program = await programOf(folder);
  const compile = run(process.execPath, [program, 'plan', ...paths, '-o', 'json'], {
    env: { ...process.env, TEMPORAL_ADDRESS: NO_SERVER },
    maxBuffer: MAX_OUTPUT_BYTES,
  });
  // It ends with an exit code for mistakes in files, and still prints the plans of the others.
  const { stdout } = await compile.catch((error: unknown) => error as { stdout?: string; stderr?: string; message: string });
  try {
    const plans = JSON.parse(stdout ?? '') as readonly { dag_id: string; hash: string }[];
    return new Map(plans.map(({ dag_id, hash }) => [dag_id, hash]));
  } catch {
    const { stderr } = await compile.catch((error: unknown) => ({ stderr: (error as { stderr?: string }).stderr ?? errorText(error) }));
    throw new CommandError(`The installation in ${folder} could not compile the files: ${stderr.trim() || 'it printed no plans'}`);
  }
}

/** The `sluice` program of an installation. @throws CommandError */
async function programOf(folder: string): Promise<string> {
  try {
    const { bin } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as { bin?: { sluice?: string } };
    if (bin?.sluice !== undefined) return resolve(folder, bin.sluice);
  } catch (error) {
    throw new CommandError(`${folder} is not an installation of Sluice: its package.json cannot be read (${errorText(error)}).`);
  }
  throw new CommandError(`${folder} is not an installation of Sluice: its package.json has no program 'sluice'.`);
}

function shorten(hash: string | null): string {
  return hash === null ? '–' : hash.slice(0, 12);
}
