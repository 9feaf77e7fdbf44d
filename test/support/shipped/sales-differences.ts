import fc from 'fast-check';
import { type Sale, sale } from './sales-days.ts';

/** What happened to a sale in the warehouse. */
type Fate =
  | 'the same'
  | 'missing'
  /** Only the warehouse has the sale. */
  | 'extra'
  /** The warehouse, or the shop, has the sale on another day, which is not compared. */
  | 'moved in the warehouse'
  | 'moved in the shop'
  | 'another total'
  | 'another region'
  | 'another second';

/** A sale on each side; undefined if a side lacks it. A `null` time is on another day, which is not compared. */
export interface TwoSides {
  readonly shop: SideSale | undefined;
  readonly warehouse: SideSale | undefined;
}
type SideSale = Omit<Sale, 'at'> & { readonly at: number | null };

const fate = fc.constantFrom<Fate>(
  ...Array.from({ length: 12 }, (): Fate => 'the same'),
  ...(['missing', 'extra', 'moved in the warehouse', 'moved in the shop', 'another total', 'another region', 'another second'] as const),
);

/** Days in the shop and the warehouse: some are equal, some have no common rows, some are empty on one or both sides. */
export const differingDays: fc.Arbitrary<readonly TwoSides[]> = fc
  .tuple(
    fc.array(fc.tuple(sale, fate), { maxLength: 80 }),
    fc.constantFrom<Fate | undefined>(undefined, undefined, 'the same', 'missing', 'extra'),
  )
  .map(([sales, all]) => sales.map(([one, own]) => sidesOf(one, all ?? own)));

function sidesOf(one: Sale, own: Fate): TwoSides {
  const elsewhere = { ...one, at: null };
  const [shop, warehouse] = {
    'the same': [one, one],
    missing: [one, undefined],
    extra: [undefined, one],
    'moved in the warehouse': [one, elsewhere],
    'moved in the shop': [elsewhere, one],
    'another total': [one, { ...one, cents: one.cents + 1 }],
    'another region': [one, { ...one, region: `${one.region}\u0301` }],
    'another second': [one, { ...one, at: (one.at + 1_000_000) % 86_400_000_000 }],
  }[own];
  return { shop, warehouse };
}

/** The expected differences of the day, without rows that a side has on another day. */
export function differencesOf(day: readonly TwoSides[]): { compared: number; changed: number; missing: number; extra: number } {
  const found = { compared: 0, changed: 0, missing: 0, extra: 0 };
  for (const { shop, warehouse } of day) {
    const [here, there] = [shop, warehouse].map((side) => (side === undefined || side.at === null ? undefined : side));
    if (!here && !there) continue;
    found.compared += 1;
    if (!there) found.missing += 1;
    else if (!here) found.extra += 1;
    else if (JSON.stringify(here) !== JSON.stringify(there)) found.changed += 1;
  }
  return found;
}
