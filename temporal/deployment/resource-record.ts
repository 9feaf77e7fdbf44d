import {
  type Client,
  ScheduleAlreadyRunning,
  ScheduleNotFoundError,
  type ScheduleOptions,
  ScheduleOverlapPolicy,
} from '@temporalio/client';
import type { ResourceRecord } from '../../resources/record.ts';
import { deploymentMark } from '../../workflows/plan/ids.ts';
import { whyUnreadable } from '../../workflows/plan/tasks/unreadable.ts';
import { PayloadRefused } from '../codec/codec.ts';

const NOTE = 'The record of the resources that `sluice apply` manages. It is data: it never starts a workflow.';

/**
 * Reads which resources a deployment manages for a project. The record is the input of a paused Schedule without times, because a Schedule
 * needs no worker, does not expire, and is encrypted like plans.
 * @returns empty if nothing was applied yet
 * @throws PayloadRefused when this deployment did not encrypt it
 */
export function readResourceRecord(client: Client, taskQueue: string, project: string): Promise<ResourceRecord> {
  return readRecord(client, recordId(taskQueue, project));
}

/** Reads the record of one project. @param id see `listResourceRecords` @throws PayloadRefused when this deployment did not encrypt it */
export async function readRecord(client: Client, id: string): Promise<ResourceRecord> {
  try {
    const { action } = await client.schedule.getHandle(id).describe();
    const [first] = (action.args ?? []) as unknown[];
    const why = whyUnreadable(first);
    if (why !== undefined) throw new PayloadRefused(`The record of resources in the schedule '${id}' ${why}`);
    return (first as { readonly resources: ResourceRecord }).resources;
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return [];
    throw error;
  }
}

/** The ids of the records of a deployment, one for each project. */
export async function listResourceRecords(client: Client, taskQueue: string): Promise<string[]> {
  const found: string[] = [];
  const query = `ScheduleId STARTS_WITH ${JSON.stringify(recordId(taskQueue, ''))}`;
  for await (const { scheduleId } of client.schedule.list({ query })) found.push(scheduleId);
  return found.sort();
}

/** Writes the record of a deployment and project. */
export async function writeResourceRecord(client: Client, taskQueue: string, project: string, resources: ResourceRecord): Promise<void> {
  const scheduleId = recordId(taskQueue, project);
  const options: ScheduleOptions = {
    scheduleId,
    spec: {},
    action: { type: 'startWorkflow', workflowType: 'sluice_resources', workflowId: scheduleId, taskQueue, args: [{ resources }] },
    policies: { overlap: ScheduleOverlapPolicy.SKIP },
    state: { paused: true, note: NOTE },
  };
  try {
    await client.schedule.create(options);
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
    await client.schedule.getHandle(scheduleId).update(({ state }) => ({ ...options, state }));
  }
}

/**
 * A `dag_id` has no slash, so no pipeline's Schedule has this id. The mark of a deployment has none either, unlike names of task queues and
 * projects, so that the records of `acme/test` are not among those of `acme`.
 */
function recordId(taskQueue: string, project: string): string {
  return `sluice_resources/${deploymentMark(taskQueue)}/${project}`;
}
