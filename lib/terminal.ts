import { escapeText } from '../workflows/plan/values/printable.ts';

/**
 * Writes data to stdout. All terminal output goes through this and `writeError`, so that untrusted text never reaches a terminal unescaped.
 */
export function writeOutput(text: string): void {
  process.stdout.write(escapeText(text));
}

/** Writes other messages to stderr. */
export function writeError(text: string): void {
  process.stderr.write(escapeText(text));
}

/** Ends this process when the reader of its output has ended, which is not an error: `sluice runs | head`. */
export function endWithReader(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit();
  });
}

/**
 * Lets this process continue when it cannot write its output, such as to a closed pipe or a full disk. An error handler that logs would
 * otherwise cause the same error again, for ever.
 */
export function ignoreFailedOutput(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
}
