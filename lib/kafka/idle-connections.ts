import { createRequire } from 'node:module';

/** The part of kafkajs' queue of requests that is mended; each connection has one. */
interface RequestQueue {
  readonly pending: readonly unknown[];
  scheduleCheckPendingRequests(): void;
}

/** kafkajs exports it to nobody. */
const QUEUE = 'kafkajs/src/network/requestQueue';

/**
 * Lets connections rest on which nothing waits to be sent. kafkajs 2.2.4 looks for such requests again and again, each connection a thousand
 * times a second for as long as it lives (https://github.com/tulios/kafkajs/issues/1704), with a timer of a negative time, of which Node 24
 * warns. What is sent, and what is queued because it cannot be sent at once, is looked after as before.
 */
export function restIdleConnections(): void {
  const { prototype } = createRequire(import.meta.url)(QUEUE) as { readonly prototype: RequestQueue };
  const { scheduleCheckPendingRequests: schedule } = prototype;
  prototype.scheduleCheckPendingRequests = function (this: RequestQueue) {
    if (this.pending.length > 0) schedule.call(this);
  };
}
