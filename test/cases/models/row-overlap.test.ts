import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { overlapOf } from '../../../activities/support/models/row-overlap.ts';

/** Conditions over two columns of small numbers, with what they mean. */
const OPERATORS: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '=': (a, b) => a === b,
  '>=': (a, b) => a >= b,
  '>': (a, b) => a > b,
  '<>': (a, b) => a !== b,
};

interface Condition {
  readonly sql: string;
  holds(row: readonly [number, number]): boolean;
}

const simple = fc
  .record({
    column: fc.constantFrom(0, 1),
    operator: fc.constantFrom(...Object.keys(OPERATORS)),
    value: fc.integer({ min: 0, max: 4 }),
    style: fc.constantFrom('plain', 'mirrored', 'quoted', 'between', 'parentheses', 'not', 'modulo'),
  })
  .map(({ column, operator, value, style }): Condition => {
    const name = column === 0 ? 'x' : 'y';
    const holds: Condition['holds'] = (row) => OPERATORS[operator]?.(row[column] ?? 0, value) ?? false;
    const mirrored = { '<': '>', '<=': '>=', '>': '<', '>=': '<=' }[operator] ?? operator;
    if (style === 'mirrored') return { sql: `${value} ${mirrored} T.${name.toUpperCase()}`, holds };
    if (style === 'quoted') return { sql: `"${name}"${operator}${value}::bigint`, holds };
    if (style === 'between')
      return { sql: `${name} BETWEEN 1 AND\n${value}`, holds: (row) => (row[column] ?? 0) >= 1 && (row[column] ?? 0) <= value };
    if (style === 'parentheses') return { sql: `((${name}) ${operator} ${value})`, holds };
    if (style === 'not') return { sql: `NOT (${name} ${operator} ${value})`, holds: (row) => !holds(row) };
    if (style === 'modulo')
      return { sql: `${name} % 2 ${operator} ${value}`, holds: (row) => OPERATORS[operator]?.((row[column] ?? 0) % 2, value) ?? false };
    return { sql: `${name} ${operator} ${value}`, holds };
  });

const either = fc
  .tuple(simple, simple)
  .map(([a, b]): Condition => ({ sql: `(${a.sql} OR ${b.sql})`, holds: (row) => a.holds(row) || b.holds(row) }));
const where = fc
  .array(fc.oneof({ weight: 6, arbitrary: simple }, { weight: 1, arbitrary: either }), { maxLength: 3 })
  .map((all): Condition => ({ sql: all.map(({ sql }) => sql).join(' and '), holds: (row) => all.every(({ holds }) => holds(row)) }));

const ROWS = [0, 1, 2, 3, 4, 5].flatMap((x) => [0, 1, 2, 3, 4, 5].map((y) => [x, y] as const));

describe('rows that two extracts have in common', function () {
  this.timeout('20s');
  it('is never wrong about random conditions', () => {
    const said = { some: 0, none: 0, unknown: 0 };
    fc.assert(
      fc.property(where, where, fc.boolean(), (a, b, asQuery) => {
        const found = overlapOf(
          { table: 'public.t', ...(a.sql !== '' && { where: a.sql }) },
          asQuery
            ? { query: `SELECT x, y FROM t${b.sql === '' ? '' : ` WHERE ${b.sql}`} ORDER BY x;` }
            : { table: 'T', ...(b.sql !== '' && { where: b.sql }) },
        );
        said[found] += 1;
        const common = ROWS.filter((row) => a.holds(row) && b.holds(row)).length;
        if (found === 'none') assert.equal(common, 0);
        // Conditions that no row meets take none in common with any.
        const isEmpty = ![a, b].every(({ holds }) => ROWS.some((row) => holds(row)));
        if (found === 'some') assert.ok(common > 0 || isEmpty);
      }),
      { seed: 20_261_128, numRuns: 2_000 },
    );
    assert.ok(said.some > 200 && said.none > 200, JSON.stringify(said));
  });

  const cases: readonly (readonly [string, string, 'some' | 'none' | 'unknown'])[] = [
    ["d < '2026-01-02'", "d >= '2026-01-02'", 'none'],
    ["d < '2026-01-02T00:00:00Z'", "d >= '2026-01-02 00:00:00+00' AND d < '2026-01-03 00:00+00'", 'none'],
    ["d >= '2026-01-01' AND d < '2026-01-03'", "d >= '2026-01-02' AND d < '2026-01-04'", 'some'],
    ["d < '2026-01-02'", "d >= '2026-01-02T00:00:00Z'", 'unknown'],
    ['d < {{ ds }}', "d  >= '{{ ds }}'", 'none'],
    ['d < {{ ds }}', 'd < {{ next_ds }}', 'some'],
    ['d < {{ ds }}', 'd >= {{ next_ds }}', 'unknown'],
    ['d < {{ ds }}', 'd < {{ ds }} AND kind = 1', 'some'],
    ["region = 'eu'", "region = 'us'", 'none'],
    ["region = 'eu'", "day = '2026-01-01'", 'unknown'],
    ["note = ' AND d > 1'", 'd < 1', 'unknown'],
    ['a IS NULL', 'a IS NOT NULL', 'none'],
    ['id % 10 <> 0', 'id % 10 = 0', 'none'],
    ['id % 10 < 8', 'id % 10 >= 8', 'none'],
    ['id % 3 = 0', 'id % 10 = 0', 'unknown'],
    ['d < 5 OR e < 5', 'd >= 5', 'unknown'],
    ['d < 5 -- AND e', 'd >= 5', 'unknown'],
    ['d < now()', 'd >= now()', 'none'],
    ['{{ params.where }}', '{{ params.where }}', 'some'],
    ['d->>1 = 2', 'd >= 2', 'unknown'],
  ];
  for (const [a, b, wanted] of cases) {
    it(`${a} | ${b}: ${wanted}`, () => {
      assert.equal(overlapOf({ table: 't', where: a }, { table: 't', where: b }), wanted);
      assert.equal(overlapOf({ table: 't', where: b }, { table: 't', where: a }), wanted);
    });
  }

  it('of queries, and of intervals', () => {
    const interval = (start: string, end: string) => ({ table: 't', incremental: { column: 'at', start, end } });
    const [first, second] = [
      interval('2026-01-01T00:00:00.000Z', '2026-01-02T00:00:00.000Z'),
      interval('2026-01-02T00:00:00.000Z', '2026-01-03T00:00:00.000Z'),
    ];
    assert.equal(overlapOf(first, second), 'none');
    assert.equal(overlapOf(first, interval('2026-01-01T12:00:00.000Z', '2026-01-02T12:00:00.000Z')), 'some');
    assert.equal(overlapOf(first, { table: 't' }), 'some');
    assert.equal(overlapOf(first, { table: 'other' }), 'none');
    assert.equal(overlapOf({ table: 'a.t' }, { table: 'b.t' }), 'none');
    assert.equal(overlapOf({ table: 't' }, { query: 'select * from public.t' }), 'some');
    for (const query of [
      'select count(*) from t',
      'select * from t join u using (id)',
      'select distinct a from t',
      'select * from t limit 5',
      'select * from t where a < 5 limit 5',
    ])
      assert.equal(overlapOf({ table: 't', where: 'a >= 5' }, { query }), 'unknown', query);
    assert.equal(overlapOf({ query: 'SELECT a\nFROM t JOIN u' }, { query: 'select a from t join u' }), 'some');
  });
});
