import type { Client } from '@temporalio/client';
import type { WatchedConnector } from '../../monitors/connectors/watched-connector.ts';
import { connectorsKey } from '../../workflows/plan/incidents/connector-key.ts';
import { restartPolicyOf } from '../../workflows/plan/incidents/restarts.ts';
import { listResourceRecords, readRecord } from '../deployment/resource-record.ts';
import type { Unchecked } from '../unchecked.ts';

/** Interval for reading the records, in milliseconds. */
const EVERY_MS = 15_000;
/** The type of resource that is watched. */
const CONNECTOR = 'kafka_connector';

/** Caches which connectors a deployment has applied, from its records of resources. */
export class ConnectorIndex {
  private connectors: readonly WatchedConnector[] = [];
  private unreadable: unknown;
  private readAt = -Infinity;

  constructor(
    private readonly client: Client,
    private readonly taskQueue: string,
  ) {}

  /** @param now milliseconds @param unchecked collects what cannot be read @throws for an outage of the server */
  async read(now: number, unchecked: Unchecked): Promise<readonly WatchedConnector[]> {
    // All incidents of connectors stay as they are while the records cannot be read.
    const subject = connectorsKey(this.taskQueue);
    if (now - this.readAt >= EVERY_MS || now < this.readAt) {
      const found = await unchecked.guard(subject, () => this.readAll());
      if (found) this.connectors = found;
      this.unreadable = unchecked.reasons.get(subject);
      this.readAt = now;
    } else if (this.unreadable !== undefined) unchecked.note(subject, this.unreadable);
    return this.connectors;
  }

  private async readAll(): Promise<readonly WatchedConnector[]> {
    const found = new Map<string, WatchedConnector>();
    for (const id of await listResourceRecords(this.client, this.taskQueue)) {
      for (const { type, connId, name, keys } of await readRecord(this.client, id)) {
        if (type !== CONNECTOR) continue;
        found.set(`${connId}/${name}`, { connId, name, restart: restartPolicyOf(keys?.restart) });
      }
    }
    return [...found.values()];
  }
}
