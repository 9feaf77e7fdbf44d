import type { SlotRequest, SlotState } from './slots.ts';

/** A request that waits forever, and its pool. */
export interface StuckRequest {
  readonly pool: string;
  readonly request: SlotRequest;
}

/**
 * Finds requests that wait for slots held only by tasks that wait for each other's runs, across any number of pools. Such a circle cannot
 * be detected within a single pool.
 * @param pools by name or id; pools that cannot be queried are omitted
 */
export function stuckRequests(pools: ReadonlyMap<string, SlotState>): StuckRequest[] {
  let stuck = [...pools].flatMap(([pool, { capacity, waiting }]) =>
    waiting.filter(({ slots }) => slots <= capacity).map((request) => ({ pool, request })),
  );
  for (;;) {
    // A holder that waits for a stuck run never releases its slots.
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
