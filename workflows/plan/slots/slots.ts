/** What a run does when all slots are taken: it waits, it does not start, or the oldest active run is cancelled for it. */
export type OnOverlap = 'queue' | 'skip' | 'cancel_running' | 'cancel_new';

/** A request for slots, waiting or granted. Wire data. */
export interface SlotRequest {
  /** Unique: identifies the run and the part of it. */
  readonly key: string;
  /** The run that holds the slots. They are freed when it ends for any reason. */
  readonly workflowId: string;
  readonly runId: string;
  /** For people: `run`, or the name of a task. */
  readonly what: string;
  /** Requests of one group wait in line; groups take turns. Each pipeline is a group. */
  readonly group: string;
  readonly slots: number;
  /** 1 (first) to 5. */
  readonly priority: number;
  readonly onOverlap: OnOverlap;
  /** Whether to notify it when it requests more slots than exist; absent: sent by a release that does not handle this. */
  readonly hearsShortage?: boolean;
  /** The keys of slots held by those who wait for its run; absent: none. */
  readonly behind?: readonly string[];
}

/** The state of slots. Wire data. */
export interface SlotState {
  readonly capacity: number;
  readonly holders: readonly SlotRequest[];
  /** In order of arrival. */
  readonly waiting: readonly SlotRequest[];
  /** Groups in the order in which they were last served, the latest last. */
  readonly served: readonly string[];
}

/** A notification to send. */
export type SlotNews =
  | { readonly kind: 'granted' | 'refused'; readonly request: SlotRequest }
  /** The request exceeds the total capacity. It waits until the capacity is increased. */
  | { readonly kind: 'short'; readonly request: SlotRequest; readonly capacity: number }
  /** Cancel `holder` to free its slots. */
  | { readonly kind: 'cancel'; readonly holder: SlotRequest };

/**
 * Shared slots: never grants more than exist. Order of requests: highest priority first; among its groups, the one that holds the fewest
 * slots, then the one served longest ago; within a group, first come first served. A request for several slots blocks smaller requests
 * behind it, so it does not wait forever.
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

  /** Handles a request. A repeated request is answered again if it has been granted. */
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

  /** Frees the slots of `key`, or removes its request. Ignores unknown keys. */
  release(key: string): SlotNews[] {
    const known = this.holders.delete(key) || this.waiting.delete(key);
    this.evicted.delete(key);
    return known ? [...this.grant(), ...this.refuseStuck()] : [];
  }

  /** Refuses requests that would wait forever because every slot they need is held by those who wait for them. */
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
    // A request that exceeds the capacity waits for a larger capacity, without blocking others.
    for (const request of this.waiting.values()) if (request.slots <= this.capacity && (!best || before(request, best))) best = request;
    return best;
  }
}
