import { join } from 'node:path';

/** Paths in the stack's home, the clone's `.sluice/`. */
export const homePaths = {
  data: (home: string, part: string) => join(home, 'data', part),
  log: (home: string, part: string) => join(home, 'logs', `${part}.log`),
  record: (home: string, part: string) => join(home, 'run', `${part}.json`),
  lock: (home: string, name: string) => join(home, 'run', `${name}.lock`),
  ports: (home: string) => join(home, 'ports.json'),
  secrets: (home: string) => join(home, 'secrets.json'),
  environment: (home: string) => join(home, 'environment.json'),
  /** The location of PostgreSQL's data when its user cannot access the home. */
  postgresPlace: (home: string) => join(home, 'postgres-place.json'),
} as const;

/** Everything that `clean` deletes. The folder may also contain other files (the demo's, a test's). */
export const homeEntries = ['data', 'logs', 'run', 'ports.json', 'secrets.json', 'environment.json', 'postgres-place.json'] as const;
