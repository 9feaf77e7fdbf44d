import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { compiler } from '../support/compiler.ts';

describe('triggers in a plan', () => {
  it('say everything: what the file says, and what it leaves out', () => {
    const text = `
dag_id: x
params: {segment: {type: string, default: all}}
triggers:
  - name: change
    type: kafka
    topic: user-behavior-metrics
    when: event.behavior_change_score > 0.7
    params: {segment: "{{ event.segment }}"}
    mode: {cooldown: 10m}
    max_in_flight: 5
  - {name: other, type: kafka, topic: [a, b], dedup_key: event.id, on_invalid: stop, parallelism: 2, start: earliest}
  - name: popular
    type: kafka
    topic: c
    mode:
      window: {size: 1h, slide: 1m, lateness: 30s, key: event.id, aggregates: {n: count(), most: max(event.x)}, having: n > 1, keys_per_run: 100}
tasks: [{name: a, type: empty, when: event.behavior_change_score > 0.9}]
`;
    const { plan, diagnostics } = compiler.compile({ file: 'x.yaml', text });
    assert.deepEqual(diagnostics, []);
    assert.deepEqual(plan?.triggers, [
      {
        name: 'change',
        type: 'kafka',
        when: 'event.behavior_change_score > 0.7',
        runParams: { segment: '{{ event.segment }}' },
        templates: [{ path: ['segment'], kind: 'value' }],
        maxInFlight: 5,
        mode: { kind: 'cooldown', forMs: 600_000 },
        onInvalid: 'dead_letter',
        parallelism: 1,
        source: { topic: 'user-behavior-metrics' },
      },
      {
        name: 'other',
        type: 'kafka',
        dedupKey: 'event.id',
        mode: { kind: 'each' },
        onInvalid: 'stop',
        parallelism: 2,
        source: { topic: ['a', 'b'], start: 'earliest' },
      },
      {
        name: 'popular',
        type: 'kafka',
        mode: {
          kind: 'window',
          sizeMs: 3_600_000,
          slideMs: 60_000,
          latenessMs: 30_000,
          key: 'event.id',
          aggregates: { n: { kind: 'count' }, most: { kind: 'max', of: 'event.x' } },
          having: 'n > 1',
          keysPerRun: 100,
        },
        onInvalid: 'dead_letter',
        parallelism: 1,
        source: { topic: 'c' },
      },
    ]);
  });
});
