import { readFileSync } from 'node:fs';
import { isSecretVariable } from '../../../lib/scrubbing/secret-variables.ts';

/** A process whose environment block holds secrets of this worker. */
export interface SecretHolder {
  readonly pid: number;
  readonly command: string;
  /** A variable that it holds. */
  readonly variable: string;
}

/**
 * The first of this process and those that started it whose environment block holds secrets: any program of the same user can read it in
 * /proc. Workers clear their own block when they start (dev/launch/hide-environment.mjs); they cannot clear that of npm or of a shell.
 * @returns undefined when there is none, or where there is no /proc
 */
export function readableSecrets(): SecretHolder | undefined {
  for (let pid = process.pid; pid > 0; pid = parentOf(pid)) {
    const block = textOf(`/proc/${pid}/environ`);
    const variable = block
      .split('\0')
      .map((entry) => entry.split('=')[0] ?? '')
      .find((name) => name.startsWith('SLUICE_CONN_') || isSecretVariable(name));
    if (variable !== undefined)
      return { pid, variable, command: textOf(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim().slice(0, 100) };
  }
  return undefined;
}

/** @returns 0 for the first process, and where it cannot be said */
function parentOf(pid: number): number {
  return Number(/^PPid:\s*(\d+)/m.exec(textOf(`/proc/${pid}/status`))?.[1] ?? 0);
}

/** @returns '' for what is not there or belongs to another user */
function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
