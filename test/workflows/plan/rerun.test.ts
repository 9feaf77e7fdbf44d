import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { chooseReruns, keptOf } from '../../../workflows/plan/runs/rerun.ts';
import type { TaskResult } from '../../../workflows/plan/runs/run.ts';
import { planOf, task } from '../../support/plans.ts';

const plan = planOf(
  'd',
  [task('a', 'ok'), task('b', 'ok', ['a']), task('c', 'ok', ['b']), task('x', 'ok'), task('y', 'ok', ['x'], { triggerRule: 'all_done' })],
  { finally: [task('z', 'ok')] },
);

/** `a success, b failed`. */
function ended(text: string): Record<string, TaskResult> {
  return Object.fromEntries(
    text.split(', ').map((each) => {
      const [name = '', state] = each.split(' ');
      return [name, { state: state as 'success' }];
    }),
  );
}

describe('what a rerun runs again', () => {
  for (const [name, earlier, from, again] of [
    ['what failed and what waited for it', 'a success, b failed, c upstream_failed, x success, y success, z success', undefined, 'b c z'],
    [
      'what follows a failure, although it succeeded',
      'a success, b success, c success, x failed, y success, z success',
      undefined,
      'x y z',
    ],
    ['what was cancelled', 'a success, b canceled, c canceled, x canceled, y canceled, z success', undefined, 'b c x y z'],
    ['what never began', 'a success, b running', undefined, 'b c x y z'],
    ['not what was skipped', 'a success, b skipped, c skipped, x failed, y success, z success', undefined, 'x y z'],
    ['from a task on', 'a success, b success, c success, x success, y success, z success', 'b', 'b c z'],
    ['from a task on, and what failed elsewhere', 'a success, b success, c success, x failed, y success, z success', 'c', 'c x y z'],
  ] as const) {
    it(name, () => {
      const choices = chooseReruns(plan, ended(earlier), from);
      assert.equal(
        choices
          .filter(({ runs }) => runs)
          .map(({ task: each }) => each)
          .join(' '),
        again,
      );
      assert.deepEqual(
        Object.keys(keptOf(plan, choices, ended(earlier), from)),
        choices.filter(({ runs }) => !runs).map(({ task: each }) => each),
      );
    });
  }

  it('what was undone after the end of the run, and what follows it', () => {
    const undoing = planOf('d', plan.tasks, {
      onFailure: [task('back', 'ok', [], { undoes: 'a' })],
      finally: [task('z', 'ok', [], { undoes: 'x' })],
    });
    const why = (text: string, from?: string): string =>
      chooseReruns(undoing, ended(text), from)
        .filter(({ runs }) => runs)
        .map(({ task: each, why: reason }) => `${each}: ${reason}`)
        .slice(0, -2)
        .join(', ');
    const rest = 'x success, y failed';
    assert.equal(
      why(`a success, b failed, c upstream_failed, ${rest}, back success, z skipped`),
      'a: was undone by back, b: failed, c: follows b, y: failed',
    );
    assert.equal(why('a success, b success, c success, x success, y failed, back skipped, z failed'), 'x: was undone by z, y: failed');
    assert.equal(why('a success, b success, c success, x success, y failed, back upstream_failed'), 'y: failed');
    assert.equal(why('a success, b success, c success, x success, y success, z success'), '', 'nothing is to be repeated');
    assert.equal(
      why('a success, b success, c success, x success, y success, z success', 'c'),
      'c: asked for, x: was undone by z, y: follows x',
    );
  });

  it('what reports a status, where something that follows it runs again', () => {
    const expiring = planOf('d', [
      task('a', 'ok', [], { outputExpires: true }),
      task('b', 'ok', ['a']),
      task('c', 'ok', ['b']),
      task('x', 'ok'),
    ]);
    const why = (text: string): string =>
      chooseReruns(expiring, ended(text))
        .filter(({ runs }) => runs)
        .map(({ task: each, why: reason }) => `${each}: ${reason}`)
        .join(', ');
    assert.equal(why('a success, b success, c failed, x success'), 'a: its output may be out of date, b: follows a, c: failed');
    assert.equal(why('a success, b success, c success, x failed'), 'x: failed');
    assert.equal(why('a skipped, b success, c failed, x success'), 'c: failed');
  });

  it('of a list, the items that failed', () => {
    const earlier: Record<string, TaskResult> = {
      ...ended('a success, c upstream_failed, x success, y success, z success'),
      b: { state: 'failed', partial: { outputs: [1, null], missing: [1] } },
    };
    const choices = chooseReruns(plan, earlier);
    assert.equal(choices.find(({ task: each }) => each === 'b')?.why, 'failed: 1 of 2 items');
    assert.deepEqual(keptOf(plan, choices, earlier).b?.partial?.missing, [1]);
    const without: Record<string, TaskResult> = {
      ...ended('a success, c success, x success, y success, z success'),
      b: { state: 'success', output: [1, null], missing: [1] },
    };
    assert.deepEqual(
      chooseReruns(plan, without)
        .filter(({ runs }) => runs)
        .map(({ task: each, why }) => `${each}: ${why}`),
      ['b: 1 of its items failed', 'c: follows b', 'z: follows the end of the run'],
    );
    assert.deepEqual(keptOf(plan, chooseReruns(plan, without), without).b, {
      state: 'failed',
      partial: { outputs: [1, null], missing: [1] },
    });
    // All of it when somebody asks for the task, or when what it works on is new.
    assert.equal(keptOf(plan, chooseReruns(plan, earlier, 'b'), earlier, 'b').b, undefined);
    assert.equal(keptOf(plan, chooseReruns(plan, earlier, 'a'), earlier, 'a').b, undefined);
  });
});
