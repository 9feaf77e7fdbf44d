import { timeText } from '../../workflows/plan/values/format.ts';
import type { FailureMemory, RestartStep } from '../../workflows/plan/incidents/restarts.ts';
import { type Finding, findingOf } from '../finding.ts';
import type { WatchedConnector } from './watched-connector.ts';

/** A failure of a connector, for its page. */
interface Failure extends FailureMemory {
  /** The reason, as Kafka Connect gives it. */
  readonly cause: string;
  /** Absent: it runs again. */
  readonly step?: RestartStep;
}

/** A connector that has failed, or whose task has. @param key of the connector */
export function failedFinding(key: string, connector: WatchedConnector, { cause, step, since, restarts }: Failure): Finding {
  const { connId, name, restart } = connector;
  return findingOf(`${key}/failed`, undefined, {
    subject: `connector ${name}`,
    what: `has failed: ${cause}`,
    kind: 'connector_failed',
    source: connId,
    severity: 'error',
    since,
    details: {
      restarts: `${restarts} of ${restart.attempts}`,
      what_happens: nextText(step, connector),
      what_to_do: `If the restarts do not help, correct the cause; its configuration is in resources/. This incident resolves itself when the connector has run for a while.`,
    },
  });
}

function nextText(step: RestartStep | undefined, { restart: { attempts } }: WatchedConnector): string {
  switch (step?.kind) {
    case undefined:
      return 'It runs again.';
    case 'restart':
      return 'It is being restarted.';
    case 'wait':
      return `It is restarted at ${timeText(step.at)}.`;
    case 'give_up':
      return attempts === 0 ? 'It is not restarted: `restart.attempts` is 0.' : 'It stays failed: all restarts are used up.';
  }
}

/** A declared connector that does not exist. @param since ISO 8601 */
export function missingFinding(key: string, { connId, name }: WatchedConnector, since: string): Finding {
  return findingOf(`${key}/missing`, undefined, {
    subject: `connector ${name}`,
    what: 'does not exist although its file does: nothing is copied',
    kind: 'connector_missing',
    source: connId,
    severity: 'error',
    since,
    details: { what_to_do: '`sluice apply` creates it again. It continues at its last position.' },
  });
}

/** A connector that no worker runs. @param since ISO 8601 */
export function unassignedFinding(key: string, { connId, name }: WatchedConnector, since: string): Finding {
  return findingOf(`${key}/unassigned`, undefined, {
    subject: `connector ${name}`,
    what: 'is not assigned to a worker of Kafka Connect: nothing is copied',
    kind: 'connector_unassigned',
    source: connId,
    severity: 'error',
    since,
    details: { what_to_do: `Check the workers of Kafka Connect, and their logs.` },
  });
}
