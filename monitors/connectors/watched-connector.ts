import type { RestartPolicy } from '../../workflows/plan/incidents/restarts.ts';

/** A connector that the deployment has applied. */
export interface WatchedConnector {
  /** The connection of its Kafka Connect. */
  readonly connId: string;
  readonly name: string;
  readonly restart: RestartPolicy;
}
