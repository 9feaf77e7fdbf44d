import { Option } from 'commander';
import { taskQueueOf } from '../lib/environment.ts';
import { environment } from './command-context.ts';

/** `--all-deployments`, for commands that list or find what is in Temporal. */
export const allDeploymentsOption = (): Option =>
  new Option('--all-deployments', 'of all deployments in the namespace, not only of this one (SLUICE_TASK_QUEUE)').default(false);

export interface DeploymentOptions {
  readonly allDeployments: boolean;
}

/** The task queue of the deployment that a command concerns; undefined: all. */
export function deploymentOf({ allDeployments }: DeploymentOptions): string | undefined {
  return allDeployments ? undefined : taskQueueOf(environment);
}
