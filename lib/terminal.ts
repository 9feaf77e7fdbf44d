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
