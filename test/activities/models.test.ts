import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { after, before, describe, it } from 'mocha';
import { evaluateModel } from '../../activities/evaluate-model.ts';
import type { EvaluatedModel } from '../../activities/support/models/evaluate.ts';
import { MlflowClient } from '../../activities/support/models/mlflow/mlflow-client.ts';
import { MlflowRegistry } from '../../activities/support/models/mlflow/mlflow-registry.ts';
import type { Champion, Lineage, ModelRegistry, CurrentChampion } from '../../activities/support/models/model-registry.ts';
import type { Promotion } from '../../activities/support/models/promote.ts';
import { S3Registry } from '../../activities/support/models/s3-registry.ts';
import type { TrainedModel } from '../../activities/support/models/train.ts';
import { promoteModel } from '../../activities/promote-model.ts';
import { trainModel } from '../../activities/train-model.ts';
import { openStorage } from '../../activities/support/dataset/storage.ts';
import type { MlflowConnection } from '../../connections/mlflow.ts';
import { connectionsFrom } from '../../connections/connections.ts';
import { callHttp } from '../../lib/http.ts';
import { deleteObjects, getText, listObjects, openS3, parseS3Uri } from '../../lib/s3.ts';
import type { DatasetReference } from '../../workflows/plan/datasets/dataset.ts';
import type { JsonObject } from '../../workflows/plan/values/json.ts';
import { eventually } from '../support/eventually.ts';
import { failureOf } from '../support/failure-of.ts';
import { sluice } from '../support/processes.ts';
import { runTask, type TaskRun } from '../support/run-task.ts';
import { createBucket, putDataset } from '../support/s3-dataset.ts';
import { testStack } from '../support/test-stack.ts';
import type { PartName } from '../../dev/stack.ts';

const NODE = process.execPath;
const GATE = 'metrics.score >= champion.score + 0.1';

/** A trainer: its model is how many files it was given, and its score is a parameter. */
const TRAIN = `
  const fs = require('node:fs');
  const { score, marks } = JSON.parse(process.env.SLUICE_PARAMS);
  if (marks) fs.appendFileSync(marks, 'trained\\n');
  fs.mkdirSync(process.env.SLUICE_OUTPUT + '/inner');
  fs.writeFileSync(process.env.SLUICE_OUTPUT + '/inner/model.json', JSON.stringify({ score, files: fs.readdirSync(process.env.SLUICE_INPUT).sort() }));
  fs.writeFileSync(process.env.SLUICE_OUTPUT + '/metrics.json', JSON.stringify({ score }));`;

/** Measures what the models say of themselves. */
const EVALUATE = `
  const fs = require('node:fs');
  const score = (folder) => ({ score: JSON.parse(fs.readFileSync(folder + '/inner/model.json', 'utf8')).score });
  const { SLUICE_MODEL: model, SLUICE_CHAMPION: champion, SLUICE_OUTPUT: output } = process.env;
  fs.writeFileSync(output + '/metrics.json', JSON.stringify({ metrics: score(model), ...(champion && { champion: score(champion) }) }));`;

const LINEAGE: Lineage = {
  pipeline_run: 'dag/manual/1',
  task: 'train',
  plan_hash: '',
  data_interval: { start: '2024-01-01T00:00:00Z', end: '2024-01-02T00:00:00Z' },
  datasets: [],
  trainer: { program: 'none' },
  params: {},
};

interface Setting {
  readonly environment: Readonly<Record<string, string>>;
  readonly s3: S3Client;
  readonly store: string;
}

/** A registry, and how others than Sluice see who is in use. */
interface Kind {
  readonly name: string;
  readonly parts: readonly PartName[];
  readonly keys: JsonObject;
  open(setting: Setting, signal: AbortSignal): ModelRegistry;
  inUse(setting: Setting, model: string): Promise<string | undefined>;
  /** Takes away what others than Sluice read. */
  loseAlias(setting: Setting, model: string): Promise<void>;
  /** Makes it impossible to say who is champion, as people do by hand. */
  damage(setting: Setting, model: string): Promise<void>;
  /** Takes away the log of champions. */
  loseLog(setting: Setting, model: string): Promise<void>;
  /** What messages then name. */
  readonly damaged: RegExp;
}

