import type { Aggregate } from '../workflows/plan/trigger.ts';

/** What is known of the events of one pane: enough for every aggregate, and to be added up. */
interface Partial {
  count: number;
  sum: number;
  min: number;
  max: number;
}

/** The panes of a key, by number: a pane is as long as what every size and slide is a multiple of. */
type Panes = Map<number, Partial[]>;

/**
 * Counts events by key and time, in panes that windows are put together from: what it keeps grows with the number of keys, not with that
 * of events.
 */
export class WindowPanes {
  private readonly keys = new Map<string, Panes>();
  private readonly names: readonly string[];

  /** @param paneMs the length of a pane */
  constructor(
    private readonly paneMs: number,
    private readonly aggregates: Readonly<Record<string, Aggregate>>,
  ) {
    this.names = Object.keys(aggregates);
  }

  /** @param values for each aggregate the value that it is over; whatever for `count` */
  add(key: string, at: number, values: readonly number[]): void {
    const pane = Math.floor(at / this.paneMs);
    let panes = this.keys.get(key);
    if (!panes) this.keys.set(key, (panes = new Map<number, Partial[]>()));
    let partials = panes.get(pane);
    if (!partials) panes.set(pane, (partials = this.names.map(() => ({ count: 0, sum: 0, min: Infinity, max: -Infinity }))));
    for (const [index, partial] of partials.entries()) {
      const value = values[index] ?? 0;
      partial.count++;
      partial.sum += value;
      partial.min = Math.min(partial.min, value);
      partial.max = Math.max(partial.max, value);
    }
  }

  /** The aggregates of a key over `[start, end)`; undefined where no event was. */
  over(key: string, start: number, end: number): Record<string, number> | undefined {
    const panes = this.keys.get(key);
    const totals = this.names.map((): Partial => ({ count: 0, sum: 0, min: Infinity, max: -Infinity }));
    for (let pane = Math.floor(start / this.paneMs); pane * this.paneMs < end; pane++) {
      for (const [index, partial] of (panes?.get(pane) ?? []).entries()) {
        const total = totals[index];
        if (!total) continue;
        total.count += partial.count;
        total.sum += partial.sum;
        total.min = Math.min(total.min, partial.min);
        total.max = Math.max(total.max, partial.max);
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

  /** The keys that have events. */
  known(): IterableIterator<string> {
    return this.keys.keys();
  }

  /** Forgets what was before a time. */
  forget(before: number): void {
    const first = Math.floor(before / this.paneMs);
    for (const [key, panes] of this.keys) {
      for (const pane of panes.keys()) if (pane < first) panes.delete(pane);
      if (panes.size === 0) this.keys.delete(key);
    }
  }
}

function valueOf(kind: Aggregate['kind'] | undefined, total: Partial | undefined): number {
  if (!total) return 0;
  switch (kind) {
    case 'sum':
      return total.sum;
    case 'min':
      return total.min;
    case 'max':
      return total.max;
    case 'avg':
      return total.sum / total.count;
    default:
      return total.count;
  }
}
