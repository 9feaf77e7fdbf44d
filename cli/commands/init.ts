import { readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { Command } from 'commander';
import { ROOT } from '../../lib/environment.ts';
import packageJson from '../../package.json' with { type: 'json' };
import { CommandError, say } from '../command-context.ts';
import { readTemplates, shown, writeFiles } from '../write-files.ts';

/** The server of Temporal in compose.yaml: an image of Temporal's command line. */
const TEMPORAL_IMAGE = '1.5.1';
/** The script of `npm init`, which is replaced. */
const NO_TEST = 'echo "Error: no test specified" && exit 1';

interface Manifest {
  readonly [key: string]: unknown;
  readonly name?: string;
  readonly scripts?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

/** `sluice init`: creates the project of a team. */
export const command = new Command('init')
  .description('Create a project: the repository of a team, with an example pipeline, its test and a task type.')
  .argument('[folder]', 'a new folder, or one whose files have other names; a package.json is completed', '.')
  .addHelpText('after', '\nExamples:\n  sluice init acme-pipelines\n  sluice init .')
  .action(async (given: string) => {
    const folder = resolve(given);
    const manifest = await readManifest(folder);
    const name = projectName(manifest.name ?? basename(folder));
    const values = {
      project: name,
      sluice: await dependencyFrom(folder),
      node: packageJson.engines.node,
      typescript: packageJson.devDependencies.typescript,
      types_node: packageJson.devDependencies['@types/node'],
      temporal: TEMPORAL_IMAGE,
    };
    const files = new Map(await readTemplates('project', values));
    const template = JSON.parse(files.get('package.json') ?? '') as Manifest;
    files.delete('package.json');
    await writeFiles(folder, files);
    await writeFile(join(folder, 'package.json'), `${JSON.stringify(complete(manifest, template), null, 2)}\n`);
    const enter = folder === process.cwd() ? '' : `cd ${shown(folder)} && `;
    say(`Created ${files.size + 1} files in ${shown(folder)}. Next: ${enter}npm install && npm test`);
  });

/** Makes a name that npm and Temporal accept: `Acme Data` → `acme-data`. */
function projectName(name: string): string {
  return (
    name
      .toLowerCase()
      .replace(/[^a-z0-9_.-]+/g, '-')
      .replace(/^[^a-z0-9]+|-+$/g, '') || 'pipelines'
  );
}

async function readManifest(folder: string): Promise<Manifest> {
  const names = await readdir(folder).catch((): string[] => []);
  if (!names.includes('package.json')) return {};
  try {
    return JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as Manifest;
  } catch {
    throw new CommandError(`${shown(join(folder, 'package.json'))} is not valid JSON. Correct or remove it.`);
  }
}

/** Adds what a package.json lacks; keeps everything that it has. */
function complete(given: Manifest, template: Manifest): Manifest {
  const { test, ...scripts } = given.scripts ?? {};
  return {
    ...template,
    ...given,
    scripts: { ...template.scripts, ...scripts, ...(test !== undefined && test !== NO_TEST && { test }) },
    dependencies: { ...template.dependencies, ...given.dependencies },
    devDependencies: { ...template.devDependencies, ...given.devDependencies },
  };
}

/** How the project depends on this version: from the same file if it was installed from one, else from the registry. */
async function dependencyFrom(folder: string): Promise<string> {
  const modules = dirname(ROOT);
  const installer = dirname(modules);
  const { dependencies = {}, devDependencies = {} } = basename(modules) === 'node_modules' ? await readManifest(installer) : {};
  const spec = dependencies.sluice ?? devDependencies.sluice ?? '';
  if (!spec.startsWith('file:')) return `^${packageJson.version}`;
  return `file:${relative(folder, resolve(installer, spec.slice('file:'.length)))}`;
}
