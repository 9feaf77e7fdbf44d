import type { ChildUser } from './child-user.ts';

/** Of a worker's own environment every program gets these: none of them is a secret. */
const INHERITED = ['PATH', 'LANG', 'LC_ALL', 'TZ'] as const;
/** And these while it runs as the worker's own user. */
const OF_USER = ['HOME', 'USER', 'TMPDIR'] as const;

/** The environment that each program of a task starts with, whatever the worker's holds. */
export function childEnvironment(environment: NodeJS.ProcessEnv, user: ChildUser | undefined): NodeJS.ProcessEnv {
  const names = user ? INHERITED : [...INHERITED, ...OF_USER];
  return {
    ...Object.fromEntries(names.flatMap((name) => (environment[name] === undefined ? [] : [[name, environment[name]]]))),
    ...(user && { HOME: user.home, ...(user.name !== undefined && { USER: user.name }) }),
  };
}
