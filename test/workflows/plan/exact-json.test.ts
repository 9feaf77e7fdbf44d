import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { Decimal } from '../../../workflows/plan/values/decimal.ts';
import { exactJsonText, identityText, numberOf, numberOfDouble, parseExactJson } from '../../../workflows/plan/values/exact-json.ts';
import { Evaluator, ExpressionFailed } from '../../../workflows/plan/expressions/evaluator.ts';
import { isExactNumber, type Json, type JsonObject } from '../../../workflows/plan/values/json.ts';
import { resolveRunParams } from '../../../workflows/plan/runs/run-params.ts';
import { caseCount } from '../../support/random-cases.ts';

const digits = (max: number): fc.Arbitrary<string> => fc.stringMatching(new RegExp(`^[0-9]{1,${max}}$`));
/** Numbers as JSON writes them, of all sizes. */
const numberText = fc
  .tuple(
    fc.constantFrom('', '-'),
    digits(25).map((text) => text.replace(/^0+(?=\d)/, '')),
    fc.option(digits(25), { nil: undefined }),
    fc.option(fc.integer({ min: -400, max: 400 }), { nil: undefined }),
  )
  .map(
    ([sign, whole, fraction, exponent]) =>
      `${sign}${whole}${fraction === undefined ? '' : `.${fraction}`}${exponent === undefined ? '' : `e${exponent}`}`,
  );
/** Documents as text, for JavaScript has no values for them. */
const { document } = fc.letrec<{ document: string }>((tie) => ({
  document: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    numberText,
    fc.oneof(fc.string(), fc.constantFrom('9007199254740993', '"$number":"12', ': 1e400,', '\\')).map((text) => JSON.stringify(text)),
    fc.constantFrom('true', 'null'),
    fc.array(tie('document'), { maxLength: 4 }).map((parts) => `[${parts.join(', ')}]`),
    fc.array(tie('document'), { maxLength: 4 }).map((parts) => `{${parts.map((part, index) => `"k${index}" :${part}`).join(',')}}`),
  ),
}));

/** The numbers of a document in order, by value. */
function numbersIn(value: Json): string[] {
  if (typeof value === 'number') return [Decimal.of(value).canonical()];
  if (isExactNumber(value)) return [Decimal.of(value.$number).canonical()];
  return typeof value === 'object' && value !== null ? Object.values(value as JsonObject).flatMap((each) => numbersIn(each ?? null)) : [];
}

