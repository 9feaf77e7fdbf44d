import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { simulate } from '../../../cli/test/simulate.ts';
import { parseDuration } from '../../../workflows/plan/values/duration.ts';
import type { JsonObject } from '../../../workflows/plan/values/json.ts';
import { SOME_DAY } from '../../support/plans.ts';
import { toyAttempt } from '../../support/toy-language.ts';
import { assertCase, casePlan, CASES, type Given, RULES, ruleTasks } from './language-cases.ts';

async function run(tasks: string, given: Given) {
  return simulate(casePlan(tasks, given), {
    interval: SOME_DAY,
    script: ({ task, input }, attempt) => toyAttempt(task.type, input, attempt),
    ...(given.params && { params: given.params }),
    prepare(host, { decisions }) {
      if (given.cancel !== undefined) host.after(parseDuration(given.cancel) ?? 0, () => host.cancel());
      for (const word of given.people ?? []) {
        const [, when = '', action = '', task = '', by = '', more] = /^(\w+) (\w+) ([\w.]+) by (\w+)(?: (\{.*\}))?$/.exec(word) ?? [];
        host.after(parseDuration(when) ?? 0, () => {
          if (action === 'approve' || action === 'reject') {
            const vote = { task, decision: action, by, ...(more !== undefined && { form: JSON.parse(more) as JsonObject }) } as const;
            if (decisions.checkVote(vote) === undefined) decisions.vote(vote);
          } else {
            const decision = { task, action: action as 'retry', by };
            if (decisions.checkHeld(decision) === undefined) decisions.decideHeld(decision);
          }
        });
      }
    },
  });
}

describe('the language, case by case', () => {
  describe('trigger rules', () => {
    for (const [rule, expectations] of Object.entries(RULES)) {
      for (const [letters, expected] of Object.entries(expectations)) {
        it(`${rule} after ${letters}: ${expected}`, async () => {
          const { result } = await run(ruleTasks(rule, letters), {});
          assert.equal(result.tasks.it?.state, expected);
        });
      }
    }
  });

  for (const [subject, cases] of Object.entries(CASES)) {
    describe(subject, () => {
      for (const [title, tasks, expected, given = {}] of cases) {
        it(title, async () => assertCase((await run(tasks, given)).result, expected));
      }
    });
  }
});
