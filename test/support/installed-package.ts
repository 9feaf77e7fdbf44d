import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CopiedTree } from './copied-tree.ts';
import { type Outcome, outcomeOf } from './outcome.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** The package as a team gets it: built, packed, and installed in an empty folder outside of the repository. */
export interface InstalledPackage {
  /** The folder of the project that depends on it. */
  readonly folder: string;
  /** The files in the tarball, relative to its root. */
  readonly packed: readonly string[];
  /** The file of the `sluice` command. */
  readonly command: string;
  /** Runs `sluice` in the folder, with these variables and without those of Sluice and Temporal in this environment. */
  sluice(args: readonly string[], env?: Readonly<Record<string, string>>): Promise<Outcome>;
  remove(): Promise<void>;
}

/** This environment without the variables of Sluice, Temporal and npm, which the calling `npm test` has set. */
export function foreignEnvironment(): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(SLUICE|TEMPORAL|npm)_/i.test(name)));
}

/** Builds, packs and installs a copy of this repository: the build would change folders that other tests read. */
export async function installPackage(): Promise<InstalledPackage> {
  const { path: folder, remove } = await temporaryFolder();
  try {
    const { file, packed } = await pack(folder);
    await writeFile(join(folder, 'package.json'), '{ "name": "acme-pipelines", "private": true, "type": "module" }\n');
    await npm(['install', '--prefer-offline', '--no-audit', '--no-fund', file], folder);
    const command = join(folder, 'node_modules', 'sluice', 'bin', 'sluice.mjs');
    return {
      folder,
      packed,
      command,
      sluice: (args, env) => outcomeOf(command, args, { ...foreignEnvironment(), ...env }, folder),
      remove,
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** Makes the tarball in `folder`. */
async function pack(folder: string): Promise<{ file: string; packed: readonly string[] }> {
  const tree = await CopiedTree.create();
  try {
    await npm(['run', 'build'], tree.root);
    // Without scripts: they would build again, and print to stdout.
    const answer = await npm(['pack', '--json', '--ignore-scripts', '--pack-destination', folder], tree.root);
    const [{ filename, files } = { filename: '', files: [] }] = JSON.parse(answer) as { filename: string; files: { path: string }[] }[];
    return { file: join(folder, filename), packed: files.map(({ path }) => path) };
  } finally {
    await tree.remove();
  }
}

/** Runs npm. @returns its stdout @throws when it fails */
export async function npm(args: readonly string[], cwd: string): Promise<string> {
  const { stdout } = await promisify(execFile)('npm', [...args, '--loglevel=error'], {
    cwd,
    env: foreignEnvironment(),
    maxBuffer: 2 ** 26,
  });
  return stdout;
}
