import type { SlotRequest, SlotState } from './slots.ts';

/** A request that waits for ever, and its pool. */
export interface StuckRequest {
  readonly pool: string;
  readonly request: SlotRequest;
}

/**
 * Finds requests that wait for slots which only tasks hold that wait for each other's runs, through any number of pools. Such tasks can wait
 * in a circle that no pool sees by itself.
 * @param pools by name; what cannot be asked is left out
 */
export function stuckRequests(pools: ReadonlyMap<string, SlotState>): StuckRequest[] {
  let stuck = [...pools].flatMap(([pool, { capacity, waiting }]) =>
    waiting.filter(({ slots }) => slots <= capacity).map((request) => ({ pool, request })),
  );
  for (;;) {
    // Whoever waits for a run that is stuck gives nothing back.
    const blocked = new Set(stuck.flatMap(({ request }) => request.behind ?? []));
    const left = stuck.filter(({ pool, request }) => {
      const { capacity = 0, holders = [] } = pools.get(pool) ?? {};
      const kept = holders.reduce((sum, { key, slots }) => sum + (blocked.has(key) ? slots : 0), 0);
      return request.slots > capacity - kept;
    });
    if (left.length === stuck.length) return left;
    stuck = left;
  }
}
