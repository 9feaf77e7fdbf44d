import pc from 'picocolors';
import type { Scrubber } from './scrubbing/scrub.ts';
import { escapeLine, escapeText } from '../workflows/plan/values/printable.ts';

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Writes log lines to stderr: time, level, message, fields. stdout is for data. */
export interface Log {
  debug(message: string, fields?: object): void;
  info(message: string, fields?: object): void;
  warn(message: string, fields?: object): void;
  error(message: string, fields?: object): void;
}

/** Creates the log of process `name` for `level` and above; removes `secrets`. */
export function createLog(name: string, level: LogLevel = 'info', secrets?: Scrubber): Log {
  const write =
    (at: LogLevel) =>
    (message: string, fields: object = {}) => {
      if (LOG_LEVELS.indexOf(at) < LOG_LEVELS.indexOf(level)) return;
      const line = `${escapeText(message)}${formatFields(fields)}`;
      process.stderr.write(`${new Date().toISOString()} ${paint(at)} ${name}: ${secrets ? secrets.hide(line) : line}\n`);
    };
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
}

function paint(level: LogLevel): string {
  const padded = level.toUpperCase().padEnd(5);
  return level === 'error' ? pc.red(padded) : level === 'warn' ? pc.yellow(padded) : pc.dim(padded);
}

function formatFields(fields: object): string {
  return Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(
      ([key, value]) =>
        ` ${key}=${value instanceof Error ? escapeText(value.stack ?? value.message) : escapeLine(typeof value === 'string' ? value : String(JSON.stringify(value)))}`,
    )
    .join('');
}
