// The subjects of the incidents of connectors, for all that write or compare their keys.

/** The subject of all connectors of a deployment: several deployments may share a namespace, and the names of connections. */
export function connectorsKey(taskQueue: string): string {
  return `connect/${taskQueue}`;
}

/** The subject of the connectors of one Kafka Connect. */
export function serverKey(taskQueue: string, connId: string): string {
  return `${connectorsKey(taskQueue)}/${connId}`;
}

/** The subject of a connector: the keys of its incidents begin with it. */
export function connectorKey(taskQueue: string, { connId, name }: { readonly connId: string; readonly name: string }): string {
  return `${serverKey(taskQueue, connId)}/${name}`;
}
