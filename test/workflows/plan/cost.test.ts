import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { cost } from '../../../workflows/plan/expressions/cost.ts';
import { Evaluator, ExpressionFailed } from '../../../workflows/plan/expressions/evaluator.ts';
import type { Json } from '../../../workflows/plan/values/json.ts';
import { cpuTimer } from '../../support/cpu-time.ts';

const numbers = (count: number): Json => Array.from({ length: count }, (_, n) => n);
const texts = (count: number, length: number): Json => Array.from({ length: count }, (_, n) => 'x'.repeat(length) + n);
const nested = (depth: number): Json => {
  let value: Json = 1;
  for (let level = 0; level < depth; level++) value = level % 2 === 0 ? [value] : { a: value };
  return value;
};

/**
 * CPU time that an evaluation may take here, in milliseconds: tens on an idle machine, and ten times that in three processes on two busy
 * cores. Without a bound it is minutes.
 */
const LONGEST = 1_000;

const tags = { tags: numbers(75_000), blocked: (numbers(75_000) as number[]).map((n) => n + 1e6) };
const long = { a: `${'a'.repeat(500_000)}b`, b: `${'a'.repeat(250_000)}c`, p: `%${'a'.repeat(2_000)}c%` };

/** Every operator, function and loop whose cost grows with what an event holds, each with an event that would stop a process. */
const TOO_COSTLY: Readonly<Record<string, [expression: string, event: Json]>> = {
  'in, in a loop': ['event.tags.exists(t, t in event.blocked)', tags],
  'in, in another loop': ['event.tags.all(t, !(t in event.blocked))', tags],
  'in, in a loop that keeps': ['size(event.tags.filter(t, t in event.blocked)) > 0', tags],
  'in, in a loop that counts': ['event.tags.exists_one(t, t in event.blocked)', tags],
  'in, and what would be true anyway': ['event.tags.exists(t, t in event.blocked) || true', tags],
  'a loop in a loop': ['event.tags.exists(t, event.blocked.exists(b, b == t))', tags],
  'a loop in a loop, of a map': [
    'event.m.exists(k, event.m.exists(l, k + l == ""))',
    { m: Object.fromEntries((numbers(20_000) as number[]).map((n) => [`k${n}`, n])) },
  ],
  'lists that are compared': ['event.tags.exists(t, event.tags == event.same && t < 0)', { tags: numbers(20_000), same: numbers(20_000) }],
  'maps in a list': [
    'event.l.exists(x, x in event.k)',
    { l: Array.from({ length: 500 }, () => numbers(500)), k: Array.from({ length: 500 }, () => [...(numbers(499) as number[]), -1]) },
  ],
  like: ['event.a.like(event.p)', long],
  'like, in a loop': ['event.l.exists(x, x.like("%b%c%"))', { l: texts(40_000, 100) }],
  contains: ['event.a.contains(event.b)', long],
  indexOf: ['event.a.indexOf(event.b) > 0', long],
  lastIndexOf: ['event.a.lastIndexOf(event.b) > 0', long],
  split: ['size(event.a.split(event.b)) > 1', long],
  'texts that grow': ['size(event.l.map(x, event.a + x + event.a)) > 0', { ...long, l: texts(2_000, 1) }],
  'texts in a product': ['event.l.map(x, event.l.map(y, x + y))', { l: texts(2_000, 10) }],
  'case of texts': ['event.l.exists(x, (event.a + x).upperAscii() == "")', { ...long, l: texts(2_000, 1) }],
  'lists that grow': ['event.l.exists(x, size(event.l + event.l) < 0)', { l: numbers(50_000) }],
  join: ['event.l.exists(x, event.l.join("") == x)', { l: texts(5_000, 10) }],
  'size of maps': [
    'event.l.exists(x, size(event.m) == x)',
    { l: numbers(50_000), m: Object.fromEntries((numbers(5_000) as number[]).map((n) => [`k${n}`, n])) },
  ],
  'long numbers': ['event.l.exists(x, event.n * event.n == x)', { l: numbers(50_000), n: { $number: '7'.repeat(9_000) } }],
  'a value that is large': ['size(event.l) > 0', { l: numbers(2_100_000) }],
  'a bound value': ['cel.bind(x, event.a + event.a, event.l.all(y, x == event.a + event.a))', { ...long, l: numbers(5_000) }],
};

/** What analysts write, over events of a usual size. */
const USUAL: readonly [expression: string, event: Json, value: Json][] = [
  [
    'event.items.exists(i, i.sku == "x9" && i.count > 3)',
    { items: Array.from({ length: 5_000 }, (_, n) => ({ sku: `x${n}`, count: 4 })) },
    true,
  ],
  ['event.tags.exists(t, t in event.blocked)', { tags: numbers(500), blocked: [499] }, true],
  ['event.text.like("%needle%")', { text: `${'hay '.repeat(50_000)}needle` }, true],
  ['event.text.contains("needle")', { text: `${'hay '.repeat(200_000)}needle` }, true],
  ['size(event.rows.map(r, r.id)) == 20000', { rows: Array.from({ length: 20_000 }, (_, id) => ({ id })) }, true],
  ['event.a == event.b', { a: texts(10_000, 50), b: texts(10_000, 50) }, true],
];

