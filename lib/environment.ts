import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PACKAGE, projectRoot } from './roots.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Thrown for an invalid environment variable; the message says what it is and what is allowed. */
export class SettingError extends Error {
  override readonly name = 'SettingError';
}

/** The root of this checkout. */
export const ROOT = PACKAGE;

/** The folder with the data and the server addresses of the local stack: `SLUICE_HOME`, else `.sluice/` of the project. */
export function stackHome(environment: Environment = process.env): string {
  return environment.SLUICE_HOME ?? join(projectRoot(environment), '.sluice');
}

/**
 * The settings of a process: its environment, merged over that of a running local stack (`.sluice/environment.json`), so that
 * `npx sluice …` in a second terminal finds the servers that `npm start` has started.
 */
export function loadEnvironment(own: Environment = process.env): Environment {
  const stack = readStackEnvironment(join(stackHome(own), 'environment.json'));
  const isOther = own.TEMPORAL_ADDRESS !== undefined && own.TEMPORAL_ADDRESS !== stack.TEMPORAL_ADDRESS;
  return { ...(isOther ? withoutPayloadKeys(stack) : stack), ...own };
}

/** The payload keys of the local stack are only valid for its own Temporal server. */
function withoutPayloadKeys(stack: Environment): Environment {
  return Object.fromEntries(Object.entries(stack).filter(([name]) => !name.startsWith('SLUICE_PAYLOAD_')));
}

function readStackEnvironment(file: string): Environment {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Environment;
  } catch {
    return {}; // no local stack is running
  }
}

/** The task queues that pipelines may use: the deployment's own, and those in `SLUICE_QUEUES`, separated by commas. */
export function allowedQueues(environment: Environment): ReadonlySet<string> {
  const others = (environment.SLUICE_QUEUES ?? '').split(',').map((name) => name.trim());
  return new Set([taskQueueOf(environment), ...others.filter((name) => name !== '')]);
}

/** The task queue of a deployment, which also identifies its runs and schedules. */
export function taskQueueOf(environment: Environment): string {
  return environment.SLUICE_TASK_QUEUE ?? 'sluice';
}
