import { createRequire } from 'node:module';

/** The part of kafkajs' request queue that is patched; each connection has one. */
interface RequestQueue {
  readonly pending: readonly unknown[];
  scheduleCheckPendingRequests(): void;
}

/** kafkajs does not export it. */
const QUEUE = 'kafkajs/src/network/requestQueue';

/**
 * Stops polling on idle connections. kafkajs 2.2.4 checks each connection for queued requests a thousand times a second
 * (https://github.com/tulios/kafkajs/issues/1704), with a negative timer, about which Node 24 warns. Requests that are sent or queued are
 * handled as before.
 */
export function restIdleConnections(): void {
  const { prototype } = createRequire(import.meta.url)(QUEUE) as { readonly prototype: RequestQueue };
  const { scheduleCheckPendingRequests: schedule } = prototype;
  prototype.scheduleCheckPendingRequests = function (this: RequestQueue) {
    if (this.pending.length > 0) schedule.call(this);
  };
}
