import type { ChildUser } from './child-user.ts';

/** Variables that every program inherits from the worker: none of them is secret. */
const INHERITED = ['PATH', 'LANG', 'LC_ALL', 'TZ'] as const;
/** Further variables for programs that run as the worker's own user. */
const OF_USER = ['HOME', 'USER', 'TMPDIR'] as const;

/** The initial environment of each task program, regardless of the rest of the worker's environment. */
export function childEnvironment(environment: NodeJS.ProcessEnv, user: ChildUser | undefined): NodeJS.ProcessEnv {
  const names = user ? INHERITED : [...INHERITED, ...OF_USER];
  return {
    ...Object.fromEntries(names.flatMap((name) => (environment[name] === undefined ? [] : [[name, environment[name]]]))),
    ...(user && { HOME: user.home, ...(user.name !== undefined && { USER: user.name }) }),
  };
}
