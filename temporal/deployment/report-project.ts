import type { Client } from '@temporalio/client';
import type { BrokenFile } from '../../workflows/plan/incidents/incident.ts';
import { refusal } from '../../workflows/plan/not-yet.ts';
import { expectPipelines } from '../monitors/expect-pipelines.ts';
import { type AppliedPipelines, type DeploymentChanges, isOwned, isWithin, type ProjectPipelines } from './changes.ts';

/**
 * Sends the monitors which pipelines a project should have in Temporal after `changes`, and which of its files cannot be applied. Does
 * nothing without a monitor.
 * @param broken of the applied files and folders
 */
export async function reportProject(
  client: Client,
  taskQueue: string,
  wanted: ProjectPipelines,
  applied: AppliedPipelines,
  changes: DeploymentChanges,
  broken: readonly BrokenFile[],
): Promise<void> {
  const planned = new Set(wanted.plans.map(({ plan }) => plan.dagId));
  const owned = applied.schedules.filter((schedule) => isOwned(schedule, wanted)).map(({ dagId }) => dagId);
  const absent = new Set(
    changes.pipelines.flatMap(({ action, dagId, withheld }) =>
      (action === 'delete' && withheld === undefined) || (action === 'create' && withheld !== undefined) ? [dagId] : [],
    ),
  );
  const applicable = wanted.plans.flatMap(({ plan }) => (refusal(plan) === undefined ? [plan.dagId] : []));
  const expected = [...new Set([...owned, ...applicable])].filter((dagId) => !absent.has(dagId)).sort();
  const isWhole = owned.every((dagId) => planned.has(dagId) || isWithin(applied.files.get(dagId), wanted.paths));
  await expectPipelines(client, taskQueue, { project: wanted.project, expected, ...(isWhole && { broken }) });
}
