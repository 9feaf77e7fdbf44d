import { causeOf, type ConnectorStatus } from '../../lib/kafka-connect/connector.ts';
import { errorText } from '../../workflows/plan/values/error-text.ts';
import { connectorKey, serverKey } from '../../workflows/plan/incidents/connector-key.ts';
import type { MonitorMemory, MonitorSettings } from '../../workflows/plan/incidents/incident.ts';
import { type FailureMemory, hasRecovered, isForgotten, nextStep } from '../../workflows/plan/incidents/restarts.ts';
import { iso } from '../../workflows/plan/timetable/schedule.ts';
import { inTurns } from '../../workflows/plan/values/in-turns.ts';
import type { Finding } from '../finding.ts';
import type { Since } from '../since.ts';
import { failedFinding, missingFinding, unassignedFinding } from './connector-findings.ts';
import type { ConnectorServers } from './connector-servers.ts';
import type { WatchedConnector } from './watched-connector.ts';

/** Restarts at the same time, of one Kafka Connect. */
const AT_ONCE = 10;

export interface ConnectorCheck {
  readonly findings: readonly Finding[];
  /** Why the connectors of a Kafka Connect could not be checked, by `serverKey`. */
  readonly unchecked: ReadonlyMap<string, string>;
  /** The failures that are not forgotten, by `connectorKey`. */
  readonly failures: Readonly<Record<string, FailureMemory>>;
}

/** What a check of connectors goes by. */
interface Rules {
  readonly taskQueue: string;
  /** Whether the connectors are all that are declared; false: some could not be read, and their failures are remembered. */
  readonly isComplete: boolean;
  readonly servers: ConnectorServers;
  readonly since: Since;
  readonly settings: MonitorSettings;
  readonly now: number;
}

/**
 * Checks the connectors of a deployment, and restarts those that have failed when their pause is over. A restart is repeated when the
 * monitor dies before it is remembered. Connectors that a person has paused or stopped are healthy.
 */
export async function checkConnectors(
  connectors: readonly WatchedConnector[],
  before: MonitorMemory['connectors'],
  rules: Rules,
): Promise<ConnectorCheck> {
  const check = new Check(before ?? {}, rules);
  const servers = [...new Set(connectors.map(({ connId }) => connId))];
  await Promise.all(servers.map((connId) => check.server(connId, connectors)));
  if (!rules.isComplete) check.keepOthers(connectors);
  return check;
}

class Check implements ConnectorCheck {
  readonly findings: Finding[] = [];
  readonly unchecked = new Map<string, string>();
  readonly failures: Record<string, FailureMemory> = {};

  constructor(
    private readonly before: Readonly<Record<string, FailureMemory>>,
    private readonly rules: Rules,
  ) {}

  /** @param connectors of all servers */
  async server(connId: string, connectors: readonly WatchedConnector[]): Promise<void> {
    const own = connectors.filter((each) => each.connId === connId);
    try {
      const statuses = await this.rules.servers.statuses(connId);
      await inTurns(own, AT_ONCE, (connector) => this.connector(connector, statuses.get(connector.name)));
    } catch (error) {
      this.unchecked.set(serverKey(this.rules.taskQueue, connId), errorText(error));
      for (const connector of own) {
        const key = connectorKey(this.rules.taskQueue, connector);
        const known = this.before[key];
        if (known !== undefined) this.failures[key] ??= known;
      }
    }
  }

  /** Remembers failures of connectors that are not among these. */
  keepOthers(connectors: readonly WatchedConnector[]): void {
    const checked = new Set(connectors.map((each) => connectorKey(this.rules.taskQueue, each)));
    for (const [key, known] of Object.entries(this.before)) if (!checked.has(key)) this.failures[key] = known;
  }

  private async connector(connector: WatchedConnector, status: ConnectorStatus | undefined): Promise<void> {
    const { since, settings, now } = this.rules;
    const key = connectorKey(this.rules.taskQueue, connector);
    const parts = status === undefined ? [] : [status.connector, ...status.tasks];
    const has = (state: (typeof parts)[number]['state']): boolean => parts.some((part) => part.state === state);
    const lasts = (name: string, isSo: boolean): boolean => (since.lasting(`${key}/${name}`, isSo) ?? 0) >= settings.graceMs && isSo;
    const isMissing = lasts('missing', status === undefined);
    if (isMissing) this.findings.push(missingFinding(key, connector, since.began(`${key}/missing`)));
    if (lasts('unassigned', has('UNASSIGNED'))) this.findings.push(unassignedFinding(key, connector, since.began(`${key}/unassigned`)));
    const known = this.before[key];
    if (status !== undefined && has('FAILED')) return this.failed(connector, status, known);
    if (known === undefined || isMissing || has('PAUSED') || has('STOPPED')) return;
    // Parts that are starting do not run yet. Just after a restart of its worker it may have no status: it is still the same failure.
    const isRunning = status !== undefined && parts.every(({ state }) => state === 'RUNNING');
    const memory: FailureMemory = isRunning ? { ...known, runsSince: known.runsSince ?? iso(now) } : known;
    if (isForgotten(memory, now)) return;
    const recovered = known.recovered === true || (isRunning && hasRecovered(connector.restart, memory, now));
    this.failures[key] = recovered ? { ...memory, recovered } : memory;
    const cause = status === undefined ? 'it has no status at the moment' : 'it runs again, for too short a time to count as recovered';
    if (!recovered) this.findings.push(failedFinding(key, connector, { ...known, cause }));
  }

  private async failed(connector: WatchedConnector, status: ConnectorStatus, known: FailureMemory | undefined): Promise<void> {
    const { now } = this.rules;
    const key = connectorKey(this.rules.taskQueue, connector);
    const { runsSince, recovered, ...earlier } = known ?? { since: iso(now), restarts: 0, from: iso(now) };
    // It has failed again after it ran: the next pause begins now.
    const failure: FailureMemory =
      runsSince === undefined ? earlier : { ...earlier, from: iso(now), ...(recovered === true && { since: iso(now) }) };
    const step = nextStep(connector.restart, failure, now);
    this.failures[key] = step.kind === 'restart' ? { ...failure, restarts: failure.restarts + 1, from: iso(now) } : failure;
    const refusal = step.kind === 'restart' ? await this.restart(connector) : '';
    this.findings.push(failedFinding(key, connector, { ...failure, cause: causeOfStatus(status) + refusal, step }));
  }

  /** Every attempt counts: the answer of one that was carried out may be lost. @returns why it failed, as a clause; empty if it did not */
  private async restart({ connId, name }: WatchedConnector): Promise<string> {
    try {
      await this.rules.servers.restart(connId, name);
      return '';
    } catch (error) {
      return `; its restart failed: ${errorText(error)}`;
    }
  }
}

/** The reason of the connector itself, else of its first failed task. */
function causeOfStatus({ connector, tasks }: ConnectorStatus): string {
  if (connector.state === 'FAILED') return causeOf(connector.trace ?? '');
  const task = tasks.find(({ state }) => state === 'FAILED');
  return task === undefined ? '' : `task ${task.id}: ${causeOf(task.trace ?? '')}`;
}
