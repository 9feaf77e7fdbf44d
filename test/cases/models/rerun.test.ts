import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { CATALOG } from '../../../activities/catalog.ts';
import { Compiler } from '../../../compiler/compile.ts';
import { readEndedRun, startRerun } from '../../../temporal/reruns.ts';
import type { RunResult } from '../../../workflows/plan/run.ts';
import { createModelRuns, type ModelRuns, retraining } from '../../support/model-runs.ts';
import { resultOf } from '../../support/yaml-runs.ts';

describe('a rerun after a promotion was taken back', function () {
  this.timeout('2m');
  let models: ModelRuns;

  before(async function () {
    this.timeout('20m');
    models = await createModelRuns();
  });
  after(() => models.close());

  const statesOf = ({ tasks }: RunResult): string =>
    ['promote', 'reload', 'verify', 'take_back', 'reload_last'].map((name) => tasks[name]?.state).join(' ');

  /** Without the keys that Sluice fills in, as the file of a team has it. */
  const withoutUndoes = (yaml: string): string => yaml.replace(/^ *undoes:.*$/m, '');

  for (const [name, model, edit] of [
    ['with `undoes`', 'told', (yaml: string) => yaml],
    ['of a file that does not say it', 'untold', withoutUndoes],
  ] as const) {
    it(`promotes again, and the service serves the champion, ${name}`, async () => {
      const { runs, service, front } = models;
      const yaml = edit(retraining(models, model));
      const first = await runs.run(yaml, { params: { skill: 0.5 } });
      assert.equal(first.state, 'success', JSON.stringify(first.tasks));
      const old = await models.champion(model);

      // The service takes the order, and serves what it likes: only the verification fails.
      front.rule = (call) => (call.startsWith('GET') ? { status: 200, body: '{"version": "another"}' } : undefined);
      const handle = await runs.start(yaml, { params: { skill: 0.8 } });
      const second = await resultOf(handle);
      front.rule = undefined;
      assert.equal(statesOf(second), 'success success failed success success');
      assert.deepEqual([await models.champion(model), service.loaded.at(-1)], [old, old]);

      const run = await readEndedRun(runs.client, handle.workflowId);
      const rerun = await startRerun(runs.client, runs.taskQueue, { run, plan: run.plan, params: run.params }, Date.now());
      const third = await resultOf(runs.client.workflow.getHandle(rerun.pipelineRunId));
      assert.equal(statesOf(third), 'success success success skipped skipped', JSON.stringify(third.tasks));
      const { version } = third.tasks.train?.output as { version: string };
      assert.deepEqual([await models.champion(model), service.loaded.at(-1)], [version, version]);
      assert.deepEqual([third.tasks.train?.note, third.tasks.promote?.note], ['kept', undefined]);
    });
  }

  it('a run that promotes nothing tells the service who is champion', async () => {
    const { runs, service } = models;
    const yaml = retraining(models, 'steady');
    await runs.run(yaml, { params: { skill: 0.5 } });
    const champion = await models.champion('steady');
    const { state } = await runs.run(yaml, { params: { skill: 0.4 } });
    assert.deepEqual([state, await models.champion('steady'), service.loaded.at(-1)], ['success', champion, champion]);
  });
});

describe('undoes', () => {
  const compiled = (handlers: string) =>
    new Compiler(CATALOG).compile({
      file: 'case.yaml',
      text: `dag_id: d\ntasks:\n  - {name: make, type: sql, sql: SELECT 1}\n  - {name: use, type: sql, sql: SELECT 1}\n${handlers}`,
    });
  const codesOf = (handlers: string): string[] =>
    compiled(handlers).diagnostics.map(({ code, line, column, message, hint }) => `${code} ${line}:${column} ${message} ${hint ?? ''}`);

  it('names a task of the work of the run', () => {
    const { plan, diagnostics } = compiled('finally: [{name: remove, type: sql, sql: SELECT 1, undoes: make}]');
    assert.deepEqual([diagnostics, plan?.finally?.[0]?.undoes], [[], 'make']);
    assert.deepEqual(codesOf('finally: [{name: remove, type: sql, sql: SELECT 1, undoes: mak}]'), [
      "SL314 5:60 Task 'remove' undoes 'mak', and there is no such task in `tasks`. did you mean 'make'?",
    ]);
    assert.match(codesOf('finally: [{name: remove, type: sql, sql: SELECT 1, undoes: remove}]')[0] ?? '', /there are: make, use$/);
    assert.match(codesOf('  - {name: x, type: sql, sql: SELECT 1, undoes: make}')[0] ?? '', /^SL314 5:41 Task 'x' belongs to the work/);
    assert.match(codesOf('finally: [{name: x, type: sql, sql: SELECT 1, undoes: [make]}]')[0] ?? '', /^SL203 /);
    assert.match(codesOf('finally: [{name: x, type: sql, sql: SELECT 1, undoes: "{{ ds }}"}]')[0] ?? '', /^SL508 /);
  });
});
