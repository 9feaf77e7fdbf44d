import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import type { Log } from '../../lib/logging.ts';
import { MONITOR_QUERY, monitorId } from '../../workflows/plan/incidents/incident.ts';
import { ensureMonitor } from './ensure-monitor.ts';

/** Interval at which monitors are asked for their last complete check, in milliseconds. */
const ASK_EVERY_MS = 5_000;
const ANSWER_WITHIN_MS = 4_000;
/** Interval at which a missing monitor is restarted, in milliseconds. */
const ENSURE_EVERY_MS = 30_000;

/**
 * Tracks when monitors last completed a check, in any process. A check that skipped something does not count. Also restarts missing
 * monitors.
 */
export class CompleteChecks {
  private readonly last = new Map<string, { readonly completeAt: string; readonly seenAt: number }>();

  constructor(
    private readonly client: Client,
    private readonly queues: readonly string[],
    private readonly log: Log,
  ) {}

  /** Whether every deployment was checked completely within this time, in milliseconds. Uses the local clock, which may be wrong. */
  areWithin(ms: number): boolean {
    return this.queues.every((queue) => {
      const last = this.last.get(queue);
      return last !== undefined && performance.now() - last.seenAt < ms;
    });
  }

  /** Follows the monitors until `signal` is aborted. Retries during outages of Temporal. */
  async follow(signal: AbortSignal): Promise<void> {
    let ensuredAt = performance.now();
    while (!signal.aborted) {
      const isDue = performance.now() - ensuredAt >= ENSURE_EVERY_MS;
      if (isDue) ensuredAt = performance.now();
      await Promise.all(this.queues.map((queue) => this.ask(queue, isDue)));
      await delay(ASK_EVERY_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  private async ask(queue: string, isDue: boolean): Promise<void> {
    try {
      await this.client.withDeadline(Date.now() + ANSWER_WITHIN_MS, async () => {
        if (isDue) await ensureMonitor(this.client, queue);
        const { completeAt } = await this.client.workflow.getHandle(monitorId(queue)).query(MONITOR_QUERY);
        if (completeAt !== undefined && completeAt !== this.last.get(queue)?.completeAt) {
          this.last.set(queue, { completeAt, seenAt: performance.now() });
        }
      });
    } catch (error) {
      this.log.debug(`The monitor of ${queue} does not report its last complete check: ${String(error)}`);
    }
  }
}
