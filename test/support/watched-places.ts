import { readdirSync, readFileSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Larger files are skipped, in bytes. */
const MAX_FILE_BYTES = 8 * 1024 * 1024;
const LOOK_EVERY_MS = 100;

/** Searches the command lines of all processes, and folders, for secrets while other code runs. */
export class WatchedPlaces {
  /** The findings by place. */
  readonly found = new Map<string, readonly string[]>();
  private readonly seen = new Map<string, string>();
  private readonly timer: NodeJS.Timeout;
  private readonly began = Date.now();

  /**
   * @param folders searched continuously and recursively
   * @param secretsIn finds secrets in a text
   */
  constructor(
    private readonly folders: readonly string[],
    private readonly secretsIn: (text: Buffer) => readonly string[],
  ) {
    this.timer = setInterval(() => this.look(), LOOK_EVERY_MS);
  }

  stop(): void {
    clearInterval(this.timer);
  }

  /** Searches what was created in the system's temporary folder since the start. */
  lookAtTemporary(): void {
    for (const entry of readdirSync(tmpdir())) this.lookInto(join(tmpdir(), entry));
  }

  private look(): void {
    for (const pid of readdirSync('/proc')) if (/^\d+$/.test(pid)) this.lookAt(`/proc/${pid}/cmdline`);
    for (const folder of this.folders) this.lookInto(folder);
  }

  private lookInto(path: string): void {
    const about = ifThere(() => statSync(path));
    if (about?.isDirectory()) for (const entry of ifThere(() => readdirSync(path)) ?? []) this.lookInto(join(path, entry));
    else if (about?.isFile() && about.mtimeMs >= this.began && about.size <= MAX_FILE_BYTES) {
      const version = `${about.mtimeMs} ${about.size}`;
      if (this.seen.get(path) !== version) this.lookAt(path);
      this.seen.set(path, version);
    }
  }

  private lookAt(path: string): void {
    const bytes = ifThere(() => readFileSync(path));
    const secrets = bytes ? this.secretsIn(bytes) : [];
    if (secrets.length > 0) this.found.set(path, secrets);
  }
}

/** Processes may end, and files may disappear, during the search. */
function ifThere<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}
