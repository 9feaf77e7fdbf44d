import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import type { OperatorRequest } from '../../workflows/plan/runs/decision.ts';
import {
  ACKNOWLEDGE_INCIDENT,
  INCIDENT_QUERY,
  INCIDENT_WORKFLOW,
  incidentId,
  type IncidentState,
  RESOLVE_INCIDENT,
} from '../../workflows/plan/incidents/incident.ts';
import { SEARCH_ATTRIBUTES } from '../../workflows/plan/runs/search-attributes.ts';
import { answered, answerIfAny } from '../answer.ts';
import { sendUpdate } from '../runs/decisions.ts';
import { RunNotFound } from '../runs/runs.ts';

/** An incident in a list. */
export interface ListedIncident {
  readonly key: string;
  readonly openedAt: Date;
  readonly closedAt?: Date;
  /** Absent if no monitor answers. */
  readonly state?: IncidentState;
}

/** Lists incidents of a deployment, newest first: the open ones, or all that Temporal still has. */
export async function listIncidents(client: Client, taskQueue: string, { all = false, limit = 50 } = {}): Promise<ListedIncident[]> {
  const query = `WorkflowType = "${INCIDENT_WORKFLOW}" AND ${SEARCH_ATTRIBUTES.queue.name} = ${JSON.stringify(taskQueue)}${all ? '' : ' AND ExecutionStatus = "Running"'}`;
  const found: { id: string; runId: string; openedAt: Date; closedAt: Date | undefined }[] = [];
  for await (const { workflowId, runId, startTime, closeTime } of client.workflow.list({ query })) {
    found.push({ id: workflowId, runId, openedAt: startTime, closedAt: closeTime });
    if (found.length >= limit) break;
  }
  return Promise.all(
    found.map(async ({ id, runId, openedAt, closedAt }) => {
      const state = await answerIfAny(client, id, () => client.workflow.getHandle(id, runId).query(INCIDENT_QUERY));
      return { key: id.slice(incidentId('').length), openedAt, ...(closedAt && { closedAt }), ...(state && { state }) };
    }),
  );
}

/** Returns the state of an incident, or of the last one with this key. @throws NoAnswer, RunNotFound */
export async function showIncident(client: Client, key: string): Promise<IncidentState> {
  const id = incidentId(key);
  try {
    return await answered(client, id, () => client.workflow.getHandle(id).query(INCIDENT_QUERY));
  } catch (error) {
    throw error instanceof WorkflowNotFoundError ? new RunNotFound(id) : error;
  }
}

/** Acknowledges an incident. @returns its answer @throws RunNotFound, DecisionRefused, NoAnswer */
export function acknowledgeIncident(client: Client, key: string, request: OperatorRequest): Promise<string> {
  return sendUpdate(client, incidentId(key), ACKNOWLEDGE_INCIDENT, request);
}

/** Resolves an incident manually. It does not reopen while the same problem persists. @throws RunNotFound, DecisionRefused, NoAnswer */
export function resolveIncident(client: Client, key: string, request: OperatorRequest): Promise<string> {
  return sendUpdate(client, incidentId(key), RESOLVE_INCIDENT, request);
}
