import { type Client, ScheduleNotFoundError } from '@temporalio/client';
import { iso } from '../workflows/plan/timetable/schedule.ts';

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

/**
 * The end of the time from which Temporal may have removed runs of a pipeline. A pipeline that is younger than the retention has all its runs.
 * @param dagId of a pipeline; one without a schedule is new
 * @returns ISO 8601; undefined: Temporal has every run
 */
export async function expiryOf(client: Client, dagId: string, now: number): Promise<string | undefined> {
  const ms = await retentionOf(client);
  if (ms === undefined) return undefined;
  try {
    const { info } = await client.schedule.getHandle(dagId).describe();
    return expiryFor(info.createdAt.getTime(), ms, now);
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return undefined;
    throw error;
  }
}

/** As `expiryOf`. @param createdAt when the schedule was made @param retentionMs absent: for ever */
export function expiryFor(createdAt: number, retentionMs: number | undefined, now: number): string | undefined {
  if (retentionMs === undefined || createdAt >= now - retentionMs) return undefined;
  return iso(now - retentionMs);
}
