import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { stringify } from 'yaml';
import { failureText } from '../../../workflows/plan/tasks/failure.ts';
import type { JsonObject } from '../../../workflows/plan/values/json.ts';
import { compiler } from '../../support/compiler.ts';

/** A pipeline whose `list` has one task that notifies people with `message`. */
const compiled = (list: string, message: string, keys: JsonObject = {}) =>
  compiler.compile({
    file: 'x.yaml',
    text: stringify({
      dag_id: 'x',
      tasks: [{ name: 'a', type: 'empty' }],
      [list]: [{ name: 'tell', type: 'notify', to: 'slack', message, ...keys }],
    }),
  });
const mistakesOf = (...given: Parameters<typeof compiled>): string[] =>
  compiled(...given).diagnostics.map(({ code, message, hint }) => `${code} ${message} ${hint ?? ''}`);

describe('failure in expressions', () => {
  for (const [list, message] of [
    ['on_failure', '{{ failure.task }} failed after {{ failure.attempts }} attempts: {{ failure.error }} {{ failure.run_url }}'],
    ['on_failure', '{{ failure.attempts > 1 ? "again" : "once" }}'],
    ['finally', '{{ failure == null ? "good" : failure.error }}'],
    ['finally', '{{ failure != null && failure.attempts > 1 ? failure.task : "none" }}'],
  ] as const) {
    it(`is right in ${list}: ${message}`, () => assert.deepEqual(mistakesOf(list, message), []));
  }

  it('may be there by the condition of the task', () => {
    assert.deepEqual(mistakesOf('finally', '{{ failure.error }}', { when: 'failure != null && failure.attempts > 1' }), []);
  });

  for (const [what, list, message, told] of [
    ['a field that is not there', 'on_failure', '{{ failure.tsk }}', /SL506 'failure' has no 'tsk'\. did you mean 'task'\?/],
    ['a field of another system', 'on_failure', '{{ failure.exception }}', /SL506 .* write failure\.error/],
    ['a name of Airflow', 'on_failure', '{{ exception }}', /SL502 .* write failure\.error/],
    ['the attempts of Airflow', 'on_failure', '{{ ti.try_number }}', /SL502 .* write failure\.attempts/],
    ['the page of Airflow', 'on_failure', '{{ ti.log_url }}', /SL502 .* write failure\.run_url/],
    ['a type that cannot fit', 'on_failure', '{{ failure.attempts + failure.task }}', /SL503 '\+' does not work between/],
    ['a good run', 'on_success', '{{ failure.error }}', /SL502 'failure' is not available here.* on_failure and finally/],
    ['a task of the run', 'tasks', '{{ failure.error }}', /SL502 'failure' is not available here.* on_failure and finally/],
    [
      'what may be null',
      'finally',
      '{{ failure.error }}',
      /SL502 .*null.* write failure != null \? failure\.error : 'none', or .*when: failure != null/,
    ],
  ] as const) {
    it(`is warned about ${what}`, () => {
      const mistakes = mistakesOf(list, message);
      assert.equal(mistakes.length, 1, mistakes.join('\n'));
      assert.match(mistakes[0] ?? '', told);
    });
  }

  it('is warned about a condition that also holds after good runs', () => {
    assert.match(mistakesOf('finally', '{{ failure.error }}', { when: 'failure != null || ds > "2024"' }).join(), /SL502/);
  });

  it('costs nothing where neither attempts nor the page are read', () => {
    assert.equal(compiled('on_failure', '{{ failure.task }}').plan?.failureFacts, undefined);
    assert.deepEqual(compiled('on_failure', '{{ failure.run_url }}').plan?.failureFacts, ['run_url']);
    assert.deepEqual(compiled('finally', '{{ failure == null ? "" : failure.task }}').plan?.failureFacts, ['attempts', 'run_url']);
  });

  it('has a bounded error, of whole characters', () => {
    assert.equal(failureText('short'), 'short');
    assert.equal(failureText('x'.repeat(5_000)), `${'x'.repeat(1_000)}…`);
    assert.equal(failureText('🙂'.repeat(1_500)), `${'🙂'.repeat(1_000)}…`);
    assert.equal(failureText('🙂'.repeat(1_000)), '🙂'.repeat(1_000));
  });
});
