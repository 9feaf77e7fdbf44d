import type { RestartPolicy } from '../../workflows/plan/incidents/restarts.ts';

/** A connector that the deployment has applied. */
export interface WatchedConnector {
  /** The connection of its Kafka Connect. */
  readonly connId: string;
  readonly name: string;
  readonly restart: RestartPolicy;
}

/** A connector's incidents begin with this key, and all of one Kafka Connect with its part before the last slash. */
export function connectorKey({ connId, name }: Pick<WatchedConnector, 'connId' | 'name'>): string {
  return `${serverKey(connId)}/${name}`;
}

/** The subject of a Kafka Connect that does not answer. */
export function serverKey(connId: string): string {
  return `connect/${connId}`;
}
