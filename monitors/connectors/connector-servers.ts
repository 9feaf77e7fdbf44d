import type { Connections } from '../../connections/connections.ts';
import type { ConnectorStatus } from '../../lib/kafka-connect/connector.ts';
import { KafkaConnect } from '../../lib/kafka-connect/kafka-connect.ts';
import { withinTime } from '../../lib/time-limit.ts';

/** The groups of Kafka Connect's workers, by connection. Every method throws when the server does not answer. */
export interface ConnectorServers {
  /** The states of all connectors there, by name. */
  statuses(connId: string): Promise<ReadonlyMap<string, ConnectorStatus>>;
  /** Restarts what has failed of a connector: itself, its tasks, or both. */
  restart(connId: string, name: string): Promise<void>;
}

/** Short, because an evaluation waits for it. Milliseconds. */
const LIMIT_MS = 10_000;

/** @param signal aborts all calls */
export function connectorServers(connections: Connections, signal: AbortSignal): ConnectorServers {
  const call = <T>(connId: string, work: (client: KafkaConnect) => Promise<T>): Promise<T> =>
    withinTime(LIMIT_MS, signal, (limit) => work(new KafkaConnect(connections.get(connId, ['kafka_connect']), limit, connId)));
  return {
    statuses: (connId) => call(connId, (client) => client.statuses()),
    restart: (connId, name) => call(connId, async (client) => void (await client.restartFailed(name))),
  };
}
