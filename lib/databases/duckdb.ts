import { join } from 'node:path';
import { loadDriver } from '../driver.ts';

const MEMORY = '256MB';
/** A worker runs several tasks concurrently. */
const THREADS = '2';
const INTERRUPT_EVERY_MS = 50;

/** A DuckDB database in a separate folder. */
export interface DuckDB {
  /** Runs one statement. Returns values as DuckDB's text; numbers keep every digit. */
  texts(sql: string): Promise<(string | null)[][]>;
  /** Yields the rows of a statement in batches of some thousand. */
  batches(sql: string): AsyncIterable<(string | null)[][]>;
  /** Parses one statement without running it; rejects several statements. */
  check(sql: string): Promise<void>;
  /** Ends running statements, then the database. The caller removes the folder. */
  close(): Promise<void>;
}

/**
 * Opens a new database in the empty folder `folder`. It uses at most 256 MB of memory and spills to the folder. Statements may contain
 * untrusted text, so they cannot read or write files other than `file` and the database's own, load extensions, or change these settings.
 * Aborting `signal` ends running statements.
 * @param file the only file that statements may read
 */
export async function openDuckDB(folder: string, file: string, signal: AbortSignal): Promise<DuckDB> {
  signal.throwIfAborted();
  const { DuckDBInstance } = await loadDriver('@duckdb/node-api', 'Comparisons and splits of datasets', () => import('@duckdb/node-api'));
  const instance = await DuckDBInstance.create(join(folder, 'rows.duckdb'), {
    memory_limit: MEMORY,
    threads: THREADS,
    preserve_insertion_order: 'false',
    temp_directory: join(folder, 'spill'),
    // Extensions would be downloaded from the internet.
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
  });
  const connection = await instance.connect();
  // An interrupt has no effect on a statement that has not started yet, so repeat it.
  let interrupting: NodeJS.Timeout | undefined;
  const interrupt = (): void => void (interrupting ??= setInterval(() => connection.interrupt(), INTERRUPT_EVERY_MS));
  const underWay = new Set<Promise<unknown>>();
  signal.addEventListener('abort', interrupt, { once: true });
  const during = async <T>(work: Promise<T>): Promise<T> => {
    underWay.add(work);
    try {
      return await work;
    } finally {
      underWay.delete(work);
      signal.throwIfAborted();
    }
  };
  await connection.run("SET TimeZone = 'UTC'");
  await connection.run(`SET allowed_paths = ['${file.replaceAll("'", "''")}']`);
  await connection.run('SET enable_external_access = false');
  await connection.run('SET lock_configuration = true');
  return {
    texts: async (sql) => (await during(connection.runAndReadAll(sql))).getRowsJson().map(asTexts),
    async *batches(sql) {
      const chunks = (await during(connection.stream(sql))).yieldRowsJson();
      for (;;) {
        const next = await during(chunks.next());
        if (next.done) break;
        yield next.value.map(asTexts);
      }
    },
    async check(sql) {
      (await during(connection.prepare(sql))).destroySync();
    },
    async close() {
      signal.removeEventListener('abort', interrupt);
      // Another statement may still run after a failure. Closing the connection during a statement would crash the process.
      if (underWay.size > 0) interrupt();
      await Promise.allSettled(underWay);
      clearInterval(interrupting);
      connection.closeSync();
      instance.closeSync();
    },
  };
}

function asTexts(row: readonly unknown[]): (string | null)[] {
  return row.map((value) => (value === null ? null : String(value)));
}

/** Whether DuckDB rejected a statement or a value. `kind` is DuckDB's error class: `Binder`, `Conversion`. */
export function duckDBError(error: unknown): { readonly kind: string; readonly message: string } | undefined {
  const [, kind, message] = (error instanceof Error && /^([\w ]+) Error: (.*)$/s.exec(error.message)) || [];
  // The later lines repeat the statement.
  return kind === undefined || message === undefined
    ? undefined
    : { kind, message: (message.split('\n\n')[0] ?? message).replaceAll('\n', ' ') };
}
