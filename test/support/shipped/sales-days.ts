import fc from 'fast-check';

/** A sale or a refund of a day. */
export interface Sale {
  readonly product: number;
  readonly region: string;
  readonly quantity: number;
  /** Cents; negative for a refund. */
  readonly cents: number;
  /** Microseconds since the start of the day in UTC. */
  readonly at: number;
}

/** The remainder of a day's sales after refunds. */
type Net = 'as it comes' | 'a cent' | 'nothing' | 'less than nothing';

const LAST_MICROSECOND = 86_400_000_000 - 1;
/**
 * The letter é in two encodings, capitals, spaces, quotes, separators, line breaks, emoji, right-to-left text, the word NULL, an empty
 * text.
 */
const REGIONS = [
  'EU',
  'eu',
  'EU ',
  ' EU',
  'caf\u00e9',
  'cafe\u0301',
  'a,b',
  'q"q',
  "it's",
  'x\ny',
  '\\N',
  'NULL',
  '',
  '🦥',
  'ישראל',
  '日本',
];

export const sale: fc.Arbitrary<Sale> = fc.record({
  product: fc.oneof(fc.integer({ min: 1, max: 6 }), fc.constantFrom(0, -1, 2_147_483_647)),
  region: fc.constantFrom(...REGIONS),
  quantity: fc.integer({ min: -3, max: 5 }),
  cents: fc.oneof(
    fc.integer({ min: -2_000, max: 2_000 }),
    fc.constantFrom(0, 1, -1, 1_000),
    fc.integer({ min: -900_000_000, max: 900_000_000 }),
  ),
  at: fc.oneof(fc.constantFrom(0, 1, LAST_MICROSECOND), fc.integer({ min: 0, max: LAST_MICROSECOND })),
});

/** Days of a shop: with refunds, repeated sales, and up to thousands of products. */
export const salesDays: fc.Arbitrary<readonly Sale[]> = fc
  .record({
    sales: fc.array(fc.tuple(sale, fc.constantFrom(1, 1, 1, 2, 5)), { minLength: 1, maxLength: 60 }),
    products: fc.constantFrom(0, 0, 0, 3_000),
    net: fc.constantFrom<Net>('as it comes', 'as it comes', 'a cent', 'nothing', 'less than nothing'),
  })
  .map(({ sales, products, net }) => {
    const many = Array.from({ length: products }, (_, index) => ({
      product: 1_000 + index,
      region: 'EU',
      quantity: 1,
      cents: 100,
      at: index,
    }));
    const all = [...sales.flatMap(([one, times]) => Array.from({ length: times }, () => one)), ...many];
    const sum = all.reduce((cents, each) => cents + each.cents, 0);
    const left = { 'as it comes': sum, 'a cent': 1, nothing: 0, 'less than nothing': -5_000 }[net];
    return net === 'as it comes' ? all : [...all, { product: 7, region: 'EU', quantity: -1, cents: left - sum, at: 0 }];
  });

/** A row of daily_product_sales, as text. */
export type DailyRow = readonly [
  product: number,
  region: string,
  orders: number,
  quantity: number,
  revenue: string,
  share: string | null,
  rank: number,
];

/** The expected rows of daily_product_sales for a day: computed from its sales in whole cents, without SQL. */
export function dailyRows(sales: readonly Sale[]): DailyRow[] {
  const groups = new Map<string, Sale[]>();
  for (const each of sales) {
    const key = JSON.stringify([each.product, each.region]);
    groups.set(key, [...(groups.get(key) ?? []), each]);
  }
  const sums = [...groups.values()].map((group) => ({
    product: group[0]?.product ?? 0,
    region: group[0]?.region ?? '',
    orders: group.length,
    quantity: group.reduce((sum, { quantity }) => sum + quantity, 0),
    cents: group.reduce((sum, { cents }) => sum + cents, 0),
  }));
  const taken = sums.reduce((sum, { cents }) => sum + Math.max(cents, 0), 0);
  return sums
    .map(({ product, region, orders, quantity, cents }): DailyRow => {
      const better = sums.filter((other) => other.region === region && other.cents > cents).length;
      const share = taken === 0 ? null : decimal(millionths(Math.max(cents, 0), taken), 6);
      return [product, region, orders, quantity, decimal(BigInt(cents), 2), share, better + 1];
    })
    .sort(byProductAndRegion);
}

/** Sorts rows in JavaScript, because databases sort texts differently. */
export function byProductAndRegion(one: DailyRow, other: DailyRow): number {
  if (one[0] !== other[0]) return one[0] - other[0];
  return one[1] < other[1] ? -1 : Number(one[1] > other[1]);
}

/** A fraction in millionths, with halves rounded up. */
function millionths(part: number, whole: number): bigint {
  return (BigInt(part) * 2_000_000n + BigInt(whole)) / (2n * BigInt(whole));
}

function decimal(value: bigint, places: number): string {
  const digits = String(value < 0n ? -value : value).padStart(places + 1, '0');
  return `${value < 0n ? '-' : ''}${digits.slice(0, -places)}.${digits.slice(-places)}`;
}
