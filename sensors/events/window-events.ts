import { Evaluator, ExpressionFailed } from '../../workflows/plan/expressions/evaluator.ts';
import type { Json, JsonObject } from '../../workflows/plan/values/json.ts';
import { AGGREGATE_SHAPES, type RunEvent, type WindowMode } from '../../workflows/plan/trigger.ts';
import type { WindowPanes } from './window-panes.ts';

/** The event with which a window starts a run. */
export interface EventOfWindow {
  /** Identifies it within its trigger; the same when the window is counted again. */
  readonly id: string;
  readonly event: RunEvent;
}

/** A window whose condition cannot be evaluated, for `on_invalid`. */
export interface FailedWindow extends EventOfWindow {
  readonly reason: string;
}

/** Maximum bytes for an event's keys, so that the event stays below MAX_EVENT_BYTES. */
const KEYS_BYTES = 200 * 1024;

/** Creates the events of windows that have ended: one per key, or one per list of keys. */
export class WindowEvents {
  private readonly evaluator: Evaluator;
  /** Windows whose condition failed in the last call of `of`. */
  failed: FailedWindow[] = [];

  constructor(
    private readonly mode: WindowMode,
    private readonly panes: WindowPanes,
    zone?: string,
  ) {
    this.evaluator = new Evaluator(
      Object.fromEntries(Object.entries(mode.aggregates).map(([name, { kind }]) => [name, AGGREGATE_SHAPES[kind]])),
      zone,
    );
  }

  /** The events of the window that ends at `end`; after the last one, `failed` contains the failures. Do not count events meanwhile. */
  of(end: number): Iterable<EventOfWindow> {
    this.failed = [];
    return this.mode.keysPerRun === undefined ? this.ofKeys(end) : this.ofLists(end, this.mode.keysPerRun);
  }

  /** One event per key, when its condition becomes true and not while it stays true. Without a condition: one per window. */
  private *ofKeys(end: number): Iterable<EventOfWindow> {
    for (const key of this.panes.known()) {
      const found = this.over(key, end);
      if (!this.matches(key, found, end)) continue;
      if (this.mode.having !== undefined && this.met(key, end)) continue;
      yield this.eventOf(key, end, { key, ...found });
    }
  }

  /**
   * Lists the keys for which the condition holds now or held one slide earlier, so that a consumer with a table also learns which keys to
   * remove. Keys are sorted. If a window is counted again after a crash, late records may add keys; a list may then repeat keys of a list
   * that already started a run, but omits none.
   */
  private *ofLists(end: number, most: number): Iterable<EventOfWindow> {
    let list: JsonObject[] = [];
    let bytes = 0;
    let part = 1;
    for (const key of [...this.panes.known()].sort()) {
      const found = this.over(key, end);
      if (!this.matches(key, found, end) && !this.met(key, end)) continue;
      const entry = { key, ...(found ?? this.panes.nothing()) };
      const more = Buffer.byteLength(JSON.stringify(entry));
      if (list.length === most || (list.length > 0 && bytes + more > KEYS_BYTES)) {
        yield this.eventOf(`part-${part++}`, end, { keys: list });
        [list, bytes] = [[], 0];
      }
      list.push(entry);
      bytes += more;
    }
    if (list.length > 0) yield this.eventOf(`part-${part}`, end, { keys: list });
  }

  private over(key: string, end: number): Record<string, Json> | undefined {
    return this.panes.over(key, end - this.mode.sizeMs, end);
  }

  /** Whether the condition holds for a key; false if it cannot be evaluated, which is recorded in `failed`. */
  private matches(key: string, found: Record<string, Json> | undefined, end: number): boolean {
    try {
      return this.holds(found);
    } catch (error) {
      if (!(error instanceof ExpressionFailed)) throw error;
      this.failed.push({ ...this.eventOf(key, end, { key, ...found }), reason: error.message });
      return false;
    }
  }

  /** Whether the condition held for a key one slide earlier. */
  private met(key: string, end: number): boolean {
    try {
      return this.holds(this.over(key, end - this.mode.slideMs));
    } catch (error) {
      if (error instanceof ExpressionFailed) return false;
      throw error;
    }
  }

  private holds(aggregates: Record<string, Json> | undefined): boolean {
    const { having } = this.mode;
    return aggregates !== undefined && (having === undefined || this.evaluator.test(having, aggregates));
  }

  private eventOf(name: string, end: number, what: Readonly<Record<string, Json>>): EventOfWindow {
    const [start, until] = [new Date(end - this.mode.sizeMs).toISOString(), new Date(end).toISOString()];
    return {
      id: `${name === '' ? '' : `${name}@`}${until}`,
      event: { value: { window_start: start, window_end: until, ...what }, meta: { timestamp: until } },
    };
  }
}
