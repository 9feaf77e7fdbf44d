import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { graphOfPlan } from '../../graph/graph-of-plan.ts';
import type { ExpandPlan, TaskPlan } from '../../workflows/plan/plan.ts';
import { planOf, task } from '../support/plans.ts';

const expand = (over: ExpandPlan['over']): ExpandPlan => ({ over, as: 'file', maxParallel: 16, batchSize: 1, onItemFailure: 'fail' });

describe('graphOfPlan', () => {
  for (const [more, detail] of [
    [{}, 'sql'],
    [{ expand: expand(['a', 'b', 'c']) }, 'sql · × 3'],
    [{ expand: expand('outputs.list.files') }, 'sql · × each file'],
    [{ when: 'params.full' }, 'sql · when params.full'],
    [{ when: 'params.full && params.segment == "gold"' }, 'sql · when params.full && params.s…'],
    [{ when: 'params.full', expand: expand([]) }, 'sql · × 0 · when params.full'],
  ] as [Partial<TaskPlan>, string][]) {
    it(`${JSON.stringify(more)}: ${detail}`, () => {
      assert.deepEqual(graphOfPlan(planOf('sample', [task('a', 'sql', [], more)])).nodes, [{ id: 'a', label: 'a', detail }]);
    });
  }

  it('has the rules and the cases by which one task leads to another', () => {
    const branch = { on: 'params.mode', cases: { new: ['b'], some: ['b'], all: ['g.c'] }, default: ['d'] };
    const tasks = [
      task('a', 'empty', [], { switch: branch }),
      task('b', 'empty', ['a']),
      task('g.c', 'empty', ['a'], { group: 'g', triggerRule: 'all_done' }),
      task('d', 'empty', ['a', 'b'], { triggerRule: 'one_success' }),
    ];
    const { nodes, edges } = graphOfPlan(planOf('sample', tasks));
    assert.deepEqual(
      nodes.map(({ group }) => group),
      [undefined, undefined, 'g', undefined],
    );
    assert.deepEqual(edges, [
      { from: 'a', to: 'b', label: 'new, some' },
      { from: 'a', to: 'g.c', label: 'all, all_done' },
      { from: 'a', to: 'd', label: 'default, one_success' },
      { from: 'b', to: 'd', label: 'one_success' },
    ]);
  });

  it('has the later phases too', () => {
    const later = {
      onFailure: [task('x', 'notify')],
      onSuccess: [task('y', 'notify')],
      finally: [task('z', 'empty'), task('end', 'empty', ['z'])],
    };
    const { nodes, edges } = graphOfPlan(planOf('sample', [task('a', 'sql')], later));
    assert.deepEqual(
      nodes.map(({ id, phase }) => [id, phase]),
      [
        ['a', undefined],
        ['x', 'on_failure'],
        ['y', 'on_success'],
        ['z', 'finally'],
        ['end', 'finally'],
      ],
    );
    assert.deepEqual(edges, [{ from: 'z', to: 'end' }]);
  });
});
