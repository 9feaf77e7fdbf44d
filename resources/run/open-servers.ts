import { setMaxListeners } from 'node:events';
import type { ConnectionKind } from '../../connections/catalog.ts';
import type { Connections } from '../../connections/connections.ts';
import { withinTime } from '../../lib/time-limit.ts';
import type { ResourceServer, ResourceType } from '../define-resource.ts';

/** Time limit for the work on one resource, in milliseconds. */
const LIMIT_MS = 30_000;
/** Time limit to connect, and to disconnect, in milliseconds. */
const OPEN_LIMIT_MS = 10_000;

/** The servers of resources: one connection per resource type and connection name. Close them. */
export class OpenServers {
  private readonly opened = new Map<string, Promise<ResourceServer>>();
  private readonly ready: ResourceServer[] = [];
  private readonly stop = new AbortController();
  private isClosed = false;

  constructor(private readonly connections: Connections) {
    // Each resource that is read at the same time listens.
    setMaxListeners(0, this.stop.signal);
  }

  /** Calls a server within the time limit. @throws ConnectionError, TimeLimitExceeded, the error of the server */
  async use<T>(type: ResourceType, connId: string, work: (server: ResourceServer) => Promise<T>): Promise<T> {
    const server = await withinTime(OPEN_LIMIT_MS, this.stop.signal, () => this.open(type, connId));
    return withinTime(LIMIT_MS, this.stop.signal, () => work(server));
  }

  private open(type: ResourceType, connId: string): Promise<ResourceServer> {
    const key = `${type.type} ${connId}`;
    const known = this.opened.get(key);
    if (known) return known;
    const connect = async (): Promise<ResourceServer> =>
      type.open(this.connections.get<ConnectionKind>(connId, type.connection.types), this.stop.signal);
    const server = connect();
    this.opened.set(key, server);
    server.then(
      (opened) => (this.isClosed ? closeQuietly(opened) : void this.ready.push(opened)),
      () => undefined,
    );
    return server;
  }

  /** Does not wait for servers that have not answered yet. Never throws. */
  async close(): Promise<void> {
    this.isClosed = true;
    await Promise.all(this.ready.map(closeQuietly));
    this.stop.abort();
  }
}

/** A server that goes away while it is closed needs no closing. */
async function closeQuietly(server: ResourceServer): Promise<void> {
  await withinTime(OPEN_LIMIT_MS, undefined, () => server.close()).catch(() => undefined);
}
