import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import type { ModelVersion } from '../../../activities/support/models/model-registry.ts';
import type { RunResult } from '../../../workflows/plan/runs/run.ts';
import { createModelRuns, type ModelRuns } from '../../support/model-runs.ts';

describe('a training that sets the newest rows aside', function () {
  this.timeout('2m');
  let models: ModelRuns;

  before(async function () {
    this.timeout('20m');
    models = await createModelRuns();
    await models.runs.source.rows(`CREATE TABLE acts AS
      SELECT id, timestamptz '2026-11-26 00:00Z' + id % 100 * interval '1 minute' AS at, repeat('a,"', id % 3) AS note
      FROM generate_series(1, 300) AS id`);
  });
  after(() => models.close());

  interface Keys {
    readonly extract?: string;
    readonly split?: string;
    readonly evaluate?: string;
    readonly kind?: string;
  }

  function run(model: string, { extract = '', split = '{by: at, test: 20%}', evaluate = '', kind = 'memorize' }: Keys): Promise<RunResult> {
    const { bucket, store, runs, argv } = models;
    const keys = `model: ${model}, store: ${store}`;
    return runs.run(`
dag_id: split_${model}_${bucket.name.replace(/\W/g, '_')}
default_args: {retries: 0}
tasks:
  - {name: extract, type: postgres_to_s3, ${extract.includes('query:') ? '' : 'source_table: acts, '}s3_bucket: ${bucket.name}${extract}}
  - {name: train, type: train_model, ${keys}, argv: ${argv('train')}, params: {kind: ${kind}, skill: 0.4}, split: ${split}}
  - {name: evaluate, type: evaluate_model, ${keys}, argv: ${argv('evaluate')}, metrics: [acc]${evaluate}}
  - {name: promote, type: promote_model, ${keys}, promote_when: metrics.acc > champion.acc}
`);
  }

  async function rowsOf(model: string, version: string): Promise<{ trained: string[]; lineage: ModelVersion['lineage'] }> {
    const folder = `models/${model}/versions/${version}/`;
    const { rows: trained = [] } = JSON.parse(await models.bucket.text(`${folder}files/model.json`)) as { rows?: string[] };
    const { lineage } = JSON.parse(await models.bucket.text(`${folder}version.json`)) as ModelVersion;
    return { trained, lineage };
  }

  const outputOf = (result: RunResult, task: string): Record<string, unknown> => {
    assert.equal(result.state, 'success', JSON.stringify(result.tasks));
    return result.tasks[task]?.output as Record<string, unknown>;
  };

  it('trains on the older rows, is measured on the newer ones, and a model that knows its rows by heart wins nothing', async () => {
    const honest = outputOf(await run('newest', { kind: 'rule' }), 'promote');
    const memorized = await run('newest', {});
    const { promoted, reason } = outputOf(memorized, 'promote');
    assert.deepEqual(
      [promoted, reason],
      [false, 'metrics.acc > champion.acc: does not hold, with metrics {"acc":0}, champion {"acc":0.4}'],
    );
    assert.equal(await models.champion('newest'), honest.version);
    const { trained, lineage } = await rowsOf('newest', String(outputOf(memorized, 'train').version));
    const ids = trained.map((row) => Number(row.split(',')[0])).sort((a, b) => a - b);
    assert.deepEqual(
      ids,
      Array.from({ length: 300 }, (_, index) => index + 1).filter((id) => id % 100 < 80),
    );
    assert.deepEqual(
      [lineage.held_out?.by, lineage.held_out?.from, lineage.held_out?.dataset.rows, lineage.datasets[0]?.rows],
      ['at', '2026-11-26 01:20:00+00', 60, 300],
    );
    const keys = (await models.bucket.keys('models/newest/')).filter((key) => key.includes('/data/'));
    assert.ok(keys.length === 4 && keys.every((key) => key.includes('/data/test/')), keys.join());
  });

  it('splits JSON lines and columns by their own type; `time` is the only column of times', async () => {
    const json = await run('jsonl', { extract: ', file_format: jsonl, compression: none', split: '{by: time, test: 10%}', kind: 'rule' });
    const { lineage } = await rowsOf('jsonl', String((json.tasks.train?.output as { version: string }).version));
    assert.deepEqual([lineage.held_out?.by, lineage.held_out?.from, lineage.held_out?.dataset.rows], ['at', '2026-11-26 01:30:00+00', 30]);
    const ids = await run('ids', { extract: ', columns: [id]', split: '{by: id, test: 0.5%}' });
    const found = await rowsOf('ids', String(outputOf(ids, 'train').version));
    assert.deepEqual([found.trained.length, found.lineage.held_out?.from, found.lineage.held_out?.dataset.rows], [298, '299', 2]);
    assert.ok(found.trained.includes('100') && !found.trained.includes('299'));
  });

  it('an extract of rows that trained the version is refused, whichever pipeline has made it', async () => {
    const { bucket, store, runs, argv } = models;
    const keys = `model: overlap, store: ${store}`;
    const pipeline = (name: string, extract: string, rest: string): string => `
dag_id: ${name}_${bucket.name.replace(/\W/g, '_')}
default_args: {retries: 0}
tasks:
  - {name: extract, type: postgres_to_s3, ${extract}, s3_bucket: ${bucket.name}}
  - {name: model, ${keys}, ${rest}}
`;
    const trained = await runs.run(pipeline('trains', 'source_table: acts, where: id <= 200', `type: train_model, argv: ${argv('train')}`));
    const { version } = outputOf(trained, 'model') as { version: string };
    for (const [extract, seen] of [
      ['source_table: public.acts, columns: [id], where: id > 150', true],
      ['query: SELECT note FROM acts WHERE id BETWEEN 100 AND 120', true],
      [`query: 'SELECT a.* FROM acts a JOIN acts b ON b.id = a.id + 1 WHERE a.id > 150'`, true],
      [`query: 'SELECT id, max(at) AS at FROM acts WHERE id > 195 GROUP BY id'`, false],
      [`query: 'SELECT id, max(at) AS at FROM acts WHERE id > 150 GROUP BY id'`, true],
      [`query: 'SELECT a.note FROM acts a JOIN acts b ON b.id = a.id WHERE a.id > 200'`, false],
      [`query: 'SELECT a.id + 1000 AS id, a.at, a.note FROM acts a JOIN acts b ON b.id = a.id'`, false],
      ['source_table: acts, incremental: {column: at}', true],
      ['source_table: acts, where: id > 200', false],
    ] as const) {
      const evaluate = `type: evaluate_model, version: ${version}, argv: ${argv('evaluate')}`;
      const { tasks } = await runs.run(pipeline('measures', extract, evaluate));
      if (!seen) assert.equal(tasks.model?.state, 'success', JSON.stringify(tasks.model));
      else
        assert.match(
          tasks.model?.error ?? '',
          /(holds rows of it: acts where id <= 200, and \S+.*|and \d+ of the \d+ rows of s3:\S+, the data of this task, are rows of it, too)\. Measure it on data/,
          extract,
        );
    }
  });

  it('reports what cannot be split', async () => {
    for (const [keys, message] of [
      [
        { split: '{by: when, test: 20%}' },
        /`split` names the column 'when', and s3:.* has: id \(integer\), at \(timestamp with time zone\)/,
      ],
      [{ split: '{by: note, test: 20%}' }, /`split` cannot put rows in order by 'note', which is of type text/],
      [{ split: '{by: time, test: 20%}', extract: ', columns: [id]' }, /needs one column of dates or times, and s3:.* has no column/],
      [{ extract: ', where: id % 100 = 7' }, /leaves no row to train with: of its 3 rows/],
      [{ extract: ', where: id < 0' }, /has no rows: there is nothing to train with/],
      [
        { extract: ", query: 'SELECT id, CASE WHEN id > 3 THEN at END AS at FROM acts'" },
        /3 rows of s3:.* have no 'at', .*where: at IS NOT NULL/,
      ],
    ] as const) {
      const { tasks } = await run('refused', keys);
      assert.match(tasks.train?.error ?? '', message);
    }
  });
});
