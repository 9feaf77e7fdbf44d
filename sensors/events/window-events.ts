import { Evaluator, ExpressionFailed } from '../../workflows/plan/expressions/evaluator.ts';
import type { Json, JsonObject } from '../../workflows/plan/values/json.ts';
import { AGGREGATE_SHAPES, type RunEvent, type WindowMode } from '../../workflows/plan/trigger.ts';
import type { WindowPanes } from './window-panes.ts';

/** What a window starts a run with. */
export interface EventOfWindow {
  /** Tells it from all others of its trigger; the same when the window is counted anew. */
  readonly id: string;
  readonly event: RunEvent;
}

/** A window whose condition cannot be evaluated, as `on_invalid` has it. */
export interface FailedWindow extends EventOfWindow {
  readonly reason: string;
}

/** The keys of an event take at most so many bytes, and the event stays below what a run may keep (MAX_EVENT_BYTES). */
const KEYS_BYTES = 200 * 1024;

/** What is to be told of windows that have ended: of each key for itself, or of many keys together. */
export class WindowEvents {
  private readonly evaluator: Evaluator;
  /** Where the condition failed, in the window that `of` was asked for last. */
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

  /** The events of the window that ends at `end`; when the last has been taken, `failed` has the others. Nothing may be counted until then. */
  of(end: number): Iterable<EventOfWindow> {
    this.failed = [];
    return this.mode.keysPerRun === undefined ? this.ofKeys(end) : this.ofLists(end, this.mode.keysPerRun);
  }

  /** One for each key: when its condition becomes true, not as long as it is. Without a condition, for each window. */
  private *ofKeys(end: number): Iterable<EventOfWindow> {
    for (const key of this.panes.known()) {
      const found = this.over(key, end);
      if (!this.matches(key, found, end)) continue;
      if (this.mode.having !== undefined && this.met(key, end)) continue;
      yield this.eventOf(key, end, { key, ...found });
    }
  }

  /**
   * The keys for which the condition holds, and those for which it held a slide before: whoever keeps a table of them learns also who has
   * to leave it. In the order of the keys: counted anew after a crash a window may have more of them, by records that came late, and then
   * a list may repeat keys of one that was started before, but leaves none out.
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

  /** Whether the condition holds for a key; where it cannot be evaluated it does not, and `failed` says so. */
  private matches(key: string, found: Record<string, Json> | undefined, end: number): boolean {
    try {
      return this.holds(found);
    } catch (error) {
      if (!(error instanceof ExpressionFailed)) throw error;
      this.failed.push({ ...this.eventOf(key, end, { key, ...found }), reason: error.message });
      return false;
    }
  }

  /** Whether the condition held for a key a slide before. */
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