const KINDS: readonly Kind[] = [
  {
    name: 'S3',
    parts: ['s3'],
    keys: {},
    open: ({ environment, store }, signal) => {
      const connection = connectionsFrom(environment).get('aws_default', ['aws']);
      return new S3Registry(openStorage(connection, 'aws_default'), store, signal);
    },
    inUse: async ({ s3, store }, model) => {
      const found = await getText(s3, parseS3Uri(`${store}/${model}/aliases/champion.json`), AbortSignal.timeout(5_000));
      return found && (JSON.parse(found.text) as { version: string }).version;
    },
    loseAlias: async ({ s3, store }, model) => {
      const { bucket, key } = parseS3Uri(`${store}/${model}/aliases/champion.json`);
      await deleteObjects(s3, bucket, [key], AbortSignal.timeout(5_000));
    },
    damage: async ({ s3, store }, model) => {
      const { bucket, key } = parseS3Uri(`${store}/${model}/aliases/champion.json`);
      await s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: '{"version": "v-9"}' }));
    },
    loseLog: async ({ s3, store }, model) => {
      const { bucket, key } = parseS3Uri(`${store}/${model}/champions/`);
      const objects = await listObjects(s3, { bucket, key }, AbortSignal.timeout(5_000));
      await deleteObjects(
        s3,
        bucket,
        objects.map((object) => object.key),
        AbortSignal.timeout(5_000),
      );
    },
    damaged: /aliases\/champion\.json is not an alias written by Sluice: the champion of model '.*' is unknown/,
  },
  {
    name: 'MLflow',
    parts: ['s3', 'mlflow'],
    keys: { registry_conn_id: 'mlflow_default' },
    open: ({ environment }, signal) => new MlflowRegistry(new MlflowClient(mlflowOf(environment), 'mlflow_default', signal)),
    inUse: async ({ environment }, model) => {
      const path = `api/2.0/mlflow/registered-models/alias?name=${model}&alias=champion`;
      const { status, body } = await callHttp(mlflowOf(environment), { path, signal: AbortSignal.timeout(5_000) });
      if (status !== 200) return undefined;
      const { model_version: version } = body as unknown as { model_version: { tags: { key: string; value: string }[] } };
      return version.tags.find(({ key }) => key === 'sluice.version')?.value;
    },
    loseAlias: async ({ environment }, model) => {
      await askMlflow(environment, 'registered-models/alias', { name: model, alias: 'champion' });
    },
    damage: async ({ environment }, model) => {
      await askMlflow(environment, 'registered-models/delete', { name: `${model}.champions` });
    },
    loseLog: async ({ environment }, model) => {
      await askMlflow(environment, 'registered-models/delete', { name: `${model}.champions` });
    },
    damaged: /The alias 'champion' of model '.*' in http.* is on version \d+, and .*\.champions, .*has no entry/,
  },
];

async function askMlflow(environment: Setting['environment'], path: string, body: JsonObject): Promise<void> {
  const call = { method: 'DELETE', path: `api/2.0/mlflow/${path}`, body, signal: AbortSignal.timeout(5_000) };
  assert.equal((await callHttp(mlflowOf(environment), call)).status, 200);
}

function mlflowOf(environment: Setting['environment']): MlflowConnection {
  return connectionsFrom(environment).get('mlflow_default', ['mlflow']);
}

let names = 0;
const run = randomUUID().slice(0, 8);

