import { causeOf, type ConnectorStatus } from '../../lib/kafka-connect/connector.ts';
import { errorText } from '../../workflows/plan/values/error-text.ts';
import { connectorKey, serverKey } from '../../workflows/plan/incidents/connector-key.ts';
import type { MonitorMemory, MonitorSettings } from '../../workflows/plan/incidents/incident.ts';
import { type FailureMemory, hasRecovered, nextStep } from '../../workflows/plan/incidents/restarts.ts';
import { iso } from '../../workflows/plan/timetable/schedule.ts';
import type { Finding } from '../finding.ts';
import type { Since } from '../since.ts';
import { failedFinding, missingFinding, unassignedFinding } from './connector-findings.ts';
import type { ConnectorServers } from './connector-servers.ts';
import type { WatchedConnector } from './watched-connector.ts';

export interface ConnectorCheck {
  readonly findings: readonly Finding[];
  /** Why the connectors of a Kafka Connect could not be checked, by `serverKey`. */
  readonly unchecked: ReadonlyMap<string, string>;
  /** The failures that have not recovered, by `connectorKey`. */
  readonly failures: Readonly<Record<string, FailureMemory>>;
}

/** What a check of connectors goes by. */
interface Rules {
  readonly taskQueue: string;
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
      for (const connector of own) await this.connector(connector, statuses.get(connector.name));
    } catch (error) {
      this.unchecked.set(serverKey(this.rules.taskQueue, connId), errorText(error));
      for (const connector of own) {
        const key = connectorKey(this.rules.taskQueue, connector);
        const known = this.before[key];
        if (known !== undefined) this.failures[key] ??= known;
      }
    }
  }

  private async connector(connector: WatchedConnector, status: ConnectorStatus | undefined): Promise<void> {
    const { since, settings, now } = this.rules;
    const key = connectorKey(this.rules.taskQueue, connector);
    const parts = status === undefined ? [] : [status.connector, ...status.tasks];
    const has = (state: (typeof parts)[number]['state']): boolean => parts.some((part) => part.state === state);
    const lasts = (name: string, isSo: boolean): boolean => (since.lasting(`${key}/${name}`, isSo) ?? 0) >= settings.graceMs && isSo;
    if (lasts('missing', status === undefined)) this.findings.push(missingFinding(key, connector, since.began(`${key}/missing`)));
    if (lasts('unassigned', has('UNASSIGNED'))) this.findings.push(unassignedFinding(key, connector, since.began(`${key}/unassigned`)));
    const known = this.before[key];
    if (status !== undefined && has('FAILED')) return this.failed(connector, status, known);
    if (known === undefined || status === undefined || has('PAUSED') || has('STOPPED')) return;
    const runs: FailureMemory = { ...known, runsSince: known.runsSince ?? iso(now) };
    if (parts.every(({ state }) => state === 'RUNNING') && hasRecovered(connector.restart, runs, now)) return;
    // Parts that are starting do not run yet.
    this.failures[key] = parts.every(({ state }) => state === 'RUNNING') ? runs : known;
    this.findings.push(failedFinding(key, connector, { ...known, cause: 'it runs again, for too short a time to count as recovered' }));
  }

  private async failed(connector: WatchedConnector, status: ConnectorStatus, known: FailureMemory | undefined): Promise<void> {
    const { servers, now } = this.rules;
    const key = connectorKey(this.rules.taskQueue, connector);
    const { runsSince, ...earlier } = known ?? { since: iso(now), restarts: 0, from: iso(now) };
    // It has failed again after it ran: the next pause begins now.
    let failure: FailureMemory = runsSince === undefined ? earlier : { ...earlier, from: iso(now) };
    const step = nextStep(connector.restart, failure, now);
    this.failures[key] = failure;
    this.findings.push(failedFinding(key, connector, { ...failure, cause: causeOfStatus(status), step }));
    if (step.kind !== 'restart') return;
    await servers.restart(connector.connId, connector.name);
    failure = { ...failure, restarts: failure.restarts + 1, from: iso(now) };
    this.failures[key] = failure;
  }
}

/** The reason of the connector itself, else of its first failed task. */
function causeOfStatus({ connector, tasks }: ConnectorStatus): string {
  if (connector.state === 'FAILED') return causeOf(connector.trace ?? '');
  const task = tasks.find(({ state }) => state === 'FAILED');
  return task === undefined ? '' : `task ${task.id}: ${causeOf(task.trace ?? '')}`;
}
