import type { Client } from '@temporalio/client';

/** Retention changes rarely: it is asked for this often, in milliseconds. */
const ASK_EVERY = 600_000;

/** How long Temporal keeps workflows of the client's namespace after they have ended. */
export class Retention {
  private ms: number | undefined;
  private askedAt = -Infinity;

  constructor(private readonly client: Client) {}

  /** @returns the time before which ended runs may have been removed, milliseconds; undefined when Temporal keeps them for ever */
  async keptSince(now: number): Promise<number | undefined> {
    if (now - this.askedAt >= ASK_EVERY || now < this.askedAt) {
      this.ms = await retentionOf(this.client);
      this.askedAt = now;
    }
    return this.ms === undefined ? undefined : now - this.ms;
  }
}

/** @returns milliseconds; undefined: for ever */
export async function retentionOf(client: Client): Promise<number | undefined> {
  const { config } = await client.workflowService.describeNamespace({ namespace: client.options.namespace });
  const seconds = Number(config?.workflowExecutionRetentionTtl?.seconds ?? 0);
  return seconds > 0 ? seconds * 1000 : undefined;
}
