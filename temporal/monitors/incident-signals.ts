import type { Client } from '@temporalio/client';
import { cutBytes } from '../../lib/cut-bytes.ts';
import { inTurns } from '../../workflows/plan/values/in-turns.ts';
import { incidentId, incidentKeyIn } from '../../workflows/plan/ids.ts';
import {
  INCIDENT_WORKFLOW,
  type IncidentInput,
  monitorQueue,
  type Observation,
  OBSERVE,
  type Page,
} from '../../workflows/plan/incidents/incident.ts';
import { SEARCH_ATTRIBUTES } from '../../workflows/plan/runs/search-attributes.ts';
import { searchAttribute } from '../search-attributes.ts';
import { isGone } from '../unchecked.ts';

/** Interval of the check that all open incidents still exist, in milliseconds. */
const LIST_EVERY = 60_000;
const AT_ONCE = 20;

/** Temporal's limits for a workflow's summary and details, with a margin, in bytes. */
const SUMMARY_BYTES = 200;
const DETAILS_BYTES = 16_000;

/** Formats the details of a page as Markdown. */
function detailsText({ details, links }: Page): string {
  const lines = Object.entries(details).map(([name, value]) => `${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`);
  return [`\`\`\`text\n${lines.join('\n')}\n\`\`\``, ...links.map(({ href, text }) => `[${text}](${href})`)].join('\n\n');
}

/** Signals observations of a monitor to the incidents of its deployment, and tracks their state. */
export class IncidentSignals {
  private listedAt = -Infinity;

  constructor(
    private readonly client: Client,
    private readonly taskQueue: string,
  ) {}

  /**
   * Reports an observation to an incident; starts the incident if it is not open.
   * @param named the key for a new incident: with the pipeline's name in place of its dag_id
   * @returns the key of the incident: if another deployment has an open incident with it, one with this deployment
   */
  async observe(incident: string, observation: Observation, named = incident): Promise<string> {
    if (observation.state === 'over' && (await this.signalOver(incident, observation))) return incident;
    const isOpen = named !== incident && (await this.fateOf(incident)) === undefined;
    const key = isOpen ? incident : named;
    if (await this.open(key, observation)) return key;
    const own = incidentKeyIn(this.taskQueue, incident);
    if (await this.open(own, observation)) return own;
    throw new Error(`The incident '${own}' belongs to another deployment.`);
  }

  /** Reports an observation; starts the incident if it is not open. @returns false if it is open in another deployment */
  private async open(key: string, observation: Observation): Promise<boolean> {
    if (await this.isOfAnother(key)) return false;
    const input: IncidentInput = { key };
    const { page } = observation;
    // In one request: an incident without an observation would stay open for ever.
    await this.client.workflow.signalWithStart(INCIDENT_WORKFLOW, {
      workflowId: incidentId(key),
      taskQueue: monitorQueue(this.taskQueue),
      args: [input],
      signal: OBSERVE,
      signalArgs: [observation],
      // Current details need a running monitor worker; the static summary does not.
      staticSummary: cutBytes(page.summary, SUMMARY_BYTES),
      staticDetails: cutBytes(detailsText(page), DETAILS_BYTES),
      typedSearchAttributes: [searchAttribute('queue', this.taskQueue), searchAttribute('state', 'open')],
    });
    return true;
  }

  /** Ends an incident. @returns false when it was deleted: then a new incident must resolve what the old one opened */
  private async signalOver(key: string, observation: Observation): Promise<boolean> {
    const fate = await this.fateOf(key);
    if (fate !== undefined) return fate === 'ended';
    try {
      await this.client.workflow.getHandle(incidentId(key)).signal(OBSERVE, observation);
      return true;
    } catch (error) {
      if (!isGone(error)) throw error;
    }
    return (await this.fateOf(key)) !== 'gone';
  }

  /** @returns undefined while the incident of this deployment is open; `ended` if another deployment has a newer one with this key */
  private async fateOf(key: string): Promise<'ended' | 'gone' | undefined> {
    const last = await this.last(key);
    if (!last) return 'gone';
    if (!last.isOwn) return 'ended';
    // A terminated incident has not resolved what it opened, so treat it as deleted.
    return last.status === 'RUNNING' ? undefined : last.status === 'COMPLETED' ? 'ended' : 'gone';
  }

  /** Whether an incident with this key is open in another deployment. */
  private async isOfAnother(key: string): Promise<boolean> {
    const last = await this.last(key);
    return last?.isOwn === false && last.status === 'RUNNING';
  }

  /** The last incident with this key; undefined if Temporal has none. */
  private async last(key: string): Promise<{ readonly status: string; readonly isOwn: boolean } | undefined> {
    try {
      const { status, typedSearchAttributes } = await this.client.workflow.getHandle(incidentId(key)).describe();
      const owner = typedSearchAttributes.get(SEARCH_ATTRIBUTES.queue) ?? this.taskQueue;
      return { status: status.name, isOwn: owner === this.taskQueue };
    } catch (error) {
      if (isGone(error)) return undefined;
      throw error;
    }
  }

  /** See `MonitorFacts.lostIncidents`. */
  async lost(incidents: readonly string[], now: number): Promise<ReadonlyMap<string, 'ended' | 'gone'>> {
    const lost = new Map<string, 'ended' | 'gone'>();
    if (incidents.length === 0 || (now - this.listedAt < LIST_EVERY && now >= this.listedAt)) return lost;
    const running = new Set<string>();
    const query = `WorkflowType = "${INCIDENT_WORKFLOW}" AND ${SEARCH_ATTRIBUTES.queue.name} = ${JSON.stringify(this.taskQueue)} AND ExecutionStatus = "Running"`;
    for await (const { workflowId } of this.client.workflow.list({ query, pageSize: 1_000 })) running.add(workflowId);
    const doubtful = incidents.filter((incident) => !running.has(incidentId(incident)));
    await inTurns(doubtful, AT_ONCE, async (incident) => {
      const fate = await this.fateOf(incident);
      if (fate) lost.set(incident, fate);
    });
    this.listedAt = now;
    return lost;
  }
}
