import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { diffPlans } from '../../../cli/view/plan-diff.ts';
import { diffLines } from '../../../lib/line-diff.ts';
import type { Plan } from '../../../workflows/plan/plan.ts';
import { compiler } from '../../support/compiler.ts';

function planOf(tasks: string, more = 'schedule_interval: "@daily"'): Plan {
  const { plan, diagnostics } = compiler.compile({ file: 'x.yaml', text: `dag_id: x\n${more}\ntasks:\n${tasks}` });
  assert.ok(plan, JSON.stringify(diagnostics));
  return plan;
}

const LOAD = '  - {name: load, type: http, path: /v1, execution_timeout: 10m}\n';
const END = '  - {name: end, type: empty}\n';

describe('the diff of two plans', () => {
  it('is empty for the same file', () => assert.deepEqual(diffPlans(planOf(LOAD + END), planOf(LOAD + END)), []));

  for (const [name, before, after, lines] of [
    ['a key of a task, with the name of the task', planOf(LOAD), planOf(LOAD.replace('v1', 'v2')), ['-     path: /v1', '+     path: /v2']],
    [
      'a time, as YAML writes it',
      planOf(LOAD),
      planOf(LOAD.replace('10m', '90s')),
      ['-     execution_timeout: 10m', '+     execution_timeout: 1m30s'],
    ],
    ['a task', planOf(LOAD), planOf(LOAD + END), ['+   - name: end', '+     type: empty', '+     depends_on:', '+       - load']],
    ['the schedule', planOf(LOAD), planOf(LOAD, 'schedule_interval: "@hourly"'), ['-   cron: 0 0 * * *', '+   cron: 0 * * * *']],
    [
      'parameters',
      planOf(LOAD),
      planOf(LOAD, 'schedule_interval: "@daily"\nparams: {maxMs: 3}'.replace('maxMs', 'max_ms')),
      ['+   max_ms:'],
    ],
  ] as const) {
    it(`shows ${name}`, () => {
      const diff = diffPlans(before, after);
      for (const line of lines) assert.ok(diff.includes(line), `${line} is not in\n${diff.join('\n')}`);
      const isOfTask = lines.some((line) => /^. {5}(path|execution)/.test(line));
      if (isOfTask) assert.ok(diff.includes('    - name: load'), diff.join('\n'));
      assert.ok(!diff.some((line) => /hash|templates|Ms:/.test(line)), diff.join('\n'));
    });
  }

  it('of lines gives both texts back', () => {
    const texts = fc.array(fc.constantFrom('a', 'b', 'c', ''), { maxLength: 12 });
    fc.assert(
      fc.property(texts, texts, (before, after) => {
        const diff = diffLines(before, after);
        const side = (gone: string): string[] => diff.filter(({ sign }) => sign !== gone).map(({ line }) => line);
        assert.deepEqual([side('+'), side('-')], [before, after]);
      }),
    );
  });
});
