import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, it } from 'mocha';
import { compiler } from '../../support/compiler.ts';
import type { ModelVersion } from '../../../activities/support/models/model-registry.ts';
import { readEndedRun, startRerun } from '../../../temporal/runs/reruns.ts';
import type { JsonObject } from '../../../workflows/plan/values/json.ts';
import type { RunResult } from '../../../workflows/plan/runs/run.ts';
import { createModelRuns, type ModelRuns, retraining } from '../../support/model-runs.ts';
import { resultOf } from '../../support/yaml-runs.ts';

describe('retraining', function () {
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
    it(`a rerun after a promotion was taken back promotes again, and the service serves the champion, ${name}`, async () => {
      const { runs, service } = models;
      const yaml = edit(retraining(models, model));
      const first = await runs.run(yaml, { params: { skill: 0.5 } });
      assert.equal(first.state, 'success', JSON.stringify(first.tasks));
      const old = await models.champion(model);

      // The service takes the order, and serves what it has: only the verification fails.
      service.behave(model, 'stale');
      const handle = await runs.start(yaml, { params: { skill: 0.8 } });
      const second = await resultOf(handle);
      service.behave(model, 'fine');
      assert.equal(statesOf(second), 'success success failed success success');
      assert.deepEqual([await models.champion(model), service.served(model)], [old, old]);

      const run = await readEndedRun(runs.client, handle.workflowId);
      const rerun = await startRerun(runs.client, runs.taskQueue, { run, plan: run.plan, params: run.params }, Date.now());
      const third = await resultOf(runs.client.workflow.getHandle(rerun.pipelineRunId));
      assert.equal(statesOf(third), 'success success success skipped skipped', JSON.stringify(third.tasks));
      const { version } = third.tasks.train?.output as { version: string };
      assert.deepEqual([await models.champion(model), service.served(model)], [version, version]);
      assert.deepEqual([third.tasks.train?.note, third.tasks.promote?.note], ['kept', undefined]);
    });
  }

  it('a run that promotes nothing notifies the service of the champion', async () => {
    const { runs, service } = models;
    const yaml = retraining(models, 'steady');
    await runs.run(yaml, { params: { skill: 0.5 } });
    const champion = await models.champion('steady');
    const { state } = await runs.run(yaml, { params: { skill: 0.4 } });
    assert.deepEqual([state, await models.champion('steady'), service.served('steady')], ['success', champion, champion]);
  });

  it('a late rerun does not bring back a model that another has replaced', async () => {
    const { runs, service } = models;
    const yaml = retraining(models, 'late');
    service.behave('late', 'down');
    const handle = await runs.start(yaml, { params: { skill: 0.5 } });
    assert.equal((await resultOf(handle)).state, 'failed');
    service.behave('late', 'fine');
    const { tasks } = await runs.run(yaml, { params: { skill: 0.8 } });
    const { version } = tasks.train?.output as { version: string };
    const run = await readEndedRun(runs.client, handle.workflowId);
    const rerun = await startRerun(runs.client, runs.taskQueue, { run, plan: run.plan, params: run.params }, Date.now());
    const late = await resultOf(runs.client.workflow.getHandle(rerun.pipelineRunId));
    assert.equal(statesOf(late), 'success success success skipped skipped');
    assert.deepEqual([await models.champion('late'), service.served('late')], [version, version]);
  });

  /** Trains and measures, and leaves the promotion to others. @returns the version */
  async function measure(model: string, params: JsonObject, edit = (yaml: string) => yaml): Promise<string> {
    const [yaml = ''] = retraining(models, model).split('  - {name: promote');
    const { state, tasks } = await models.runs.run(edit(yaml), { params });
    assert.equal(state, 'success', JSON.stringify(tasks));
    return (tasks.train?.output as { version: string }).version;
  }

  async function promote(model: string, version: string): Promise<{ promoted: boolean; reason: string }> {
    const { tasks } = await models.runs.run(`
dag_id: promote_${model}
tasks: [{name: promote, type: promote_model, model: ${model}, store: ${models.store}, version: ${version}, promote_when: metrics.acc >= champion.acc + 0.002}]
`);
    return tasks.promote?.output as unknown as { promoted: boolean; reason: string };
  }

  it('of two at once, the one that is promoted later is compared on equal terms, or not promoted', async () => {
    // Hard: the same rows, and a program that is stricter.
    const [good, easy] = [await measure('hardness', { skill: 0.9, hard: 0.5 }), await measure('hardness', { skill: 0.6 })];
    assert.equal((await promote('hardness', good)).promoted, true);
    const unequal = await promote('hardness', easy);
    assert.deepEqual([unequal.promoted, await models.champion('hardness')], [false, good]);
    assert.match(unequal.reason, /was not measured on the same terms \(data, program, parameters\): run evaluate_model/);

    // Both were measured while nobody was champion, each on its own extract of the same rows.
    const [worse, better] = [await measure('pair', { skill: 0.6 }), await measure('pair', { skill: 0.9 })];
    assert.deepEqual([(await promote('pair', better)).promoted, (await promote('pair', worse)).promoted], [true, false]);
    assert.equal(await models.champion('pair'), better);
  });

  it('nothing is promoted without an evaluation, or with one that failed', async () => {
    const { runs } = models;
    const yaml = retraining(models, 'unmeasured').split('  - name: reload')[0] ?? '';
    const boast = yaml.replace('skill: "{{ params.skill }}"', 'skill: 0.1, metrics: {acc: 0.99}');
    const without = await runs.run(boast.replace(/^.*name: evaluate.*$/m, ''));
    assert.match(
      (without.tasks.promote?.output as { reason: string }).reason,
      /was not measured: evaluate_model comes before promote_model/,
    );
    for (const raw of ['{"metrics": {"acc": -Infinity}}', '{"metrics": {"acc": 1e999}}', '{"champion": {}}', 'no JSON']) {
      const failing = boast
        .replace('{hard: "{{ params.hard }}"}', JSON.stringify({ raw }))
        .replace('promote_when:', 'trigger_rule: all_done, promote_when:');
      const { tasks } = await runs.run(failing);
      assert.equal(tasks.evaluate?.state, 'failed', raw);
      assert.match(tasks.evaluate.error ?? '', /metrics\.json of node|node has measured nothing/, raw);
      assert.equal((tasks.promote?.output as { promoted: boolean }).promoted, false);
    }
    assert.equal(await models.champion('unmeasured'), undefined);
  });

  it('versions of runs of one interval name the rows that trained them, and no others', async () => {
    const { runs, bucket } = models;
    const yaml = (retraining(models, 'segments').split('  - {name: unseen')[0] ?? '')
      .replace('params: {', 'params: {part: {type: integer, default: 0}, ')
      .replace(/where: "[^"]*"/, 'where: "id % 3 = {{ params.part }} AND id <= 100 - 10 * {{ params.part }}"');
    const train = /^ {2}- \{name: train.*$/m.exec(retraining(models, 'segments'))?.[0] ?? '';
    const found = await Promise.all([0, 1, 2].map((part) => runs.run(`${yaml}${train}`, { params: { part, kind: 'memorize' } })));
    const versions = found.map(({ tasks }) => (tasks.train?.output as { version: string }).version);
    assert.equal(new Set(versions).size, 3);
    for (const [part, version] of versions.entries()) {
      const folder = `models/segments/versions/${version}/`;
      const { rows } = JSON.parse(await bucket.text(`${folder}files/model.json`)) as { rows: string[] };
      const { lineage } = JSON.parse(await bucket.text(`${folder}version.json`)) as ModelVersion;
      const [dataset] = lineage.datasets;
      assert.ok(rows.length > 20 && rows.every((row) => Number(row.split(',')[0]) % 3 === part));
      assert.equal(dataset?.rows, rows.length);
      const manifest = await bucket.bytes(`${dataset.uri.replace(`s3://${bucket.name}/`, '')}manifest.json`);
      assert.equal(dataset.checksum, createHash('sha256').update(manifest).digest('hex'));
    }
  });
});

describe('undoes', () => {
  const compiled = (handlers: string) =>
    compiler.compile({
      file: 'case.yaml',
      text: `dag_id: d\ntasks:\n  - {name: make, type: sql, sql: SELECT 1}\n  - {name: use, type: sql, sql: SELECT 1}\n${handlers}`,
    });
  const codesOf = (handlers: string): string[] =>
    compiled(handlers).diagnostics.map(({ code, line, column, message, hint }) => `${code} ${line}:${column} ${message} ${hint ?? ''}`);

  it('names a task of the work of the run', () => {
    const { plan, diagnostics } = compiled('finally: [{name: remove, type: sql, sql: SELECT 1, undoes: make}]');
    assert.deepEqual([diagnostics, plan?.finally?.[0]?.undoes], [[], 'make']);
    assert.deepEqual(codesOf('finally: [{name: remove, type: sql, sql: SELECT 1, undoes: mak}]'), [
      "SL315 5:60 Task 'remove' undoes 'mak', which is not in `tasks`. did you mean 'make'?",
    ]);
    assert.match(codesOf('finally: [{name: remove, type: sql, sql: SELECT 1, undoes: remove}]')[0] ?? '', /tasks: make, use$/);
    assert.match(codesOf('  - {name: x, type: sql, sql: SELECT 1, undoes: make}')[0] ?? '', /^SL315 5:41 Task 'x' cannot undo another/);
    assert.match(codesOf('finally: [{name: x, type: sql, sql: SELECT 1, undoes: [make]}]')[0] ?? '', /^SL203 /);
    assert.match(codesOf('finally: [{name: x, type: sql, sql: SELECT 1, undoes: "{{ ds }}"}]')[0] ?? '', /^SL315 .*tasks: make, use$/);
  });
});
