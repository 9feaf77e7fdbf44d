import { open } from 'node:fs/promises';
import { StringDecoder } from 'node:string_decoder';

const CHUNK_BYTES = 64 * 1024;
const LINE_LIMIT = 8 * 1024;

/** A parsed line of a Spark job's log: Spark's own lines carry a level, a job's output does not. */
export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn';
  readonly text: string;
  /** The stage that starts with this line: `ResultStage 3 (csv)`. */
  readonly stage?: string;
}

/** Messages that Spark prints at every start. */
const NOISE =
  /NativeCodeLoader|Using incubator modules|spark-defaults|WARN Utils: (Your hostname|Set SPARK_LOCAL_IP)|MetricsConfig: Cannot locate/;

/** Parses one line of Spark's log (log4j: `26/11/23 07:56:47 WARN Utils: …`) or of the job's own output. */
export function readLogLine(text: string): LogLine {
  const [, level, message = ''] = /^\d\d\/\d\d\/\d\d \d\d:\d\d:\d\d (TRACE|DEBUG|INFO|WARN|ERROR|FATAL) (.*)/.exec(text) ?? [];
  if (level === undefined) return { level: /^(WARNING: )?Using |^\s+at |^:: |^\[rdd_/.test(text) ? 'debug' : 'info', text };
  const stage = /^DAGScheduler: Submitting ((?:Result|ShuffleMap)Stage \d+) \(.*? at (?:\S+\.)?(\S+?)(?::\d+)?\)/.exec(message);
  return {
    level: level === 'INFO' || level === 'DEBUG' || level === 'TRACE' || NOISE.test(text) ? 'debug' : 'warn',
    text,
    ...(stage && { stage: stage[1] as string }),
  };
}

/** Follows a growing log file line by line, starting at byte `offset`. Memory is bounded regardless of the job's output. */
export class LogFollower {
  readonly #file: string;
  readonly #decoder = new StringDecoder('utf8');
  #offset: number;
  #rest = '';

  constructor(file: string, offset = 0) {
    this.#file = file;
    this.#offset = offset;
  }

  /** Everything before this byte was passed on as whole lines, or belongs to the current unfinished line. */
  get offset(): number {
    return this.#offset;
  }

  /** Passes each new complete line to `each`; with `last`, also a final line without a line break. */
  async read(each: (line: string) => void, last = false): Promise<void> {
    const handle = await open(this.#file, 'r').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
    if (!handle) return;
    try {
      const buffer = Buffer.alloc(CHUNK_BYTES);
      for (;;) {
        const { bytesRead } = await handle.read(buffer, 0, CHUNK_BYTES, this.#offset);
        if (bytesRead === 0) break;
        this.#offset += bytesRead;
        const lines = (this.#rest + this.#decoder.write(buffer.subarray(0, bytesRead))).split(/\r?\n/);
        this.#rest = lines.pop() ?? '';
        // A progress bar never ends its line.
        if (this.#rest.length > LINE_LIMIT) this.#rest = this.#rest.slice(-LINE_LIMIT);
        for (const line of lines) if (line.trim() !== '') each(line.slice(0, LINE_LIMIT));
      }
    } finally {
      await handle.close();
    }
    if (last && this.#rest.trim() !== '') {
      each(this.#rest);
      this.#rest = '';
    }
  }
}

/** The last lines of a log file, from its last `bytes` bytes at most. */
export async function tailOf(file: string, bytes: number): Promise<string[]> {
  const handle = await open(file, 'r').catch(() => undefined);
  if (!handle) return [];
  try {
    const { size } = await handle.stat();
    const start = Math.max(0, size - bytes);
    const buffer = Buffer.alloc(size - start);
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, start);
    const lines = buffer.toString('utf8', 0, bytesRead).split(/\r?\n/);
    if (start > 0) lines.shift();
    return lines.filter((line) => line.trim() !== '');
  } finally {
    await handle.close();
  }
}
