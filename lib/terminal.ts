import { escapeText } from '../workflows/plan/values/printable.ts';

/** Writes data to stdout. With `writeError` the one exit of what people see: nothing that others have written reaches a terminal raw. */
export function writeOutput(text: string): void {
  process.stdout.write(escapeText(text));
}

/** Writes what is not data to stderr. */
export function writeError(text: string): void {
  process.stderr.write(escapeText(text));
}
