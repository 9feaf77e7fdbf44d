import type { Client } from '@temporalio/client';
import type { ProjectResources } from '../resources/declared-resource.ts';
import { applyResources, isSameRecord } from '../resources/run/apply.ts';
import { compareResources, type ResourceChange, type ResourceOptions, type ResourceSetting } from '../resources/run/compare.ts';
import { OpenServers } from '../resources/run/open-servers.ts';
import { readSecrets } from '../resources/run/read-secrets.ts';
import { connectionsFrom } from '../connections/connections.ts';
import type { Environment } from '../lib/environment.ts';
import type { Project } from '../project/load-project.ts';
import type { ResourceResult } from './view/resource-changes.ts';
import { readResourceRecord, writeResourceRecord } from '../temporal/deployment/resource-record.ts';

/** The deployment that manages resources, and the process that reaches their servers. */
export interface ResourceDeployment {
  readonly client: Client;
  readonly taskQueue: string;
  readonly project: Project;
  /** Defines the connections. */
  readonly environment: Environment;
}

/** Determines what `sluice apply` would change on the servers of resources, without changing it. */
export function planResources(
  deployment: ResourceDeployment,
  wanted: ProjectResources,
  options: ResourceOptions,
): Promise<readonly ResourceChange[]> {
  return withServers(deployment, wanted, (setting) => compareResources(wanted, setting, options));
}

/**
 * Makes the servers of resources agree with the files, and records what this deployment manages.
 * @returns every change that was made, failed, or was withheld
 */
export function convergeResources(
  deployment: ResourceDeployment,
  wanted: ProjectResources,
  options: ResourceOptions,
): Promise<readonly ResourceResult[]> {
  return withServers(deployment, wanted, async (setting) => {
    const changes = await compareResources(wanted, setting, options);
    const failures = new Map<ResourceChange, string>();
    const record = await applyResources(changes, setting, (change, failure) => failures.set(change, failure));
    if (!isSameRecord(record, setting.record)) await writeResourceRecord(deployment.client, deployment.taskQueue, wanted.project, record);
    return changes.flatMap((change): ResourceResult[] => {
      const failure = failures.get(change);
      return change.action === 'unchanged' ? [] : [{ change, ...(failure !== undefined && { failure }) }];
    });
  });
}

async function withServers<T>(
  { client, taskQueue, project, environment }: ResourceDeployment,
  wanted: ProjectResources,
  use: (setting: ResourceSetting) => Promise<T>,
): Promise<T> {
  const record = await readResourceRecord(client, taskQueue, wanted.project);
  const connections = connectionsFrom(environment, project.connections);
  const servers = new OpenServers(connections);
  try {
    return await use({ types: project.resources, servers, secrets: readSecrets(connections, project.connections), record });
  } finally {
    await servers.close();
  }
}
