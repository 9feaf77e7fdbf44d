import type { ExactNumber, Json } from '../../workflows/plan/values/json.ts';
import type { Aggregate } from '../../workflows/plan/trigger.ts';
import { add, averageOf, compare, jsonOfSum, type Sum, sumOf } from './exact-sums.ts';

/** The mergeable summary of one pane's events, sufficient for every aggregate. */
interface Partial {
  count: number;
  sum: Sum;
  min: number | ExactNumber;
  max: number | ExactNumber;
}

/** The panes of a key by number. The length of a pane divides every window size and slide. */
type Panes = Map<number, Partial[]>;

/**
 * Counts events by key and time, in panes that windows are composed of: memory grows with the number of keys, not of events.
 */
export class WindowPanes {
  private readonly keys = new Map<string, Panes>();
  private readonly names: readonly string[];

  /** @param paneMs length of a pane in milliseconds */
  constructor(
    private readonly paneMs: number,
    private readonly aggregates: Readonly<Record<string, Aggregate>>,
  ) {
    this.names = Object.keys(aggregates);
  }

  /** @param values the input of each aggregate; ignored for `count` */
  add(key: string, at: number, values: readonly (number | ExactNumber)[]): void {
    const pane = Math.floor(at / this.paneMs);
    let panes = this.keys.get(key);
    if (!panes) this.keys.set(key, (panes = new Map<number, Partial[]>()));
    let partials = panes.get(pane);
    if (!partials) panes.set(pane, (partials = this.names.map(nothingYet)));
    for (const [index, partial] of partials.entries()) {
      const value = values[index] ?? 0;
      merge(partial, { count: 1, sum: sumOf(value), min: value, max: value });
    }
  }

  /** The aggregates of a key over `[start, end)`; undefined without events. */
  over(key: string, start: number, end: number): Record<string, Json> | undefined {
    const panes = this.keys.get(key);
    const totals = this.names.map(nothingYet);
    for (let pane = Math.floor(start / this.paneMs); pane * this.paneMs < end; pane++) {
      for (const [index, partial] of (panes?.get(pane) ?? []).entries()) {
        const total = totals[index];
        if (total) merge(total, partial);
      }
    }
    if (totals.every(({ count }) => count === 0)) return undefined;
    return Object.fromEntries(this.names.map((name, index) => [name, valueOf(this.aggregates[name]?.kind, totals[index])]));
  }

  /** The aggregates over no events. */
  nothing(): Record<string, number | null> {
    return Object.fromEntries(
      Object.entries(this.aggregates).map(([name, { kind }]) => [name, kind === 'count' || kind === 'sum' ? 0 : null]),
    );
  }

  /** The keys with events. */
  known(): IterableIterator<string> {
    return this.keys.keys();
  }

  /** Discards everything before a time. */
  forget(before: number): void {
    const first = Math.floor(before / this.paneMs);
    for (const [key, panes] of this.keys) {
      for (const pane of panes.keys()) if (pane < first) panes.delete(pane);
      if (panes.size === 0) this.keys.delete(key);
    }
  }
}

function nothingYet(): Partial {
  return { count: 0, sum: 0, min: 0, max: 0 };
}

function merge(total: Partial, more: Partial): void {
  if (more.count === 0) return;
  if (total.count === 0 || compare(more.min, total.min) < 0) total.min = more.min;
  if (total.count === 0 || compare(more.max, total.max) > 0) total.max = more.max;
  total.count += more.count;
  total.sum = add(total.sum, more.sum);
}

function valueOf(kind: Aggregate['kind'] | undefined, total: Partial | undefined): Json {
  if (!total) return 0;
  switch (kind) {
    case 'sum':
      return jsonOfSum(total.sum);
    case 'min':
      return total.min;
    case 'max':
      return total.max;
    case 'avg':
      return averageOf(total.sum, total.count);
    default:
      return total.count;
  }
}
