import type { Context } from '../compiler/check/check-context.ts';
import { allowedQueues, type Environment } from '../lib/environment.ts';
import type { Project } from './load-project.ts';

/** What pipelines of a project may use, wherever they are compiled: its policy, and the queues that the environment allows. */
export function limitsOf({ config: { policy } }: Project, environment: Environment): Pick<Context, 'queues' | 'policy'> {
  return { queues: allowedQueues(environment), ...(policy && { policy }) };
}
