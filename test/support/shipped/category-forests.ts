import fc from 'fast-check';

/** A row of product_categories, as text. */
export interface Category {
  readonly id: bigint;
  readonly parent: bigint | null;
  readonly name: string;
  readonly description: string | null;
  readonly commission: string | null;
  readonly isActive: boolean;
}

/** The columns that dim_product_categories adds to a category. */
export interface Place {
  readonly root: bigint;
  readonly level: number;
  readonly path: string;
}

const TEXTS = [
  'Books',
  'books',
  'caf\u00e9',
  'cafe\u0301',
  'a,b',
  '"quoted"',
  'q"',
  "it's",
  'x\ny',
  'x\r\ny',
  '\\N',
  'NULL',
  '',
  ' ',
  ' > ',
  '🦥',
  'כתב',
  '価格',
];

/** Distance between the ids of two forests. */
const SPAN = 1_000n;

/**
 * Generates a few trees, chains, cycles and orphans of categories, with ids in random order. A parent may be missing, another category, the
 * category itself, or an id that does not exist.
 */
const forest = fc
  .array(
    fc.record({
      number: fc.integer({ min: 0, max: 999 }),
      parent: fc.oneof(
        fc.constantFrom<'none' | 'itself' | 'unknown' | 'the one before'>('none', 'itself', 'unknown', 'the one before', 'the one before'),
        fc.nat(),
      ),
      name: fc.constantFrom(...TEXTS),
      description: fc.constantFrom(null, ...TEXTS),
      commission: fc.constantFrom(null, '0.0000', '0.1500', '99.9999', '-0.0001'),
      isActive: fc.boolean(),
    }),
    { minLength: 1, maxLength: 25 },
  )
  .map((nodes) => [...new Map(nodes.map((node) => [node.number, node])).values()])
  .map((nodes) =>
    nodes.map(({ number, parent, ...rest }, index): Category & { readonly parentIndex: number | null } => ({
      ...rest,
      id: BigInt(number),
      parent: parent === 'unknown' ? 5_000_000_000_000n : null,
      parentIndex:
        typeof parent === 'number'
          ? parent % nodes.length
          : parent === 'itself'
            ? index
            : parent === 'the one before' && index > 0
              ? index - 1
              : null,
    })),
  );

/** Several forests in one table. */
export const categoryForests: fc.Arbitrary<readonly Category[]> = fc.array(forest, { minLength: 60, maxLength: 60 }).map((forests) =>
  forests.flatMap((nodes, place) => {
    const base = BigInt(place) * SPAN;
    return nodes.map(({ parentIndex, ...node }) => ({
      ...node,
      id: base + node.id,
      parent: parentIndex === null ? node.parent : base + (nodes[parentIndex]?.id ?? 0n),
    }));
  }),
);

/** The place of each category, found by walking up from each, without SQL or Spark. */
export function placesOf(categories: readonly Category[]): Map<bigint, Place> {
  const known = new Map(categories.map((category) => [category.id, category]));
  const cut = new Set<bigint>();
  const parentOf = ({ id, parent }: Category): Category | undefined => (parent === null || cut.has(id) ? undefined : known.get(parent));
  for (const category of categories) {
    const seen: bigint[] = [];
    for (let at: Category | undefined = category; at; at = parentOf(at)) {
      const start = seen.indexOf(at.id);
      if (start >= 0) {
        cut.add(seen.slice(start).reduce((least, id) => (id < least ? id : least)));
        break;
      }
      seen.push(at.id);
    }
  }
  const placed = categories.map((category): [bigint, Place] => {
    const up: Category[] = [];
    for (let at: Category | undefined = category; at; at = parentOf(at)) up.unshift(at);
    return [category.id, { root: up[0]?.id ?? category.id, level: up.length, path: up.map(({ name }) => name).join(' > ') }];
  });
  return new Map(placed);
}