const characters = (count: number): string => 'a'.repeat(count);
const map = (count: number): Json => Object.fromEntries((numbers(count) as number[]).map((n) => [`k${n}`, n]));

/** What takes time by the size of an event, or by its square: its steps have to grow with it, on a machine of whatever speed. */
const GROWS: Readonly<Record<string, [power: 1 | 2, expression: string, eventOf: (size: number) => Json]>> = {
  'in, in a loop': [2, 'event.a.exists(t, t in event.b)', (n) => ({ a: numbers(n), b: (numbers(n) as number[]).map((x) => -1 - x) })],
  'a loop in a loop': [2, 'event.a.exists(t, event.a.exists(u, u == -1))', (n) => ({ a: numbers(n) })],
  'maps in a list': [2, '[event.m] in event.l', (n) => ({ m: map(n), l: Array.from({ length: n }, () => [map(n)]) })],
  like: [2, 'event.a.like(event.p)', (n) => ({ a: `${characters(n * 20)}b`, p: `%${characters(n)}c%` })],
  contains: [2, 'event.a.contains(event.p)', (n) => ({ a: characters(n * 20), p: `${characters(n)}b` })],
  indexOf: [2, 'event.a.indexOf(event.p) == 1', (n) => ({ a: characters(n * 20), p: `${characters(n)}b` })],
  lastIndexOf: [2, 'event.a.lastIndexOf(event.p) == 1', (n) => ({ a: characters(n * 20), p: `${characters(n)}b` })],
  split: [2, 'size(event.a.split(event.p)) == 1', (n) => ({ a: characters(n * 20), p: `${characters(n)}b` })],
  'products of long numbers': [2, 'event.n * event.n > 1', (n) => ({ n: { $number: '7'.repeat(n * 15) } })],
  '== of texts': [1, 'event.a == event.b', (n) => ({ a: characters(n * 100), b: characters(n * 100) })],
  '== of lists': [1, 'event.a == event.b', (n) => ({ a: numbers(n), b: numbers(n) })],
  '== of maps': [1, 'event.a == event.b', (n) => ({ a: map(n), b: map(n) })],
  '== of lists of lists': [1, 'event.a == event.b', (n) => ({ a: [numbers(n)], b: [numbers(n)] })],
  '+ of texts': [1, 'event.a + event.a != ""', (n) => ({ a: characters(n * 100) })],
  '+ of lists': [1, 'size(event.a + event.a) > 0', (n) => ({ a: numbers(n) })],
  map: [1, 'size(event.a.map(x, x)) > 0', (n) => ({ a: numbers(n) })],
  join: [1, 'event.a.join(",") != ""', (n) => ({ a: texts(n, 5) })],
  'size of a map': [1, 'size(event.a) > 0', (n) => ({ a: map(n) })],
  'capital letters': [1, 'event.a.upperAscii() != ""', (n) => ({ a: characters(n * 100) })],
  'reading a value': [1, 'event.n == 1', (n) => ({ n: 1, a: numbers(n) })],
};

describe('the cost of expressions', () => {
  for (const [name, [power, expression, eventOf]] of Object.entries(GROWS)) {
    it(`grows with ${power === 1 ? 'the size' : 'the square of the size'} of an event: ${name}`, () => {
      const stepsFor = (size: number): number => {
        new Evaluator().evaluate(expression, { event: eventOf(size) });
        return cost.steps;
      };
      const [small, large] = [stepsFor(50), stepsFor(200)];
      assert.ok(large >= 0.6 * small * 4 ** power, `${small} steps, and ${large} for four times as much`);
      assert.ok(large >= 200 ** power / 16, `${large} steps`);
    });
  }

  for (const [name, [expression, event]] of Object.entries(TOO_COSTLY)) {
    it(`is bounded: ${name}`, () => {
      const evaluator = new Evaluator();
      for (const time of ['first', 'second']) {
        const took = cpuTimer();
        assert.throws(
          () => evaluator.evaluate(expression, { event }),
          (error) => error instanceof ExpressionFailed && /would take too long: it needs more than 2,000,000 steps/.test(error.message),
          time,
        );
        assert.ok(took() < LONGEST, `${time}: ${took()} ms`);
      }
    });
  }

  it('leaves what is usual, and an evaluation is not charged for the one before', () => {
    const evaluator = new Evaluator();
    for (let time = 0; time < 3; time++) {
      for (const [expression, event, value] of USUAL) assert.deepEqual(evaluator.evaluate(expression, { event }), value, expression);
    }
  });

  it('depth and digits are bounded too, with the reason', () => {
    const evaluator = new Evaluator();
    assert.throws(() => evaluator.evaluate('event.a == 1', { event: { a: nested(5_000) } }), /nested more than 200 levels deep/);
    assert.equal(evaluator.evaluate('event.a == 1', { event: { a: nested(150) } }), false);
    const took = cpuTimer();
    assert.throws(() => evaluator.evaluate('event.a > 1', { event: { a: { $number: '9'.repeat(900_000) } } }), /900000 digits/);
    assert.ok(took() < LONGEST);
  });
});
