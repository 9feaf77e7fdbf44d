import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';

const MEMORY = '256MB';
/** A task is one of several on its worker. */
const THREADS = '2';
const INTERRUPT_EVERY_MS = 50;

/** A database of DuckDB in a folder of its own. */
export interface DuckDB {
  /** Runs one statement. Values of the answer are texts as DuckDB writes them; numbers keep every digit. */
  texts(sql: string): Promise<(string | null)[][]>;
  /** The rows of a statement as they come, some thousand at a time. */
  batches(sql: string): AsyncIterable<(string | null)[][]>;
  /** Parses a statement, without running it: only one of its own passes. */
  check(sql: string): Promise<void>;
  /** Ends what is under way, and then the database. The folder is the caller's to remove. */
  close(): Promise<void>;
}

/**
 * Opens a new database in `folder`, which is empty. It holds 256 MB in memory at most and puts what is more into the folder. No statement
 * reads or writes another file than `file` and the database's own, loads an extension, or takes that back: foreign text can be part of it.
 * An abort of `signal` ends what is under way.
 * @param file the path of the one file that statements may read
 */
export async function openDuckDB(folder: string, file: string, signal: AbortSignal): Promise<DuckDB> {
  signal.throwIfAborted();
  const instance = await DuckDBInstance.create(join(folder, 'rows.duckdb'), {
    memory_limit: MEMORY,
    threads: THREADS,
    preserve_insertion_order: 'false',
    temp_directory: join(folder, 'spill'),
    // Extensions would be downloaded.
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
      // The other side may have failed meanwhile. A connection that is closed while a statement runs would end the process.
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

/** Whether DuckDB refused a statement or a value. `kind` is its word for the cause: `Binder`, `Conversion`. */
export function duckDBError(error: unknown): { readonly kind: string; readonly message: string } | undefined {
  const [, kind, message] = (error instanceof Error && /^([\w ]+) Error: (.*)$/s.exec(error.message)) || [];
  // Below the first lines it repeats the statement.
  return kind === undefined || message === undefined
    ? undefined
    : { kind, message: (message.split('\n\n')[0] ?? message).replaceAll('\n', ' ') };
}
