import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { describePlan } from '../../../workflows/plan/describe.ts';
import { planOf, task } from '../../support/plans.ts';

/** The fenced text of a plan's description. */
const graphOf = (tasks: Parameters<typeof planOf>[1]) => /```text\n([^]*)\n```/.exec(describePlan(planOf('sample', tasks)))?.[1];

describe('describePlan', () => {
  it('draws a small graph', () => {
    assert.equal(
      graphOf([task('a', 'sql'), task('b', 'sql', ['a'])]),
      '┌─────┐\n│ a   │\n│ sql │\n└──┬──┘\n   ▼\n┌─────┐\n│ b   │\n│ sql │\n└─────┘',
    );
  });

  for (const [what, tasks] of [
    ['many tasks', Array.from({ length: 31 }, (_, index) => task(`t${index}`, 'sql', index === 0 ? [] : [`t${index - 1}`]))],
    ['tasks side by side', Array.from({ length: 12 }, (_, index) => task(`side_by_side_${index}`, 'sql'))],
  ] as const) {
    it(`lists ${what}, one a line`, () => {
      const lines = graphOf(tasks)?.split('\n') ?? [];
      assert.equal(lines.length, tasks.length);
      assert.match(lines[1] ?? '', /^[↓•] \S+ +sql +sql \S+/);
    });
  }
});
