/** What a run does when there is no room for it: it waits, it does not begin, or the oldest of those that have begun ends for it. */
export type OnOverlap = 'queue' | 'skip' | 'cancel_running' | 'cancel_new';

/** Somebody who wants slots, or has them. Wire data. */
export interface SlotRequest {
  /** Unique: of the run and what in it. */
  readonly key: string;
  /** The run that holds them: when it has ended, however it ended, they are free. */
  readonly workflowId: string;
  readonly runId: string;
  /** For people: `run`, or the name of a task. */
  readonly what: string;
  /** Those of one group wait in line; groups take turns. A pipeline is one. */
  readonly group: string;
  readonly slots: number;
  /** 1 (first) to 5. */
  readonly priority: number;
  readonly onOverlap: OnOverlap;
  /** Whether it is told when it asks for more than there are; absent: it was sent by a release that cannot hear it. */
  readonly hearsShortage?: boolean;
  /** The keys of slots that are held by those who wait for its run; absent: of none. */
  readonly behind?: readonly string[];
}

/** How slots stand. Wire data. */
export interface SlotState {
  readonly capacity: number;
  readonly holders: readonly SlotRequest[];
  /** In the order of their arrival. */
  readonly waiting: readonly SlotRequest[];
  /** Groups by when they were served last: the last one is the latest. */
  readonly served: readonly string[];
}

/** What is to be told, and to whom. */
export type SlotNews =
  | { readonly kind: 'granted' | 'refused'; readonly request: SlotRequest }
  /** It asks for more slots than there are, taken or not: it waits until somebody makes more. */
  | { readonly kind: 'short'; readonly request: SlotRequest; readonly capacity: number }
  /** `holder` is to be cancelled, to make room. */
  | { readonly kind: 'cancel'; readonly holder: SlotRequest };

/**
 * Slots that are shared: never more are held than there are. Who comes next: the first priority; among its groups the one that holds the
 * fewest, then the one that was served longest ago; in a group the one that came first. One that needs several is waited for: smaller ones
 * do not overtake it for ever.
 */
export class Slots {
  private capacity: number;
  private readonly holders = new Map<string, SlotRequest>();
  private readonly waiting = new Map<string, SlotRequest>();
  private readonly served = new Set<string>();
  private readonly evicted = new Set<string>();

  constructor({ capacity, holders, waiting, served }: SlotState) {
    this.capacity = capacity;
    for (const holder of holders) this.holders.set(holder.key, holder);
    for (const request of waiting) this.waiting.set(request.key, request);
    for (const group of served) this.served.add(group);
  }

  get state(): SlotState {
    return { capacity: this.capacity, holders: [...this.holders.values()], waiting: [...this.waiting.values()], served: [...this.served] };
  }

  get free(): number {
    let held = 0;
    for (const { slots } of this.holders.values()) held += slots;
    return this.capacity - held;
  }

  resize(capacity: number): SlotNews[] {
    this.capacity = capacity;
    return [...this.grant(), ...this.refuseStuck(), ...[...this.waiting.values()].flatMap((request) => this.shortage(request))];
  }

  private shortage(request: SlotRequest): SlotNews[] {
    const { capacity } = this;
    return request.hearsShortage && request.slots > capacity ? [{ kind: 'short', request, capacity }] : [];
  }

  /** Takes a request; one that is known already is answered again if it has been granted. */
  request(request: SlotRequest): SlotNews[] {
    if (this.holders.has(request.key)) return [{ kind: 'granted', request }];
    this.waiting.set(request.key, request);
    const news = [...this.grant(), ...this.refuseStuck()];
    if (!this.waiting.has(request.key)) return news;
    news.push(...this.shortage(request));
    if (request.onOverlap === 'skip' || request.onOverlap === 'cancel_new') {
      this.waiting.delete(request.key);
      return [...news, { kind: 'refused', request }];
    }
    const holder = [...this.holders.values()].find(({ key }) => !this.evicted.has(key));
    if (request.onOverlap !== 'cancel_running' || !holder) return news;
    this.evicted.add(holder.key);
    return [...news, { kind: 'cancel', holder }];
  }

  /** Frees what `key` holds or waits for; unknown keys are ignored. */
  release(key: string): SlotNews[] {
    const known = this.holders.delete(key) || this.waiting.delete(key);
    this.evicted.delete(key);
    return known ? [...this.grant(), ...this.refuseStuck()] : [];
  }

  /** Refuses those that would wait for ever: for slots that only those hold who wait for them. */
  private refuseStuck(): SlotNews[] {
    const news: SlotNews[] = [];
    for (const request of [...this.waiting.values()]) {
      if (request.slots > this.capacity || !request.behind?.some((key) => this.holders.has(key))) continue;
      const awaited = new Set([...this.waiting.values()].flatMap(({ behind = [] }) => behind));
      let possible = this.free;
      for (const { key, slots } of this.holders.values()) if (!awaited.has(key)) possible += slots;
      if (request.slots <= possible) continue;
      this.waiting.delete(request.key);
      news.push({ kind: 'refused', request });
    }
    return news;
  }

  private grant(): SlotNews[] {
    const news: SlotNews[] = [];
    for (let request = this.next(); request && request.slots <= this.free; request = this.next()) {
      this.waiting.delete(request.key);
      this.holders.set(request.key, request);
      this.served.delete(request.group);
      this.served.add(request.group);
      news.push({ kind: 'granted', request });
    }
    return news;
  }

  private next(): SlotRequest | undefined {
    const held = new Map<string, number>();
    for (const { group, slots } of this.holders.values()) held.set(group, (held.get(group) ?? 0) + slots);
    const turns = [...this.served];
    let best: SlotRequest | undefined;
    const before = (a: SlotRequest, b: SlotRequest): boolean =>
      (a.priority - b.priority || (held.get(a.group) ?? 0) - (held.get(b.group) ?? 0) || turns.indexOf(a.group) - turns.indexOf(b.group)) <
      0;
    // One that wants more than there are waits for a larger capacity, and keeps nobody else waiting.
    for (const request of this.waiting.values()) if (request.slots <= this.capacity && (!best || before(request, best))) best = request;
    return best;
  }
}
