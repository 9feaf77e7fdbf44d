import { type Client, ScheduleNotFoundError } from '@temporalio/client';
import type { PipelineName } from '../workflows/plan/ids.ts';
import { iso } from '../workflows/plan/timetable/schedule.ts';

/** Retention changes rarely: refresh interval in milliseconds. */
const ASK_EVERY = 600_000;

/** How long Temporal keeps ended workflows in the client's namespace. */
export class Retention {
  private ms: number | undefined;
  private askedAt = -Infinity;

  constructor(private readonly client: Client) {}

  /** @returns the time before which ended runs may have been removed, milliseconds; undefined if Temporal keeps them forever */
  async keptSince(now: number): Promise<number | undefined> {
    if (now - this.askedAt >= ASK_EVERY || now < this.askedAt) {
      this.ms = await retentionOf(this.client);
      this.askedAt = now;
    }
    return this.ms === undefined ? undefined : now - this.ms;
  }
}

/** @returns milliseconds; undefined: forever */
export async function retentionOf(client: Client): Promise<number | undefined> {
  const { config } = await client.workflowService.describeNamespace({ namespace: client.options.namespace });
  const seconds = Number(config?.workflowExecutionRetentionTtl?.seconds ?? 0);
  return seconds > 0 ? seconds * 1000 : undefined;
}

/**
 * Returns the time before which Temporal may have removed runs of a pipeline. A pipeline younger than the retention has all its runs.
 * @param name of the pipeline; without a schedule it counts as new
 * @returns ISO 8601; undefined: Temporal has every run
 */
export async function expiryOf(client: Client, name: PipelineName, now: number): Promise<string | undefined> {
  const ms = await retentionOf(client);
  if (ms === undefined) return undefined;
  try {
    const { info } = await client.schedule.getHandle(name).describe();
    return expiryFor(info.createdAt.getTime(), ms, now);
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return undefined;
    throw error;
  }
}

/** Like `expiryOf`. @param createdAt when the schedule was created @param retentionMs absent: forever */
export function expiryFor(createdAt: number, retentionMs: number | undefined, now: number): string | undefined {
  if (retentionMs === undefined || createdAt >= now - retentionMs) return undefined;
  return iso(now - retentionMs);
}
