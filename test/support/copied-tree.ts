import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { ROOT } from '../../lib/environment.ts';
import { type Outcome, outcomeOf } from './outcome.ts';

/** Folders that are not copied: the copy uses the repository's packages and starts no servers. */
const LEFT_OUT = new Set(['node_modules', '.git', '.sluice', 'dist']);

/** A copy of this repository in a temporary folder, for tests that change its files. */
export class CopiedTree {
  /** Original contents of edited files. */
  private readonly originals = new Map<string, string>();

  private constructor(readonly root: string) {}

  static async create(): Promise<CopiedTree> {
    const root = await mkdtemp(join(tmpdir(), 'sluice-copy-'));
    for (const entry of await readdir(ROOT)) if (!LEFT_OUT.has(entry)) await cp(join(ROOT, entry), join(root, entry), { recursive: true });
    await symlink(join(ROOT, 'node_modules'), join(root, 'node_modules'));
    return new CopiedTree(root);
  }

  /** Writes a new file. */
  async write(file: string, text: string): Promise<void> {
    const path = join(this.root, file);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text, { flag: 'wx' });
  }

  /** Replaces a text that occurs exactly once in a file. @throws Error otherwise */
  async edit(file: string, before: string, after: string): Promise<void> {
    const path = join(this.root, file);
    const text = await readFile(path, 'utf8');
    if (text.split(before).length !== 2) throw new Error(`${file} has '${before}' ${text.split(before).length - 1} times, not once.`);
    if (!this.originals.has(file)) this.originals.set(file, text);
    await writeFile(
      path,
      text.replace(before, () => after),
    );
  }

  /** Reverts all edits. */
  async restore(): Promise<void> {
    for (const [file, text] of this.originals) await writeFile(join(this.root, file), text);
    this.originals.clear();
  }

  /** Runs a TypeScript or JavaScript program of the copy. @param program path relative to the root */
  run(program: string, args: readonly string[] = [], env: Readonly<Record<string, string>> = {}): Promise<Outcome> {
    return outcomeOf('--import', ['tsx', join(this.root, program), ...args], { ...process.env, ...env }, this.root);
  }

  /** Runs test files. */
  mocha(files: readonly string[], options: readonly string[] = [], env: Readonly<Record<string, string>> = {}): Promise<Outcome> {
    return this.run('node_modules/mocha/bin/mocha.js', [...options, ...files], env);
  }

  async remove(): Promise<void> {
    await rm(this.root, { recursive: true, force: true });
  }
}
