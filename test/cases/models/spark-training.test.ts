import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'mocha';
import type { ModelVersion } from '../../../activities/support/models/model-registry.ts';
import type { TrainedModel } from '../../../activities/support/models/train.ts';
import { trainModel } from '../../../activities/train-model.ts';
import { getText, parseS3Uri } from '../../../lib/s3.ts';
import { failureOf } from '../../support/failure-of.ts';
import { poll } from '../../support/eventually.ts';
import { runTask, type TaskRun } from '../../support/run-task.ts';
import { objectNames, putDataset } from '../../support/s3-dataset.ts';
import { sparkSetting } from '../../support/spark-setting.ts';

describe('a training by Spark that sets rows aside', function () {
  this.timeout(240_000);
  const setting = sparkSetting();

  it('holds what its own attempt has written, also where the job of an attempt on another host continues', async () => {
    const { environment, s3, bucket, folder } = setting;
    const rows = [...Array(20).keys()].map((id) => [String(id)]);
    const input = await putDataset(s3, `s3://${bucket}/rows/`, [{ name: 'id', type: 'bigint' }], rows);
    const [marks, until] = [join(folder, 'marks'), join(folder, 'until')];
    const keys = { model: 'm', store: `s3://${bucket}/models`, job_name: 'trains' };
    const params = { ...keys, params: { marks, until }, split: { by: 'id', test: '20%' } };
    const attempt = (state: string, more: Partial<TaskRun>): Promise<TrainedModel> => {
      // Each host has a folder of its own.
      process.env['SLUICE_STATE'] = join(folder, state);
      return runTask<TrainedModel>(trainModel, { params, environment, input, task: 'train', ...more });
    };
    const late = attempt('host-1', {});
    await Promise.race([late, poll<true>('the rows of the first job', () => existsSync(marks) || undefined, 200)]);
    const trained = await attempt('host-2', { attempt: 2 });
    assert.deepEqual(trained.metrics, { is_first: 0 });
    writeFileSync(until, '');
    // What it has written is gone: nobody waits for its answer.
    assert.equal((await failureOf(late)).type, 'DatasetNotFound');

    const home = `s3://${bucket}/models/m/versions/${trained.version}/`;
    const names = (await objectNames(s3, home)).filter((name) => name.endsWith('.json') && !name.includes('_'));
    assert.deepEqual(
      names.filter((name) => /^files.*\/rows\//.test(name)).map((name) => name.slice(0, name.lastIndexOf('/'))),
      ['files-2/rows'],
      names.join(),
    );
    const text = async (name: string): Promise<string> =>
      (await getText(s3, parseS3Uri(home + name), AbortSignal.timeout(5_000)))?.text ?? '';
    const [file = ''] = names.filter((name) => name.startsWith('files-2/rows/'));
    const ids = (await text(file)).split('\n').filter(Boolean);
    assert.deepEqual(
      ids.map((line) => (JSON.parse(line) as { id: number }).id),
      [...Array(16).keys()],
    );
    const { lineage } = JSON.parse(await text('version.json')) as ModelVersion;
    assert.deepEqual([lineage.held_out?.by, lineage.held_out?.from, lineage.held_out?.dataset.rows], ['id', '16', 4]);
  });
});
