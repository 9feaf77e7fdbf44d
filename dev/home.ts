import { join } from 'node:path';

/** Where things lie in the stack's home, the clone's `.sluice/`. */
export const homePaths = {
  data: (home: string, part: string) => join(home, 'data', part),
  log: (home: string, part: string) => join(home, 'logs', `${part}.log`),
  record: (home: string, part: string) => join(home, 'run', `${part}.json`),
  lock: (home: string, name: string) => join(home, 'run', `${name}.lock`),
  ports: (home: string) => join(home, 'ports.json'),
  secrets: (home: string) => join(home, 'secrets.json'),
  environment: (home: string) => join(home, 'environment.json'),
  /** Where PostgreSQL's data lies when its user cannot reach the home. */
  postgresPlace: (home: string) => join(home, 'postgres-place.json'),
} as const;

/** All that `clean` deletes. The folder may hold other people's things too (the demo's, a test's). */
export const homeEntries = ['data', 'logs', 'run', 'ports.json', 'secrets.json', 'environment.json', 'postgres-place.json'] as const;