for (const kind of KINDS)
  describe(`models, with the registry in ${kind.name}`, function () {
    this.timeout(60_000);
    let environment: Readonly<Record<string, string>>;
    let s3: S3Client;
    let input: DatasetReference;
    /** What no training sees. */
    let later: DatasetReference;
    let store: string;
    let registry: ModelRegistry;
    const allowed = process.env['SLUICE_COMMANDS'];

    before(async function () {
      this.timeout('10m');
      ({ environment } = await testStack(kind.parts));
      s3 = openS3(connectionsFrom(environment).get('aws_default', ['aws']));
      const bucket = await createBucket(s3);
      store = `s3://${bucket}/registry`;
      input = await putDataset(s3, `s3://${bucket}/events/`, [{ name: 'id', type: 'bigint' }], [['1'], ['2']]);
      later = await putDataset(s3, `s3://${bucket}/later/`, [{ name: 'id', type: 'bigint' }], [['3']]);
      registry = kind.open({ environment, s3, store }, AbortSignal.timeout(600_000));
      process.env['SLUICE_COMMANDS'] = NODE;
    });
    after(() => {
      s3.destroy();
      if (allowed === undefined) delete process.env['SLUICE_COMMANDS'];
      else process.env['SLUICE_COMMANDS'] = allowed;
    });

    const unique = (): string => `model_${run}_${(names += 1)}`;
    const keys = (model: string): JsonObject => ({ model, store, ...kind.keys });
    const train = (model: string, params: JsonObject, more: Partial<TaskRun> & { script?: string } = {}): Promise<TrainedModel> => {
      const { script = TRAIN, ...rest } = more;
      return runTask<TrainedModel>(trainModel, {
        params: { ...keys(model), argv: [NODE, '-e', script], params },
        environment,
        input,
        task: 'train',
        ...rest,
      });
    };
    const evaluate = (model: string, version: string, more: JsonObject = {}, data = later): Promise<EvaluatedModel> =>
      runTask<EvaluatedModel>(evaluateModel, {
        params: { ...keys(model), version, argv: [NODE, '-e', EVALUATE], ...more },
        environment,
        input: data,
        task: 'evaluate',
        runId: version,
      });
    const promote = (model: string, version: string, more: JsonObject = { promote_when: GATE }, runId = version): Promise<Promotion> =>
      runTask<Promotion>(promoteModel, { params: { ...keys(model), version, ...more }, environment, task: 'promote', runId });
    /** A version of a run of its own. */
    const made = async (model: string, score: number): Promise<string> =>
      (await train(model, { score }, { runId: `${model}/${score}` })).version;
    const measured = async (model: string, score: number, data: string | null = later.uri): Promise<string> => {
      const version = await made(model, score);
      await registry.saveEvaluation(model, version, { metrics: { score }, data, ...(data !== null && { terms: data }) });
      return version;
    };
    const read = async (path: string): Promise<unknown> => {
      const found = await getText(s3, parseS3Uri(`${store}/${path}`), AbortSignal.timeout(5_000));
      return found && (JSON.parse(found.text) as unknown);
    };
    const sluiceModels = (...args: string[]) => {
      const registryArgs = Object.values(kind.keys).flatMap((name) => ['--registry-conn-id', String(name)]);
      return sluice(['models', ...args, '--store', store, ...registryArgs], environment);
    };
    const championOf = async (model: string): Promise<string | undefined> => {
      const inUse = await kind.inUse({ environment, s3, store }, model);
      assert.equal((await registry.champion(model))?.champion.version ?? undefined, inUse);
      return inUse;
    };
    /** A version that nobody has trained. */
    const registered = async (model: string, score: number): Promise<string> => {
      const uri = `${store}/${model}/versions/v-${score}/files/`;
      const { bucket, key } = parseS3Uri(uri);
      await s3.send(new PutObjectCommand({ Bucket: bucket, Key: `${key}model.json`, Body: '{}' }));
      const { version } = await registry.register({ model, uri, metrics: { score }, lineage: LINEAGE });
      await registry.saveEvaluation(model, version, { metrics: { score }, data: later.uri, terms: later.uri });
      return version;
    };
    /** One after the other: MLflow answers 500 when its database is busy, which a task asks again. */
    const allRegistered = async (model: string, scores: readonly number[]): Promise<string[]> => {
      const versions: string[] = [];
      for (const score of scores) versions.push(await registered(model, score));
      return versions;
    };

    describe('train_model', () => {
      it('registers what a program has left, and what it was made of', async () => {
        const model = unique();
        const { version, uri, metrics } = await train(
          model,
          { score: 1 },
          { runId: 'dag/manual/1', interval: { start: '2024-01-01T00:00:00Z', end: '2024-01-02T00:00:00Z' } },
        );
        assert.match(version, /^20240102T000000Z-[0-9a-f]{8}$/);
        assert.equal(uri, `${store}/${model}/versions/${version}/files/`);
        assert.deepEqual(metrics, { score: 1 });
        assert.deepEqual(await read(`${model}/versions/${version}/files/inner/model.json`), {
          score: 1,
          files: ['manifest.json', 'part-00000.csv.gz'],
        });
        const found = await registry.find(model, version);
        const [dataset] = found?.lineage.datasets ?? [];
        assert.deepEqual([dataset?.checksum?.length, dataset?.contents?.length], [64, 64]);
        assert.deepEqual(found, {
          model,
          version,
          uri,
          metrics,
          lineage: {
            pipeline_run: 'dag/manual/1',
            task: 'train',
            plan_hash: '',
            data_interval: { start: '2024-01-01T00:00:00Z', end: '2024-01-02T00:00:00Z' },
            datasets: [{ uri: input.uri, rows: 2, checksum: dataset?.checksum, contents: dataset?.contents }],
            trainer: { program: `${NODE} -e ${TRAIN}` },
            params: { score: 1 },
          },
          files: found?.files,
        });
        assert.deepEqual([found?.files?.count, ((await read(`${model}/versions/${version}/files.json`)) as unknown[]).length], [2, 2]);
        assert.deepEqual(await registry.findAt(model, uri), found);
      });

      it('trains on the files of the manifest, and on no others', async () => {
        const uri = `${store}/${unique()}/`;
        const data = await putDataset(s3, uri, [{ name: 'id', type: 'bigint' }], [['1'], ['2']]);
        const { bucket, key } = parseS3Uri(uri);
        const put = (name: string, Body: string) => s3.send(new PutObjectCommand({ Bucket: bucket, Key: key + name, Body }));
        await put('part-00001.csv.gz', 'of an attempt that failed');
        const model = unique();
        const { version } = await train(model, { score: 1 }, { input: data });
        assert.deepEqual(await read(`${model}/versions/${version}/files/inner/model.json`), {
          score: 1,
          files: ['manifest.json', 'part-00000.csv.gz'],
        });
        await put('part-00000.csv.gz', 'of another run');
        const error = await failureOf(train(unique(), { score: 1 }, { input: data }));
        assert.deepEqual([error.type, error.nonRetryable === true], ['DatasetChanged', false]);
      });

      it('registers nothing where the data was written again meanwhile', async () => {
        const uri = `${store}/${unique()}/`;
        const schema = [{ name: 'id', type: 'bigint' }];
        const data = await putDataset(s3, uri, schema, [['1'], ['2']]);
        const model = unique();
        const marks = join(tmpdir(), `sluice-${process.pid}-${model}`);
        const waits = `const { existsSync, writeFileSync } = require('node:fs'); writeFileSync('${marks}-begun', '');
          while (!existsSync('${marks}-go')) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);`;
        const training = train(model, { score: 1 }, { input: data, script: `${waits} ${TRAIN}` });
        await eventually(() => Promise.resolve(assert.ok(existsSync(`${marks}-begun`))), 20_000);
        await putDataset(s3, uri, schema, [['3'], ['4']]);
        writeFileSync(`${marks}-go`, '');
        const error = await failureOf(training);
        assert.equal(error.type, 'DatasetChanged');
        assert.deepEqual(await registry.versions(model), []);
        for (const mark of [`${marks}-begun`, `${marks}-go`]) rmSync(mark);
      });

      it('starts no training where the champion is unknown, or is deleted in MLflow', async () => {
        const model = unique();
        const [first, second] = [await made(model, 1), await made(model, 2)];
        for (const version of [first, second]) await promote(model, version, {}, version);
        const marks = join(tmpdir(), `sluice-${process.pid}-${model}`);
        const again = () => train(model, { score: 3, marks }, { runId: `${model}/3` });
        await kind.damage({ environment, s3, store }, model);
        assert.match((await failureOf(again())).message, kind.damaged);
        assert.equal((await sluiceModels('promote', model, first)).code, 0);
        if (kind.name === 'MLflow') {
          await sluiceModels('promote', model, second);
          await askMlflow(environment, 'model-versions/delete', { name: model, version: '2' });
          const gone = await failureOf(again());
          assert.deepEqual([gone.type, gone.nonRetryable], ['DatasetNotFound', true]);
          assert.match(gone.message, /the champion, was deleted in http.*`sluice models rollback \S+ --registry-conn-id mlflow_default`/);
          assert.match((await sluiceModels('list')).stdout, new RegExp(`^${model} +[?] ${second} `, 'm'));
          const back = await sluiceModels('rollback', model);
          assert.deepEqual([back.code, await championOf(model)], [0, first], back.stderr);
        }
        assert.equal(existsSync(marks), false, 'nothing was paid for');
        await again();
        rmSync(marks);
      });

      it('registers the same files once, and what was there first stays', async () => {
        const model = unique();
        const draft = { model, uri: `${store}/${model}/versions/v-1/files/`, lineage: LINEAGE };
        const first = await registry.register({ ...draft, metrics: { score: 1 } });
        assert.deepEqual(await registry.register({ ...draft, metrics: { score: 2 } }), first);
        const other = { ...draft, uri: `${store}/${model}/versions/v-2/files/` };
        const at = await Promise.all([1, 2, 3, 4].map((score) => registry.register({ ...other, metrics: { score } })));
        assert.deepEqual(at, Array(4).fill(await registry.find(model, 'v-2')));
      });

      it('trains once in a run, however often the task is attempted', async () => {
        const model = unique();
        const marks = join(tmpdir(), `sluice-${process.pid}-${model}`);
        const [first, second] = [await train(model, { score: 1, marks }), await train(model, { score: 1, marks }, { attempt: 2 })];
        assert.deepEqual(second, first);
        assert.equal(readFileSync(marks, 'utf8'), 'trained\n');
        rmSync(marks);
        assert.notEqual((await train(model, { score: 1 }, { runId: 'dag/manual/another' })).version, first.version);
      });

      it('an attempt that the server has given up, and that continues, changes nothing of the version that the next one has registered', async () => {
        const model = unique();
        const marks = join(tmpdir(), `sluice-${process.pid}-${model}`);
        const waits = `const { existsSync, writeFileSync } = require('node:fs'); writeFileSync('${marks}-begun', '');
          while (!existsSync('${marks}-go')) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);`;
        const late = train(model, { score: 1 }, { script: `${waits} ${TRAIN}` });
        await eventually(() => Promise.resolve(assert.ok(existsSync(`${marks}-begun`))), 20_000);
        const registered = await train(model, { score: 2 }, { attempt: 2 });
        writeFileSync(`${marks}-go`, '');
        assert.deepEqual(await late, registered);
        const { metrics } = await evaluate(model, registered.version);
        assert.deepEqual(metrics, { score: 2 });
        const { bucket, key } = parseS3Uri(`${store}/${model}/versions/${registered.version}/files`);
        const kept = (await listObjects(s3, { bucket, key }, AbortSignal.timeout(5_000))).map((each) => each.key.slice(key.length));
        assert.deepEqual(kept.sort(), ['-2.json', '-2/inner/model.json', '-2/metrics.json']);
        for (const mark of [`${marks}-begun`, `${marks}-go`]) rmSync(mark);
      });

      it('trains as the user of SLUICE_RUN_AS', async function () {
        if (process.getuid?.() !== 0) return this.skip();
        process.env['SLUICE_RUN_AS'] = 'nobody';
        try {
          const { metrics } = await train(unique(), { score: 1 }, { script: `${TRAIN}; if (process.getuid() === 0) process.exit(1)` });
          assert.deepEqual(metrics, { score: 1 });
        } finally {
          delete process.env['SLUICE_RUN_AS'];
        }
      });

      it('registers nothing that is not a model', async () => {
        const model = unique();
        const nothing = await failureOf(train(model, { score: 1 }, { script: '0' }));
        assert.deepEqual([nothing.type, nothing.nonRetryable], ['DatasetNotFound', true]);
        assert.match(nothing.message, /ended well but wrote nothing to the folder that SLUICE_OUTPUT names/);
        for (const value of ['NaN', 'Infinity', '-Infinity', '1e999', '-1e999']) {
          const script = TRAIN.replace('JSON.stringify({ score })', `'{"score": ${value}}'`);
          const poisoned = await failureOf(train(model, { score: 1 }, { script }));
          assert.match(poisoned.message, /'score' in metrics\.json of .* is (null|-?Infinity), and must be a finite number\./, value);
        }
        assert.equal((await failureOf(train(model, {}, { script: 'process.exit(3)' }))).type, 'JobFailed');
        assert.equal((await failureOf(promote(model, '20240102T000000Z-00000000'))).type, 'DatasetNotFound');
      });
    });

    describe('evaluate_model', () => {
      it('measures the champion on the same data', async () => {
        const model = unique();
        const [first, second] = [await made(model, 1), await made(model, 2)];
        assert.deepEqual(await evaluate(model, first), {
          model,
          version: first,
          metrics: { score: 1 },
          champion: {},
          champion_version: null,
        });
        await promote(model, first);
        assert.deepEqual(await evaluate(model, second), {
          model,
          version: second,
          metrics: { score: 2 },
          champion: { score: 1 },
          champion_version: first,
        });
      });

      it('refuses the data that trained the version', async () => {
        const model = unique();
        const error = await failureOf(evaluate(model, await made(model, 1), {}, input));
        assert.deepEqual([error.type, error.nonRetryable], ['DataMismatch', true]);
        assert.match(error.message, /was trained on s3:.*\/events\/, the data of this task\. Measure it on data that it has not seen/);
      });

      it('refuses another extract of the rows that trained the version', async () => {
        const model = unique();
        const again = await putDataset(s3, `${store}/again/`, [{ name: 'id', type: 'bigint' }], [['1'], ['2']]);
        const error = await failureOf(evaluate(model, await made(model, 1), {}, again));
        assert.equal(error.type, 'DataMismatch');
        assert.match(error.message, /was trained on s3:.*\/events\/, and s3:.*\/again\/, the data of this task, holds the same files\./);
      });

      it('compares the rows of data without a source, and refuses more equal ones than chance explains', async () => {
        const model = unique();
        const data = (name: string, rows: readonly (string | null)[][], names = ['id', 'label']): Promise<DatasetReference> =>
          putDataset(
            s3,
            `${store}/${model}/${name}/`,
            names.map((column) => ({ name: column, type: 'text' })),
            rows.map((row) => [...row]),
          );
        const numbers = [...Array(20).keys()];
        const seen = await data(
          'seen',
          numbers.map((id) => [String(id), id % 2 ? 'yes' : null]),
        );
        const { version } = await train(model, { score: 1 }, { input: seen });
        for (const [name, rows, names, shared] of [
          ['shifted', numbers.map((id) => [String(id + 10), id % 2 ? 'yes' : null]), undefined, 10],
          ['reordered', numbers.map((id) => [id % 2 ? 'yes' : null, 'x', String(19 - id)]), ['label', 'more', 'id'], undefined],
          ['later', numbers.map((id) => [String(id + 20), id % 2 ? 'yes' : null]), undefined, undefined],
          ['same ids', numbers.map((id) => [String(id), id % 2 ? 'no' : '']), undefined, undefined],
          ['labels', numbers.map((id) => [id % 2 ? 'yes' : null]), ['label'], undefined],
          ['others', numbers.map((id) => [String(id)]), ['number'], undefined],
          ['ids', numbers.map((id) => [String(id + 15)]), ['id'], 5],
        ] as const) {
          const measured = evaluate(
            model,
            version,
            {},
            await data(name.replace(' ', '-'), rows as (string | null)[][], names && [...names]),
          );
          if (shared === undefined) await measured;
          else
            assert.match(
              (await failureOf(measured)).message,
              new RegExp(`, and ${shared} of the 20 rows of s3:.*, are rows of it, too\\.`),
              name,
            );
        }
      });

      it('compares with a champion that was measured by the same program, with the same parameters, on the same rows', async () => {
        const model = unique();
        const [one, two, three] = [await made(model, 1), await made(model, 2), await made(model, 3)];
        const elsewhere = await putDataset(s3, `${store}/${model}-later/`, [{ name: 'id', type: 'bigint' }], [['3']]);
        await evaluate(model, one, { params: { hard: 1 } });
        await evaluate(model, two);
        await evaluate(model, three, {}, elsewhere);
        await promote(model, one, {}, 'first');
        const other = await promote(model, two);
        assert.match(other.reason, /has become champion since, and was not measured on the same terms \(data, program, parameters\)/);
        await promote(model, two, {}, 'by hand');
        assert.equal((await promote(model, three)).reason, `${GATE}: holds, with metrics {"score":3}, champion {"score":2}`);
      });

      it('fails where a required metric was not measured', async () => {
        const model = unique();
        const error = await failureOf(evaluate(model, await made(model, 1), { metrics: ['score', 'ndcg_at_10'] }));
        assert.equal(error.type, 'DataMismatch');
        assert.match(error.message, /has measured score, and not ndcg_at_10/);
      });
    });

    describe('promote_model', () => {
      it('makes the first version champion, and then only what passes the gate', async () => {
        const model = unique();
        const [one, worse, better] = [await measured(model, 1), await measured(model, 1.05), await measured(model, 1.2)];
        const { champion_uri: at, ...first } = await promote(model, one);
        assert.deepEqual(first, {
          model,
          version: one,
          promoted: true,
          previous: null,
          champion_version: one,
          reason: 'it is the first',
        });
        assert.equal(at, `${store}/${model}/versions/${one}/files/`);
        const refused = await promote(model, worse);
        assert.deepEqual(
          [refused.promoted, refused.champion_version, refused.champion_uri, await championOf(model)],
          [false, one, at, one],
        );
        assert.match(
          refused.reason,
          /^metrics\.score >= champion\.score \+ 0\.1: does not hold, with metrics \{"score":1\.05\}, champion \{"score":1\}$/,
        );
        const taken = await promote(model, better);
        assert.deepEqual([taken.promoted, taken.previous, await championOf(model)], [true, one, better]);
        // The answer was lost on its way: the next attempt gives the same.
        const again = await promote(model, better);
        assert.deepEqual([again.promoted, again.previous], [true, one]);
      });

      it('asks of the first version what the gate asks of itself', async () => {
        const model = unique();
        const version = await measured(model, 1);
        assert.equal((await promote(model, version, { promote_when: `metrics.score > 5.0 && ${GATE}` })).promoted, false);
        const error = await failureOf(promote(model, version, { promote_when: 'metrics.recall > champion.recall' }));
        assert.equal(error.type, 'InvalidParameters');
        assert.equal(await championOf(model), undefined);
        assert.equal((await promote(model, version, { promote_when: `metrics.score > 0.5 && ${GATE}` })).promoted, true);
      });

      it('never lets the worse of several at once have the last word', async () => {
        const model = unique();
        const versions = await allRegistered(model, [3, 8, 1, 6, 2, 7, 5, 4]);
        for (let round = 0; round < 3; round++) {
          await Promise.all(versions.map((version) => promote(model, version, { promote_when: GATE }, `${version}/${round}`)));
          assert.equal(await championOf(model), versions[1]);
          // The worst has the next round begin.
          await promote(model, versions[2] ?? '', {}, `worst/${round}`);
        }
      });

      it('lets exactly one of several begin where another has ended', async () => {
        const model = unique();
        const [first, ...others] = await allRegistered(model, [1, 2, 3, 4, 5]);
        const crown = (version: string, before?: CurrentChampion) =>
          registry.crown(model, { version, previous: null, promoted_by: 'x' }, before);
        assert.equal(await crown(first ?? ''), true);
        const before = await registry.champion(model);
        const crowned = await Promise.all(others.map((version) => crown(version, before)));
        assert.equal(crowned.filter(Boolean).length, 1);
        assert.equal(await championOf(model), others[crowned.indexOf(true)]);
        assert.equal(await crown(first ?? '', before), false);
        assert.equal(await crown(first ?? ''), false);
      });

      it('promotes nothing on what the trainer says, and compares only what was measured on the same data', async () => {
        const model = unique();
        const unmeasured = await promote(model, await made(model, 9));
        assert.match(unmeasured.reason, /was not measured: evaluate_model comes before promote_model/);
        const [hard, easy] = [await measured(model, 0.9, 's3://b/hard/'), await measured(model, 2, 's3://b/easy/')];
        await promote(model, hard);
        const other = await promote(model, easy);
        assert.match(other.reason, /^\S+ has become champion since, and was not measured on the same terms/);
        assert.deepEqual([unmeasured.promoted, other.promoted, await championOf(model)], [false, false, hard]);
      });

      it('neither measures nor promotes a version whose files are gone, or are others', async () => {
        const model = unique();
        const [fine, hurt] = [await measured(model, 1), await measured(model, 2)];
        await promote(model, fine);
        const { bucket, key } = parseS3Uri(`${store}/${model}/versions/${hurt}/files/`);
        const put = (name: string, Body: string) => s3.send(new PutObjectCommand({ Bucket: bucket, Key: key + name, Body }));
        await put('inner/model.json', '{"score": 9}');
        for (const refused of [await failureOf(evaluate(model, hurt)), await failureOf(promote(model, hurt))]) {
          assert.deepEqual([refused.type, refused.nonRetryable], ['DatasetNotFound', true]);
          assert.match(
            refused.message,
            /^The files of version '.*' of model '.*' are not those .*, inner\/model\.json has changed\. Restore/,
          );
        }
        await put('more.json', '{}');
        await deleteObjects(s3, bucket, [`${key}inner/model.json`], AbortSignal.timeout(5_000));
        const { message } = await failureOf(promote(model, hurt, {}, 'without a gate'));
        assert.match(message, /inner\/model\.json is missing, more\.json was added/);
        await deleteObjects(s3, bucket, [`${key}more.json`, `${key}metrics.json`], AbortSignal.timeout(5_000));
        assert.match((await failureOf(promote(model, hurt))).message, /are gone: s3:.*\/files\/ is empty/);
        assert.equal(await championOf(model), fine);
      });

      it('compares with the champion before where the files of the champion are gone, which stops no training', async () => {
        const model = unique();
        const [good, best, poor, better] = [await made(model, 1), await made(model, 2), await made(model, 0.5), await made(model, 1.5)];
        for (const version of [good, best]) await promote(model, version, {}, `first ${version}`);
        const { bucket, key } = parseS3Uri(`${store}/${model}/versions/${best}/files/`);
        await deleteObjects(s3, bucket, [`${key}inner/model.json`, `${key}metrics.json`], AbortSignal.timeout(5_000));
        for (const version of [poor, better]) {
          const { champion_version, champion } = await evaluate(model, version);
          assert.deepEqual([champion_version, champion], [good, { score: 1 }]);
        }
        assert.equal((await promote(model, poor)).promoted, false, 'poor is not the first');
        assert.deepEqual([(await promote(model, better)).promoted, await championOf(model)], [true, better]);

        const alone = unique();
        const [gone, next] = [await made(alone, 2), await made(alone, 1)];
        await promote(alone, gone, {}, 'first');
        await deleteObjects(s3, bucket, [`registry/${alone}/versions/${gone}/files/inner/model.json`], AbortSignal.timeout(5_000));
        await evaluate(alone, next);
        const { promoted, reason } = await promote(alone, next);
        assert.deepEqual(
          [promoted, reason],
          [true, `the champion, ${gone}, cannot be compared with, nor can those before it: their versions or files are gone`],
        );
      });

      it('finds the champion where the alias is lost, and refuses what is ambiguous', async () => {
        const model = unique();
        const [best, poor] = [await measured(model, 2), await measured(model, 1)];
        await promote(model, best);
        await kind.loseAlias({ environment, s3, store }, model);
        assert.deepEqual([(await promote(model, poor)).promoted, await championOf(model)], [false, best]);
        await kind.damage({ environment, s3, store }, model);
        for (const error of [await failureOf(promote(model, poor)), await failureOf(evaluate(model, poor))]) {
          assert.deepEqual([error.type, error.nonRetryable], ['DataMismatch', true]);
          assert.match(error.message, kind.damaged);
          assert.match(error.message, /`sluice models promote \S+ VERSION` names the one in use/);
        }
        const { code, stderr } = await sluiceModels('promote', model, best);
        assert.deepEqual([code, await championOf(model)], [0, best], stderr);
      });

      it('calls no version the first where others were compared with a champion, and the log of champions is lost', async () => {
        const model = unique();
        const [best, poor, poorer] = [await made(model, 3), await made(model, 2), await made(model, 1)];
        await promote(model, best, {}, 'first');
        await evaluate(model, poor);
        for (const lose of [kind.loseAlias, kind.loseLog]) await lose({ environment, s3, store }, model);
        await evaluate(model, poorer);
        for (const version of [poor, poorer]) {
          const error = await failureOf(promote(model, version));
          assert.deepEqual([error.type, error.nonRetryable], ['DataMismatch', true]);
          assert.match(error.message, new RegExp(`^The log of champions of model '${model}' in .* is lost: .* the champion '${best}'\\.`));
        }
        const { code, stderr } = await sluiceModels('promote', model, best);
        assert.deepEqual([code, await championOf(model)], [0, best], stderr);
        assert.equal((await promote(model, poor)).promoted, false);
      });

      it('takes a promotion back, and only its own', async () => {
        const model = unique();
        const [old, bad, newer] = [await measured(model, 1), await measured(model, 2), await measured(model, 3)];
        await promote(model, old);
        const { previous } = await promote(model, bad);
        const back = await promote(model, previous ?? '', { instead_of: bad }, 'back');
        assert.deepEqual([back.promoted, await championOf(model)], [true, old]);
        await promote(model, newer);
        const late = await promote(model, old, { instead_of: bad }, 'late');
        assert.deepEqual([late.promoted, await championOf(model)], [false, newer]);
        assert.match(late.reason, /the champion is .* now, and not /);
      });
    });

    describe('sluice models', () => {
      it('shows the versions and the champion, and promotes, rolls back and clears by hand', async () => {
        const model = unique();
        const [one, two] = [await measured(model, 1), await measured(model, 2)];
        for (const version of [one, two]) assert.equal((await sluiceModels('promote', model, version, '--as', 'ann')).code, 0);
        const shown = JSON.parse((await sluiceModels('show', model, '-o', 'json')).stdout) as {
          champion: Champion;
          versions: { version: string }[];
          history: Champion[];
        };
        assert.deepEqual([shown.champion.version, shown.champion.previous, shown.champion.promoted_by], [two, one, 'ann']);
        assert.deepEqual(new Set(shown.versions.map(({ version }) => version)), new Set([one, two]));
        assert.deepEqual(
          shown.history.map(({ version }) => version),
          [two, one],
        );
        assert.match((await sluiceModels('list')).stdout, new RegExp(`^${model} +${two} .* ann +2 `, 'm'));
        assert.match((await sluiceModels('show', model)).stdout, new RegExp(`the champion is ${two}\\n[^]*${one} +score=1 `));
        assert.match((await sluiceModels('show', model, one)).stdout, /files +s3:.* whole\n[^]*measured +score=1\n/);
        assert.deepEqual([(await sluiceModels('rollback', model)).stdout, await championOf(model)], [`${one}\n`, one]);
        const further = await sluiceModels('rollback', model);
        assert.equal(further.code, 1);
        assert.match(further.stderr, /has no champion before .* that can be used: there was none\. `sluice models promote/);
        assert.deepEqual([(await sluiceModels('clear', model)).code, await championOf(model)], [0, undefined]);
        assert.deepEqual([(await sluiceModels('rollback', model)).stdout, await championOf(model)], [`${one}\n`, one]);
      });

      it('reports what cannot be done, and changes nothing', async () => {
        const model = unique();
        const [one, hurt] = [await measured(model, 1), await measured(model, 2)];
        await promote(model, one);
        const { bucket, key } = parseS3Uri(`${store}/${model}/versions/${hurt}/files/`);
        await deleteObjects(s3, bucket, [`${key}metrics.json`], AbortSignal.timeout(5_000));
        for (const [args, expected] of [
          [['promote', model, 'v-9'], `Model '${model}' has no version 'v-9' in .*: the newest are `],
          [['promote', model, hurt], 'metrics.json is missing'],
          [['show', 'nobody'], "Model 'nobody' does not exist in "],
          [['rollback', 'nobody'], "Model 'nobody' has never had a champion"],
          [['clear', 'nobody'], "Model 'nobody' has no champion"],
          [['show', '../x'], "'../x' is not a valid model name"],
        ] as const) {
          const { code, stdout, stderr } = await sluiceModels(...args);
          assert.deepEqual([code, stdout], [1, ''], args.join(' '));
          assert.match(stderr, new RegExp(expected), args.join(' '));
          assert.doesNotMatch(stderr, /Internal error/);
        }
        assert.equal(await championOf(model), one);
      });
    });
  });
