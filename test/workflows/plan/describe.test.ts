import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { describePlan } from '../../../workflows/plan/describe.ts';
import { planOf, task } from '../../support/plans.ts';

describe('describePlan', () => {
  const plan = planOf('sample', [task('a', 'sql'), task('b', 'sql', ['a'])]);

  it('shows the drawing of a plan', () => {
    assert.match(describePlan({ ...plan, drawing: 'a → b' }), /```text\na → b\n```/);
  });

  it('lists the tasks of a plan without a drawing, as plans of earlier releases are', () => {
    assert.match(describePlan(plan), /```text\n• a {2}sql {2}sql a\n↓ b {2}sql {2}sql b\n```/);
  });
});
