import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { keyedId, keyText, sourceId } from '../../sensors/events/event-id.ts';
import { hasDotSegment } from '../../workflows/plan/values/dot-segments.ts';
import { canonicalJson, type Json } from '../../workflows/plan/values/json.ts';
import type { Plan } from '../../workflows/plan/plan.ts';
import type { TriggerPlan } from '../../workflows/plan/trigger.ts';
import { caseCount } from '../support/random-cases.ts';

const trigger = (name: string): TriggerPlan => ({
  name,
  type: 'kafka',
  mode: { kind: 'each' },
  onInvalid: 'dead_letter',
  parallelism: 1,
  source: {},
});
const planOf = (...triggers: readonly TriggerPlan[]): Plan => ({
  format: 1,
  dagId: 'ids',
  hash: '',
  tags: [],
  schedule: null,
  tasks: [],
  triggers,
});
const [m, other] = [trigger('m'), trigger('other')];
const alone = (key: Json): string => keyedId(planOf(m), m, key).id;

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.constantFrom(
    '1',
    'null',
    'true',
    '1.0',
    '1e2',
    '',
    '..',
    '.',
    'a/../b',
    '../..',
    '%2e%2e',
    'a/%2E./b',
    'a/..;x/b',
    'a\\..\\b',
    '\u001b[2J',
    '\ud800',
    '\udfff',
    '\ufffd',
    '"1"',
    '~',
    '~m~1',
    '[1]',
    '{"a":1}',
    'orders-0-17',
    'x'.repeat(1_500),
    'ü'.repeat(200),
    `${'\ud800'.repeat(300)}`,
    'a'.repeat(64),
    ' a',
    'a ',
  ),
  fc.integer().map(String),
  fc.tuple(fc.constantFrom('a', 'b-1'), fc.nat(3), fc.nat(9)).map(([topic, partition, offset]) => `${topic}-${partition}-${offset}`),
);
const key: fc.Arbitrary<Json> = fc.oneof(
  text,
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.boolean(),
  fc.constant(null),
  fc.array(fc.oneof(text, fc.integer()), { maxLength: 2 }),
);

describe('ids of events', () => {
  it('are bounded, printable ASCII, and shift no path', () => {
    fc.assert(
      fc.property(key, fc.boolean(), (value, isAlone) => {
        const { id } = keyedId(isAlone ? planOf(m) : planOf(m, other), m, value);
        for (const each of [id, sourceId(String(value)).id]) {
          assert.match(each, /^[\x20-\x7e]{1,420}$/);
          assert.ok(!hasDotSegment(each), each);
        }
      }),
      { numRuns: caseCount(5_000) },
    );
  });

  it('are one for each value of each trigger: its type counts', () => {
    fc.assert(
      fc.property(key, key, (a, b) => {
        const [plan, same] = [
          planOf(m, other),
          canonicalJson(a) === canonicalJson(b) || (typeof a === 'number' && typeof b === 'number' && a === b),
        ];
        assert.equal(alone(a) === alone(b), same, `${JSON.stringify(a)} and ${JSON.stringify(b)}`);
        assert.equal(keyedId(plan, m, a).id === keyedId(plan, m, b).id, same);
        assert.notEqual(keyedId(plan, m, a).id, keyedId(plan, other, b).id);
      }),
      { numRuns: caseCount(20_000) },
    );
  });

  it('by a key are never those of a place in a topic, whose record anybody may choose', () => {
    fc.assert(
      fc.property(key, fc.constantFrom('a', 'a-1', 'a.b'), fc.nat(3), fc.nat(9), (value, topic, partition, offset) => {
        for (const place of [`${topic}-${partition}-${offset}`, `${topic}@AbC-_09-${partition}-${offset}`]) {
          assert.equal(sourceId(place).id, place);
          assert.notEqual(alone(value), place);
          assert.notEqual(keyedId(planOf(m, other), m, value).id, place);
        }
      }),
      { numRuns: caseCount(5_000) },
    );
  });

  it('stay what they were where they mean one value; else the run of an older release is asked for', () => {
    for (const value of [1, 'user-17', 'a b', 'x/y.csv', null, true, 'x'.repeat(300), '0b6f2c1e-0000-4000-8000-1234567890ab', 17.5]) {
      assert.deepEqual(keyedId(planOf(m), m, value), { id: keyText(value) }, String(value));
    }
    assert.deepEqual(keyedId(planOf(m), m, '1'), { id: '"1"', former: [{ id: '1', isOwn: false }] });
    assert.deepEqual(keyedId(planOf(m, other), m, 'u'), { id: '~m~u', former: [{ id: 'u', isOwn: true }] });
    assert.deepEqual(keyedId(planOf(m, other), m, '1'), {
      id: '~m~"1"',
      former: [
        { id: '1', isOwn: false },
        { id: '"1"', isOwn: true },
      ],
    });
    assert.deepEqual(sourceId('data/2024/sales.csv@2024-01-01T00:00:00Z-0a1b2c3d'), {
      id: 'data/2024/sales.csv@2024-01-01T00:00:00Z-0a1b2c3d',
    });
    const { id, former } = sourceId('a/../b');
    assert.match(id, /^~~a\/_\/b~[0-9a-f]{64}$/);
    assert.deepEqual(
      former?.map(({ isOwn }) => isOwn),
      [true, false],
    );
    assert.match(former?.[0]?.id ?? '', /^~[0-9a-f]{64}$/);
    assert.equal(former?.[1]?.id, 'a/../b');
  });
});
