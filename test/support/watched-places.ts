import { readdirSync, readFileSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Larger files are left aside, in bytes. */
const MAX_FILE_BYTES = 8 * 1024 * 1024;
const LOOK_EVERY_MS = 100;

/** Looks at the command lines of all processes and at folders while something goes on. */
export class WatchedPlaces {
  /** What was found, by where it was. */
  readonly found = new Map<string, readonly string[]>();
  private readonly seen = new Map<string, string>();
  private readonly timer: NodeJS.Timeout;
  private readonly began = Date.now();

  /**
   * @param folders looked at all the time, with all that is in them
   * @param secretsIn what is looked for
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

  /** All that was made in the system's temporary folder since the beginning. */
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

/** Processes end, and files go, while they are looked at. */
function ifThere<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}
