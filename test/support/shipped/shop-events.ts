import fc from 'fast-check';

/** An action of a user. */
export interface ShopEvent {
  readonly kind: 'view' | 'purchase' | 'search';
  /** As the shop writes it: a number, or a text of digits. */
  readonly product: number | string;
  readonly minutesAgo: number;
}

/** Never crosses the boundary of the last hour during a test, nor starts the first window. */
const minutesAgo = fc.oneof(fc.double({ min: 1, max: 50, noNaN: true }), fc.double({ min: 62, max: 63.5, noNaN: true }));

/** Actions on up to 40 products in the last hour and just before, unordered, with duplicates. */
export const shopEvents: fc.Arbitrary<readonly ShopEvent[]> = fc
  .array(
    fc.tuple(
      fc.record<ShopEvent>({
        kind: fc.constantFrom('view', 'view', 'purchase', 'search'),
        product: fc.integer({ min: 1_000, max: 1_039 }).chain((id) => fc.constantFrom(id, String(id))),
        minutesAgo,
      }),
      fc.constantFrom(1, 1, 1, 3),
    ),
    { minLength: 80, maxLength: 150 },
  )
  .map((events) => events.flatMap(([event, times]) => Array.from({ length: times }, () => event)));

/** The expected rows of product_popularity for these products: zeros for those without an action in the last hour. */
export function popularityOf(events: readonly ShopEvent[]): { product_id: string; views: string; purchases: string }[] {
  const counts = new Map<string, { views: number; purchases: number }>();
  for (const { kind, product, minutesAgo: age } of events) {
    if (kind === 'search') continue;
    const count = counts.get(String(product)) ?? { views: 0, purchases: 0 };
    counts.set(String(product), count);
    if (age < 60) count[kind === 'view' ? 'views' : 'purchases'] += 1;
  }
  return [...counts]
    .map(([id, { views, purchases }]) => ({ product_id: id, views: String(views), purchases: String(purchases) }))
    .sort((one, other) => Number(one.product_id) - Number(other.product_id));
}
