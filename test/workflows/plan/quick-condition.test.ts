import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { parseExactJson } from '../../../workflows/plan/values/exact-json.ts';
import { Evaluator, ExpressionFailed } from '../../../workflows/plan/expressions/evaluator.ts';
import type { Json } from '../../../workflows/plan/values/json.ts';
import { caseCount } from '../../support/random-cases.ts';

const evaluator = new Evaluator();

/** What CEL says; undefined when it fails. */
function celSays(condition: string, event: Json): unknown {
  try {
    return evaluator.evaluate(condition, { event });
  } catch (error) {
    assert.ok(error instanceof ExpressionFailed);
    return undefined;
  }
}

describe('quick conditions', () => {
  const literal = fc.oneof(
    fc.integer({ min: -3, max: 3 }).map(String),
    fc.constantFrom('0.7', '1.0', '-2.5', '"a"', '"b"', 'true', 'false', 'null', '9007199254740993'),
  );
  const field = fc.constantFrom('event.a', 'event.b', 'event.b.c', 'event["a"]', 'event');
  const comparison = fc
    .tuple(field, fc.constantFrom('==', '!=', '<', '<=', '>', '>='), literal, fc.boolean())
    .map(([name, operator, value, turned]) => (turned ? `${value} ${operator} ${name}` : `${name} ${operator} ${value}`));
  const { condition } = fc.letrec<{ condition: string }>((tie) => ({
    condition: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      comparison,
      fc.tuple(tie('condition'), fc.constantFrom('&&', '||'), tie('condition')).map(([a, operator, b]) => `(${a} ${operator} ${b})`),
      tie('condition').map((inner) => `!(${inner})`),
    ),
  }));
  const value = fc.oneof(fc.integer({ min: -3, max: 3 }), fc.constantFrom(0.7, -2.5, 'a', 'b', '', true, false, null, 9007199254740992));
  const event = fc.record({ a: value, b: fc.oneof(value, fc.record({ c: value })) }, { requiredKeys: [] });

  it('return what CEL returns, or nothing', () => {
    let said = 0;
    fc.assert(
      fc.property(condition, event, (text, json) => {
        const answer = evaluator.quick(text)?.({ event: json });
        if (answer === undefined) return;
        said++;
        assert.equal(answer, celSays(text, json as Json), `${text} of ${JSON.stringify(json)}`);
      }),
      { numRuns: caseCount(20_000), seed: 42 },
    );
    assert.ok(said > caseCount(500), `only ${said} were said anything of`);
  });

  it('say of rounded numbers what CEL says of them as they were written, or nothing', () => {
    let said = 0;
    const near = fc.constantFrom(
      '0.7',
      '0.70000000000000001',
      '0.69999999999999999',
      '0.7000000000000001',
      '1e400',
      '-1e400',
      '2.0',
      '9007199254740993',
      '3',
    );
    fc.assert(
      fc.property(near, fc.constantFrom('<', '<=', '>', '>='), fc.constantFrom('0.7', '2', '2.0', '-3'), (text, operator, literal) => {
        const json = `{"a": ${text}}`;
        const answer = evaluator.quick(`event.a ${operator} ${literal}`)?.({ event: JSON.parse(json) as Json }, true);
        if (answer === undefined) return;
        said++;
        assert.equal(answer, celSays(`event.a ${operator} ${literal}`, parseExactJson(json)), `${text} ${operator} ${literal}`);
      }),
      { numRuns: 1_000, seed: 42 },
    );
    assert.ok(said > 500, `only ${said} were said anything of`);
  });

  it('know the usual filter, and leave the unusual to CEL', () => {
    const quick = evaluator.quick('event.kind == "view" && event.score > 0.7');
    assert.equal(quick?.({ event: { kind: 'view', score: 1 } }), true);
    assert.equal(quick?.({ event: { kind: 'like' } }), false);
    assert.equal(quick?.({ event: { kind: 'view' } }), undefined);
    assert.equal(evaluator.quick('event.items.exists(i, i > 3)'), undefined);
  });
});
