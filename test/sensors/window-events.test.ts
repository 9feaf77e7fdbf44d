import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { WindowEvents } from '../../sensors/events/window-events.ts';
import { WindowPanes } from '../../sensors/events/window-panes.ts';
import { MAX_EVENT_BYTES } from '../../sensors/events/event-matcher.ts';
import type { ExactNumber, Json } from '../../workflows/plan/values/json.ts';
import type { WindowMode } from '../../workflows/plan/trigger.ts';

/** Windows of 6 s, each 2 s, with events at these seconds. */
function windows(events: readonly (readonly [key: string, second: number])[], more: Partial<WindowMode>): WindowEvents {
  const aggregates: WindowMode['aggregates'] = { views: { kind: 'count' }, last: { kind: 'max', of: 'event.second' } };
  const panes = new WindowPanes(2_000, aggregates);
  for (const [key, second] of events) panes.add(key, second * 1000, [0, second]);
  return new WindowEvents({ kind: 'window', sizeMs: 6_000, slideMs: 2_000, latenessMs: 0, aggregates, ...more }, panes);
}

/** Each run's id, without its time, and what its keys have. */
function told(of: WindowEvents, second: number): string[] {
  return [...of.of(second * 1000)].map(({ id, event }) => {
    const { window_end: end, keys } = event.value as { window_end: string; keys: readonly Record<string, Json>[] };
    assert.ok(id.endsWith(`@${end}`));
    assert.equal(end, new Date(second * 1000).toISOString());
    return [id.split('@')[0], ...keys.map(({ key, views, last }) => `${String(key)}:${String(views)}:${String(last)}`)].join(' ');
  });
}

describe('aggregates of windows', () => {
  const aggregates = {
    spent: { kind: 'sum', of: 'event.price' },
    views: { kind: 'count' },
    refunds: { kind: 'sum', of: 'event.refunds' },
    low: { kind: 'min', of: 'event.price' },
    high: { kind: 'max', of: 'event.price' },
    mean: { kind: 'avg', of: 'event.price' },
  } as const satisfies WindowMode['aggregates'];
  /** The runs of one window over these prices, and why others start none. */
  const outcome = (having: string, prices: readonly (number | ExactNumber)[]): { runs: Json[]; reasons: string[] } => {
    const panes = new WindowPanes(60_000, aggregates);
    for (const price of prices) panes.add('k', 1_000, [price, 0, 0, price, price, price]);
    const events = new WindowEvents({ kind: 'window', sizeMs: 60_000, slideMs: 60_000, latenessMs: 0, aggregates, having }, panes);
    const runs = [...events.of(60_000)].map(({ event }) => event.value);
    return { runs, reasons: events.failed.map(({ reason }) => reason) };
  };
  const starts = (having: string, prices: readonly (number | ExactNumber)[]): boolean => {
    const { runs, reasons } = outcome(having, prices);
    assert.deepEqual(reasons, [], having);
    return runs.length === 1;
  };

  it('are never divided as whole numbers', () => {
    assert.equal(starts('spent / views >= 2.5', [2.5, 2.5, 2.5, 2.5]), true);
    assert.equal(starts('spent / views >= 2.5', [2.5, 2.5, 2.5, 2.6]), true);
    assert.equal(starts('spent / views >= 2.6', [2.5, 2.5, 2.5, 2.6]), false);
    assert.equal(starts('mean == 2.5 && mean / 2 == 1.25 && high / low == 1.5', [2, 3]), true);
    assert.equal(starts('views / 2 == 1', [1, 1, 1]), true); // both are whole numbers by nature
  });

  it('add up without rounding', () => {
    assert.equal(starts('spent == 0.3 && spent >= 0.3', [0.1, 0.2]), true);
    assert.equal(starts('spent == 9007199254740993', [9007199254740992, 1]), true);
    const huge = { $number: '9007199254740993' };
    assert.equal(starts('spent > 18014398509481985.5 && low == high && spent - high - low == 0', [huge, huge]), true);
    assert.deepEqual(outcome('views > 1', [0.1, 0.2, huge]).runs, [
      {
        window_start: '1970-01-01T00:00:00.000Z',
        window_end: '1970-01-01T00:01:00.000Z',
        key: 'k',
        spent: { $number: '9007199254740993.3' },
        views: 3,
        refunds: 0,
        low: 0.1,
        high: huge,
        mean: 3002399751580331.5,
      },
    ]);
  });

  it('that cannot be evaluated together make the window invalid, and no other', () => {
    const { runs, reasons } = outcome('spent / refunds > 1', [1]);
    assert.deepEqual(runs, []);
    assert.deepEqual(reasons, ['`spent / refunds > 1`: division by zero']);
    assert.deepEqual(outcome('spent', [1]).reasons, ['`spent` is 1, which is neither true nor false.']);
  });
});

describe('windows that start a run for many keys', () => {
  it('name each key that has events, in the order of the keys, and once more with nothing when it has none', () => {
    const of = windows(
      [
        ['b', 1],
        ['a', 1],
        ['b', 3],
      ],
      { keysPerRun: 10 },
    );
    assert.deepEqual(told(of, 2), ['part-1 a:1:1 b:1:1']);
    assert.deepEqual(told(of, 6), ['part-1 a:1:1 b:2:3']);
    assert.deepEqual(told(of, 8), ['part-1 a:0:null b:1:3']);
    assert.deepEqual(told(of, 10), ['part-1 b:0:null']);
    assert.deepEqual(told(of, 12), []);
  });

  it('with a condition: name those that meet it, and once more those that do no longer', () => {
    const of = windows(
      [
        ['a', 1],
        ['a', 3],
        ['b', 3],
        ['a', 5],
      ],
      { keysPerRun: 10, having: 'views >= 2' },
    );
    assert.deepEqual(told(of, 2), []);
    assert.deepEqual(told(of, 4), ['part-1 a:2:3']);
    assert.deepEqual(told(of, 8), ['part-1 a:2:5']);
    assert.deepEqual(told(of, 10), ['part-1 a:1:5']);
    assert.deepEqual(told(of, 12), []);
  });

  it('share the keys; recounted with more of them, they leave out none that no run has had', () => {
    const keys = ['b', 'c', 'd', 'e'].map((key) => [key, 1] as const);
    assert.deepEqual(told(windows(keys, { keysPerRun: 3 }), 2), ['part-1 b:1:1 c:1:1 d:1:1', 'part-2 e:1:1']);
    assert.deepEqual(told(windows([...keys, ['a', 1]], { keysPerRun: 3 }), 2), ['part-1 a:1:1 b:1:1 c:1:1', 'part-2 d:1:1 e:1:1']);
  });

  it('begin another run before one has more than a run can keep', () => {
    const keys = Array.from({ length: 2_000 }, (_, n) => [`${n}`.padStart(200, '0'), 1] as const);
    const events = [...windows(keys, { keysPerRun: 2_000 }).of(2_000)];
    assert.ok(events.length > 1);
    for (const { event } of events) assert.ok(Buffer.byteLength(JSON.stringify(event.value)) < MAX_EVENT_BYTES);
    assert.equal(events.flatMap(({ event }) => (event.value as { keys: readonly Json[] }).keys).length, 2_000);
  });
});