describe('numbers in JSON', () => {
  it('keep their value from text to value to text, in any context', () => {
    fc.assert(
      fc.property(document, (text) => {
        const value = parseExactJson(text);
        const written = text.match(/"(?:[^"\\]|\\.)*"|-?\d[\d.e-]*/g)?.filter((token) => !token.startsWith('"')) ?? [];
        const expected = written.map((token) => Decimal.of(token).canonical());
        assert.deepEqual(numbersIn(value), expected);
        assert.deepEqual(numbersIn(parseExactJson(exactJsonText(value))), expected);
        // Temporal's payloads are plain JSON.
        assert.deepEqual(JSON.parse(JSON.stringify(value)), JSON.parse(JSON.stringify(parseExactJson(exactJsonText(value, 2)))));
      }),
      { numRuns: caseCount(3_000), seed: 8 },
    );
  });

  it('are those of JavaScript wherever it keeps them, and text only where it does not', () => {
    for (const text of ['0', '-1', '9007199254740991', '0.1', '0.30000000000000004', '1e3', '5e-324', '1.10'])
      assert.equal(numberOf(text), Number(text), text);
    for (const text of ['9007199254740992', '9007199254740993', '1e22', '1e400', '-1e-400', '0.1000000000000000055', '12345678901234567.5'])
      assert.deepEqual(numberOf(text), { $number: text });
    for (const text of ['', '01', '+1', '1.', 'NaN', 'Infinity', '0x10', '1 ']) assert.equal(numberOf(text), null, text);
  });

  it('are read of every double, and no other document is touched', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        assert.deepEqual(parseExactJson(`[${JSON.stringify(value)}]`), [Object.is(value, -0) ? 0 : numberOfDouble(value)]);
      }),
    );
    fc.assert(
      fc.property(fc.json(), (text) =>
        assert.equal(JSON.stringify(JSON.parse(exactJsonText(parseExactJson(text)))), JSON.stringify(JSON.parse(text))),
      ),
    );
    for (const text of ['{"a":}', '[01234567890123456789]', '[1e999', '12345678901234567890x'])
      assert.throws(() => parseExactJson(text), SyntaxError);
  });

  it('compare and add up as decimal numbers do', () => {
    const scaled = fc.tuple(fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }), fc.integer({ min: -20, max: 20 }));
    fc.assert(
      fc.property(scaled, scaled, ([a, x], [b, y]) => {
        const [left, right] = [Decimal.of(`${a}e${x}`), Decimal.of(`${b}e${y}`)];
        const [m, n] = [a * 10n ** BigInt(x + 20), b * 10n ** BigInt(y + 20)];
        assert.equal(Math.sign(left.compare(right)), m < n ? -1 : m > n ? 1 : 0);
        assert.equal(left.plus(right).compare(Decimal.of(`${m + n}e-20`)), 0);
        assert.equal(left.minus(right).compare(Decimal.of(`${m - n}e-20`)), 0);
        assert.equal(left.times(right).compare(Decimal.of(`${m * n}e-40`)), 0);
      }),
    );
    assert.ok(Decimal.of('1e999999999').compare(Decimal.of('1e-999999999')) > 0);
    assert.throws(() => Decimal.of('1e999999999').plus(Decimal.of(1)), RangeError);
  });

  it('are whole numbers and decimals in expressions, and exact in every comparison', () => {
    const evaluator = new Evaluator();
    const order = {
      '<': (a: number) => a < 0,
      '<=': (a: number) => a <= 0,
      '==': (a: number) => a === 0,
      '>': (a: number) => a > 0,
    } as const;
    fc.assert(
      fc.property(numberText, numberText, fc.constantFrom('<', '<=', '==', '>'), (a, b, operator) => {
        const event = parseExactJson(`{"a": ${a}, "b": ${b}}`);
        // CEL's own doubles are compared as doubles: they are equal where their texts are.
        assert.equal(
          evaluator.evaluate(`event.a ${operator} event.b`, { event }),
          order[operator](Decimal.of(a).compare(Decimal.of(b))),
          `${a} ${operator} ${b}`,
        );
      }),
      { seed: 8, numRuns: caseCount(2_000) },
    );
    const event = parseExactJson(
      '{"id": 9007199254740993, "huge": 123456789012345678901234567890, "tiny": 0.1000000000000000055, "endless": 1e400, "five": 5}',
    );
    const says = (source: string): Json => evaluator.evaluate(source, { event });
    for (const source of [
      'event.id > 9007199254740992',
      'event.id == 9007199254740993 && event.id != 9007199254740992',
      'event.huge > event.id && event.huge > 1.5 && 5 < event.huge',
      'event.tiny > 0.1 && 0.1 != event.tiny && event.tiny < 0.11',
      'event.endless > 1.0e308 && -event.endless < -1.0e308 && event.endless < 1.0 / 0.0',
      'event.huge - event.huge == 0 && event.huge + 1 > event.huge && event.huge * event.five > event.huge',
      'event.huge == event.huge && [event.huge] == [event.huge]',
      'string(event.id) == "9007199254740993" && string(event.tiny) == "0.1000000000000000055"',
      'double(event.tiny) == 0.1 && int(event.tiny) == 0',
    ])
      assert.equal(says(source), true, source);
    assert.throws(() => says('event.huge / 0'), ExpressionFailed);
    assert.equal(evaluator.render('{{ event.endless }}: {{ event.id }}', { event }), '1e400: 9007199254740993');
    assert.equal(
      evaluator.render("INSERT ({{ event.id }}, {{ -event.huge }}, '{{ event.tiny }}')", { event }, 'sql'),
      "INSERT (9007199254740993, (-123456789012345678901234567890), '0.1000000000000000055')",
    );
  });

  it('fit the schemas of parameters, with their bounds', () => {
    const params = {
      id: { schema: { type: 'integer', minimum: { $number: '9007199254740993' }, maximum: { $number: '9007199254740995' } } },
      price: { schema: { type: 'number', exclusiveMinimum: 0 } },
      any: { schema: { type: ['object', 'string'] } },
    };
    const mistakes = (given: string): string[] => resolveRunParams({ dagId: 'a', params }, parseExactJson(given) as JsonObject).mistakes;
    assert.deepEqual(mistakes('{"id": 9007199254740994, "price": 0.1000000000000000055, "any": {}}'), []);
    assert.deepEqual(mistakes('{"id": 9007199254740996, "price": -1e-400, "any": 9007199254740993}'), [
      "'id' must be at most 9007199254740995, not 9007199254740996.",
      "'price' must be more than 0, not -1e-400.",
      "'any' must be a map or text, not 9007199254740993.",
    ]);
    assert.deepEqual(mistakes('{"id": 9007199254740994.5, "price": "1", "any": {}}'), [
      "'id' must be a whole number, not 9007199254740994.5.",
      '\'price\' must be a number, not "1".',
    ]);
  });

  it('have one identity, however they were written', () => {
    const identities = ['12345678901234567890', '12345678901234567890.0', '1234567890123456789e1', '1.234567890123456789e19'];
    assert.deepEqual([...new Set(identities.map((text) => identityText(numberOf(text))))], ['12345678901234567890']);
    assert.notEqual(identityText(numberOf('9007199254740993')), identityText(numberOf('9007199254740992')));
  });

  it('are read in time that grows with the text', () => {
    for (const text of [
      `[${'9'.repeat(200_000)}]`,
      `["${'1e4,'.repeat(50_000)}"]`,
      `[${'1e400,'.repeat(20_000)}1]`,
      `"${': '.repeat(100_000)}"`,
    ]) {
      const began = process.hrtime.bigint();
      parseExactJson(text);
      assert.ok(process.hrtime.bigint() - began < 3_000_000_000n, text.slice(0, 20));
    }
  });
});
