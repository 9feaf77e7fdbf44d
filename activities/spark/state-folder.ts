import { createHash, randomUUID } from 'node:crypto';
import { chmod, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { projectRoot } from '../../lib/roots.ts';
import { type ChildUser, giveFolder } from '../support/programs/child-user.ts';
import { isAlive, readProcess } from './detached-process.ts';
import { type Scrub, scrubLog } from './scrub-log.ts';

const KEPT_DAYS = 7;

/**
 * The state of one task of one run on its host between attempts: the started process, its log, and the attempt that waits for it. Kept
 * under `SLUICE_STATE` (relative to the project; default `.sluice/spark`), readable only by the worker's user, and deleted after a week.
 */
export class StateFolder {
  readonly path: string;
  /** This attempt's claim: an abandoned attempt may still be alive on this host and must not touch the work of a later one. */
  readonly #claim = randomUUID();

  private constructor(path: string) {
    this.path = path;
  }

  /** Opens the folder for the task with `idempotencyKey`; creates it if it is missing. */
  static async open(idempotencyKey: string, root: string = stateRoot()): Promise<StateFolder> {
    const folder = new StateFolder(join(root, createHash('sha256').update(idempotencyKey).digest('hex').slice(0, 32)));
    await mkdir(folder.path, { recursive: true, mode: 0o700 });
    await writeFile(folder.#claimFile, folder.#claim, { mode: 0o600 });
    return folder;
  }

  get logFile(): string {
    return join(this.path, 'log');
  }

  /** The job's working directory, with its temporary files. */
  get work(): string {
    return join(this.path, 'work');
  }

  get #claimFile(): string {
    return join(this.path, 'claim');
  }

  get #resultFile(): string {
    return join(this.path, 'result.json');
  }

  /** Whether no later attempt on this host has taken over the task. */
  async isOurs(): Promise<boolean> {
    return (await textOf(this.#claimFile)) === this.#claim;
  }

  /** The published result, for an attempt that follows one whose answer was lost on the way to the server; undefined if there is none. */
  async result(): Promise<unknown> {
    const text = await textOf(this.#resultFile);
    return text === undefined ? undefined : (JSON.parse(text) as unknown);
  }

  async saveResult(result: unknown): Promise<void> {
    const draft = `${this.#resultFile}.draft`;
    await writeFile(draft, JSON.stringify(result), { mode: 0o600 });
    await rename(draft, this.#resultFile);
  }

  /** Deletes everything except the claim: the next check finds no process. */
  async reset(): Promise<void> {
    for (const name of ['process.json', 'exit.json', 'result.json', 'log', 'work']) {
      await rm(join(this.path, name), { recursive: true, force: true });
    }
  }

  /** Moves the folder of an ended job out of the way, and keeps the log without secrets. @returns the new path */
  async retire(scrub: Scrub): Promise<string> {
    await scrubLog(this.logFile, scrub);
    await rm(this.work, { recursive: true, force: true });
    const retired = `${this.path}.${Date.now()}`;
    await rename(this.path, retired);
    return join(retired, 'log');
  }

  /** Gives the program's user access to its working directory, and to nothing else. @throws ApplicationFailure `AccessDenied` */
  async giveWork(user: ChildUser | undefined): Promise<void> {
    if (user) await chmod(this.path, 0o711);
    await giveFolder(this.work, user);
  }

  /** Keeps the result of a successful job, and its log without secrets. */
  async finish(scrub: Scrub): Promise<void> {
    await scrubLog(this.logFile, scrub);
    await rm(this.work, { recursive: true, force: true });
  }
}

/** Deletes the folders of tasks that ended more than a week ago. Several workers may do this at once. */
export async function sweepStateFolders(root: string = stateRoot()): Promise<void> {
  const before = Date.now() - KEPT_DAYS * 86_400_000;
  for (const name of await readdir(root).catch(() => [])) {
    const path = join(root, name);
    const touched = await stat(join(path, 'log')).catch(() => stat(path).catch(() => undefined));
    if (!touched || touched.mtimeMs >= before) continue;
    const process = await readProcess(path).catch(() => undefined);
    if (process && isAlive(process)) continue;
    await rm(path, { recursive: true, force: true });
  }
}

function stateRoot(environment: NodeJS.ProcessEnv = process.env): string {
  return resolve(projectRoot(environment), environment['SLUICE_STATE'] || '.sluice/spark');
}

async function textOf(file: string): Promise<string | undefined> {
  return readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
}
