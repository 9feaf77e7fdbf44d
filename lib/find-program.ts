import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';

/** All programs of that name on PATH, in PATH's order. */
export function findPrograms(name: string, environment: NodeJS.ProcessEnv): string[] {
  const folders = (environment['PATH'] ?? '').split(delimiter).filter((folder) => isAbsolute(folder));
  return [...new Set(folders)].map((folder) => join(folder, name)).filter(isExecutable);
}

/** The program of that name that a shell would run. */
export function findProgram(name: string, environment: NodeJS.ProcessEnv): string | undefined {
  return findPrograms(name, environment)[0];
}

/** True for a file that may be executed. */
export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
