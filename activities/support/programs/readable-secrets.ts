import { readFileSync } from 'node:fs';
import { isSecretVariable } from '../../../lib/scrubbing/secret-variables.ts';

/** A process whose environment block contains secrets of this worker. */
export interface SecretHolder {
  readonly pid: number;
  readonly command: string;
  /** A variable in that block. */
  readonly variable: string;
}

/**
 * The first process, among this one and its ancestors, whose environment block contains secrets: any program of the same user can read it
 * in
 * /proc. Workers clear their own block at startup (dev/launch/hide-environment.mjs); they cannot clear that of npm or of a shell.
 * @returns undefined when there is none, or no /proc
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

/** @returns 0 for the first process, or if unknown */
function parentOf(pid: number): number {
  return Number(/^PPid:\s*(\d+)/m.exec(textOf(`/proc/${pid}/status`))?.[1] ?? 0);
}

/** @returns '' if the file does not exist or belongs to another user */
function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
