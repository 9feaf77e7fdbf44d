import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { withDrawing } from '../../graph/with-drawing.ts';
import { describePlan } from '../../workflows/plan/describe.ts';
import type { Plan } from '../../workflows/plan/plan.ts';
import { planOf, task } from '../support/plans.ts';

const SMALL = planOf('small', [task('a', 'sql'), task('b', 'sql', ['a'])]);
const PICTURE = '┌─────┐\n│ a   │\n│ sql │\n└──┬──┘\n   ▼\n┌─────┐\n│ b   │\n│ sql │\n└─────┘';
/** What a run of a plan shows of its graph in the Temporal UI. */
const shown = (plan: Plan) => /```text\n([^]*)\n```/.exec(describePlan(plan))?.[1];

describe('withDrawing', () => {
  it('gives a plan the drawing that its runs show', () => assert.equal(shown(withDrawing(SMALL)), PICTURE));

  it('survives the way through Temporal, where workflows start runs with it', () => {
    assert.equal(shown(JSON.parse(JSON.stringify(withDrawing(SMALL))) as Plan), PICTURE);
  });

  it('draws the pipelines that a plan starts', () => {
    const { pipelines = {} } = withDrawing(planOf('parent', [task('start', 'run_pipeline')], { pipelines: { small: SMALL } }));
    assert.equal(pipelines['small'] && shown(pipelines['small']), PICTURE);
  });

  it('changes nothing else of a plan, and draws it once', () => {
    const { drawing, ...rest } = withDrawing(SMALL);
    assert.equal(drawing, PICTURE);
    assert.deepEqual(rest, SMALL);
    assert.equal(withDrawing(SMALL), withDrawing(SMALL));
    assert.equal(withDrawing(withDrawing(SMALL)), withDrawing(SMALL));
  });

  for (const [what, tasks] of [
    ['many tasks', Array.from({ length: 31 }, (_, index) => task(`t${index}`, 'sql', index === 0 ? [] : [`t${index - 1}`]))],
    ['tasks side by side', Array.from({ length: 12 }, (_, index) => task(`side_by_side_${index}`, 'sql'))],
  ] as const) {
    it(`leaves ${what} to a list, one a line`, () => {
      const plan = withDrawing(planOf('large', tasks));
      assert.equal(plan.drawing, undefined);
      const lines = shown(plan)?.split('\n') ?? [];
      assert.equal(lines.length, tasks.length);
      assert.match(lines[1] ?? '', /^[↓•] \S+ +sql +sql \S+/);
    });
  }
});
