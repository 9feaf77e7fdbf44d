import type { Cursor } from './run-starts.ts';
import { NO_COUNTS, type SensorCounts, type SensorEnd, type SensorReport } from '../../workflows/plan/sensor.ts';

/** The running record of what a consumer has seen and done. */
export class SensorJournal {
  readonly counts: { -readonly [K in keyof SensorCounts]-?: number };
  /** Events that exist and are not read yet. */
  lag: number | undefined;
  /** What currently blocks the consumer. */
  obstacle: string | undefined;
  private lastStart: SensorReport['lastStart'];
  private rateSince = performance.now();
  private rateFrom: number;
  /** Where to continue in the source after a restart. */
  cursor: Cursor;

  constructor(
    private readonly consumer: number,
    from: SensorEnd,
  ) {
    this.counts = { ...NO_COUNTS, ...from.counts };
    this.cursor = from.cursor;
    this.rateFrom = this.counts.events;
  }

  count(what: keyof SensorCounts, by = 1): void {
    this.counts[what] += by;
  }

  started(run: string): void {
    this.lastStart = { run, at: new Date().toISOString() };
  }

  get end(): SensorEnd {
    return { ...(this.cursor !== undefined && { cursor: this.cursor }), counts: { ...this.counts } };
  }

  /** The current status; the rate covers the time since the last report. */
  report(): SensorReport {
    const now = performance.now();
    const seconds = (now - this.rateSince) / 1000;
    const rate = seconds > 0 ? (this.counts.events - this.rateFrom) / seconds : 0;
    this.rateSince = now;
    this.rateFrom = this.counts.events;
    return {
      consumer: this.consumer,
      counts: { ...this.counts },
      rate: Math.round(rate * 10) / 10,
      ...(this.lag !== undefined && { lag: this.lag }),
      ...(this.lastStart && { lastStart: this.lastStart }),
      ...(this.obstacle !== undefined && { problem: this.obstacle }),
    };
  }
}
