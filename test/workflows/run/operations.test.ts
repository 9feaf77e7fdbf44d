import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { simulate } from '../../../cli/test/simulate.ts';
import { parseDuration } from '../../../workflows/plan/values/duration.ts';
import type { RunOperation, TaskOperation } from '../../../workflows/plan/runs/decision.ts';
import { SOME_DAY } from '../../support/plans.ts';
import { toyAttempt } from '../../support/toy-language.ts';
import { SECOND_ROUND } from '../../support/toy-clock.ts';
import { assertCase, casePlan, type Given } from './language-cases.ts';
import { OPERATION_CASES } from './operations-cases.ts';

/**
 * What operators say, and when: `10s skip a by ann`, `10s pause by ann`, `10s cancel`. A task that is tried a second time succeeds.
 * @returns the run, and what was refused
 */
async function run(tasks: string, words: readonly string[], given: Given = {}) {
  const refused: string[] = [];
  const ran: string[] = [];
  const simulated = await simulate(casePlan(tasks, given), {
    interval: SOME_DAY,
    script: ({ id, task, input }, attempt) => {
      ran.push(id);
      return id.includes('#') ? SECOND_ROUND : toyAttempt(task.type, input, attempt);
    },
    prepare(host, { operations }) {
      for (const word of words) {
        const [, when = '', operation = '', task = '', by = ''] = /^(\w+) ([\w-]+)(?: ([\w.]+))?(?: by (\w*))?$/.exec(word) ?? [];
        host.after(parseDuration(when) ?? 0, () => {
          if (operation === 'cancel') return host.cancel();
          const mistake =
            task === ''
              ? operations.checkRun(operation as RunOperation, { by })
              : operations.checkTask(operation as TaskOperation, { task, by });
          if (mistake !== undefined) return void refused.push(mistake);
          if (task === '') operations.onRun(operation as RunOperation, { by });
          else operations.onTask(operation as TaskOperation, { task, by });
        });
      }
    },
  });
  return { ...simulated, refused, ran };
}

describe('what operators do to a run', () => {
  for (const [title, tasks, words, expected, given] of OPERATION_CASES) {
    it(title, async () => {
      const { result, refused } = await run(tasks, words, given);
      assert.deepEqual(refused, []);
      assertCase(result, expected);
      assert.equal(result.operations?.length ?? 0, words.filter((word) => !word.includes('cancel')).length);
    });
  }

  it('a pause takes its time', async () => {
    const { tookMs } = await run('a: slow; b: ok', ['1m pause by ann', '5h unpause by bob']);
    assert.equal(tookMs, 5 * 3_600_000 + 1000);
  });

  it('what was done, by whom and why stays in the result and in the task table', async () => {
    const { result } = await run('a: slow; b: ok', ['1m skip b by ann']);
    assert.deepEqual(result.operations, ['skip b by ann']);
    assert.equal(result.tasks.b?.note, 'skip by ann');
  });

  for (const [title, tasks, word, mistake] of [
    ['nobody', 'a: slow', '1m skip a', /`by` is missing/],
    ['a task that is not there', 'a: slow', '1m skip x by ann', /Task 'x' cannot be skipped, retried or marked now\. Tasks that can: a\./],
    ['a task that has ended well', 'a: ok; b: slow', '1m skip a by ann', /'a' has already ended: success/],
    ['trying again what runs', 'a: slow', '1m retry a by ann', /'a' is running: only a task that has ended or is on hold/],
    ['trying again what has succeeded', 'a: ok; b: slow', '1m retry a by ann', /`sluice rerun` repeats it in a new run/],
    ['going on with what is not paused', 'a: slow', '1m unpause by ann', /The run is not paused/],
  ] as const) {
    it(`refuses ${title}, and changes nothing`, async () => {
      const { result, refused } = await run(tasks, [word]);
      assert.equal(refused.length, 1);
      assert.match(refused[0] ?? '', mistake);
      assert.equal(result.state, 'success');
      assert.equal(result.operations, undefined);
    });
  }

  it('of a list, only the items that failed are tried again', async () => {
    const { result, ran } = await run(
      'a: ok with {expand: {over: [1, 2, 3], on_item_failure: fail, max_parallel: 3}, hold_on_failure: 1d, give: "{{ item }}", poison: "{{ item == 2 }}"}',
      ['1m retry a by ann'],
    );
    assert.deepEqual(result.tasks.a?.output, [1, 'second', 3]);
    assert.deepEqual(ran, ['a[0]', 'a[1]', 'a[2]', 'a[1]#2']);
  });
});
