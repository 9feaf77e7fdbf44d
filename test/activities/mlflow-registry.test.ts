import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, afterEach, before, describe, it } from 'mocha';
import { MlflowClient } from '../../activities/support/models/mlflow/mlflow-client.ts';
import type { MlflowVersion } from '../../activities/support/models/mlflow/mlflow-versions.ts';
import { MlflowRegistry } from '../../activities/support/models/mlflow/mlflow-registry.ts';
import type { Champion, Lineage } from '../../activities/support/models/model-registry.ts';
import type { Promotion } from '../../activities/support/models/promote.ts';
import { promoteModel } from '../../activities/promote-model.ts';
import type { MlflowConnection } from '../../connections/mlflow.ts';
import { connectionsFrom } from '../../connections/connections.ts';
import { callHttp } from '../../lib/http.ts';
import type { JsonObject } from '../../workflows/plan/values/json.ts';
import { createBucket, type TestBucket } from '../support/buckets.ts';
import { failureOf } from '../support/failure-of.ts';
import { type HttpFront, httpFront, type Misbehaviour } from '../support/http-front.ts';
import { startProcess } from '../support/processes.ts';
import { runTask, type TaskRun } from '../support/run-task.ts';
import { testStack } from '../support/test-stack.ts';

const LINEAGE: Lineage = {
  pipeline_run: 'dag/manual/1',
  task: 'train',
  plan_hash: 'abc',
  data_interval: { start: '2024-01-01T00:00:00Z', end: '2024-01-02T00:00:00Z' },
  datasets: [{ uri: 's3://raw-data/events/', rows: 2 }],
  trainer: { program: 'train_recommendations' },
  params: { rank: 16, 'odd@name': 1 },
};

interface Entry {
  readonly key: string;
  readonly value: unknown;
}

interface Run {
  readonly info: { readonly run_name: string; readonly status: string; readonly experiment_id: string };
  readonly data: { readonly metrics: Entry[]; readonly params: Entry[]; readonly tags: Entry[] };
  readonly inputs: { readonly dataset_inputs: readonly { readonly dataset: { readonly name: string } }[] };
}

interface Experiment {
  readonly experiment: { readonly experiment_id: string };
}

const PASSWORD = 'p@ssword-of-mlflow';
const CLAIM = /^POST .*model-versions\/create/;
const MOVE = /^POST .*registered-models\/alias/;

describe('the registry in MLflow', function () {
  this.timeout(60_000);
  let mlflow: MlflowConnection;
  let front: HttpFront;
  /** Where the files of the versions are. */
  let store: TestBucket;
  let registry: MlflowRegistry;
  /** Whose calls pass the front. */
  let fronted: MlflowRegistry;

  before(async function () {
    this.timeout('10m');
    mlflow = connectionsFrom((await testStack(['mlflow'])).environment).get('mlflow_default', ['mlflow']);
    store = await createBucket();
    front = await httpFront(mlflow.url);
    registry = new MlflowRegistry(new MlflowClient(mlflow, 'mlflow_default', AbortSignal.timeout(600_000)));
    const url = `http://127.0.0.1:${front.port}`;
    fronted = new MlflowRegistry(new MlflowClient({ ...mlflow, url }, 'mlflow_default', AbortSignal.timeout(600_000)));
  });
  after(async () => {
    front.close();
    await store.drop();
  });
  afterEach(() => {
    front.rule = undefined;
  });

  const unique = (): string => `model_${randomUUID().slice(0, 8)}`;
  const register = async (model: string, score: number, params: JsonObject = {}): Promise<string> => {
    const files = `${model}/versions/v-${score}/files/`;
    await store.put(`${files}model.bin`, 'x');
    const uri = `s3://${store.name}/${files}`;
    return (await registry.register({ model, uri, metrics: { score }, lineage: { ...LINEAGE, params } })).version;
  };
  const champion = (version: string, previous: string | null = null): Champion => ({ version, previous, promoted_by: 'dag/manual/1' });
  const ask = async <T>(path: string, call: { method?: string; body?: JsonObject } = {}): Promise<T> =>
    (await callHttp(mlflow, { ...call, path: `api/2.0/mlflow/${path}`, signal: AbortSignal.timeout(5_000) })).body as T;
  const versions = async (name: string): Promise<readonly MlflowVersion[]> =>
    (await ask<{ model_versions?: MlflowVersion[] }>(`model-versions/search?filter=name%3D'${name}'`)).model_versions ?? [];
  const alias = async (model: string): Promise<string | undefined> => {
    const answer = await ask<{ model_version?: MlflowVersion }>(`registered-models/alias?name=${model}&alias=champion`);
    return answer.model_version?.source.split('/').at(-3);
  };
  const reigns = async (model: string): Promise<string[]> => (await versions(`${model}.champions`)).map(({ version }) => version);

  /** One attempt of promote_model, through the front. */
  const attempt = (model: string, version: string, more: JsonObject = {}): TaskRun => ({
    params: { model, version, registry_conn_id: 'mlflow_default', ...more },
    environment: {
      SLUICE_CONN_MLFLOW_DEFAULT: `mlflow://ann:${encodeURIComponent(PASSWORD)}@127.0.0.1:${front.port}`,
      SLUICE_CONN_AWS_DEFAULT: store.url,
    },
    runId: `promote/${version}`,
  });
  const promote = (model: string, version: string, more: JsonObject = {}): Promise<Promotion> =>
    runTask<Promotion>(promoteModel, attempt(model, version, more));

  it('shows a training as a run, with what was measured of it afterwards', async () => {
    const model = unique();
    const version = await register(model, 0.5, { rank: 16, 'odd@name': 1 });
    await registry.saveEvaluation(model, version, { metrics: { score: 0.75 }, data: null });
    const [found] = await versions(model);
    const { run } = await ask<{ run: Run }>(`runs/get?run_id=${found?.run_id}`);
    const values = (list: readonly Entry[]) => Object.fromEntries(list.map(({ key, value }) => [key, value]));
    assert.deepEqual([run.info.run_name, run.info.status], [version, 'FINISHED']);
    assert.deepEqual(values(run.data.metrics), { score: 0.5, 'evaluation/score': 0.75 });
    assert.deepEqual(values(run.data.params), { rank: '16' });
    assert.equal(values(run.data.tags)['sluice.data_interval'], '2024-01-01T00:00:00Z/2024-01-02T00:00:00Z');
    assert.equal(run.inputs.dataset_inputs[0]?.dataset.name, 's3://raw-data/events/');
    assert.equal(
      (await ask<Experiment>(`experiments/get-by-name?experiment_name=${model}`)).experiment.experiment_id,
      run.info.experiment_id,
    );
    assert.deepEqual((await registry.find(model, version))?.lineage.params, { rank: 16, 'odd@name': 1 });
  });

  it('finds before a training that the experiment was deleted', async () => {
    const model = unique();
    await registry.prepare(model);
    const { experiment } = await ask<Experiment>(`experiments/get-by-name?experiment_name=${model}`);
    await ask('experiments/delete', { method: 'POST', body: { experiment_id: experiment.experiment_id } });
    const error = await failureOf(registry.prepare(model));
    assert.deepEqual([error.type, error.nonRetryable], ['RequestRefused', true]);
    assert.match(error.message, /^Experiment 'model_.*' was deleted in http.*`mlflow experiments restore --experiment-id \d+`/);
    await ask('experiments/restore', { method: 'POST', body: { experiment_id: experiment.experiment_id } });
    await registry.prepare(model);
  });

  it('takes up the run of an attempt that was killed before it had registered', async () => {
    const model = unique();
    front.rule = (call) => (CLAIM.test(call) ? 'reset' : undefined);
    const draft = { model, uri: `s3://models/${model}/versions/v-1/files/`, metrics: { score: 1 }, lineage: LINEAGE };
    assert.equal((await failureOf(fronted.register(draft))).type, 'ServiceUnavailable');
    front.rule = undefined;
    await fronted.register(draft);
    const { experiment } = await ask<Experiment>(`experiments/get-by-name?experiment_name=${model}`);
    const body = { experiment_ids: [experiment.experiment_id] };
    const { runs } = await ask<{ runs: Run[] }>('runs/search', { method: 'POST', body });
    assert.deepEqual(
      runs.map(({ info }) => info.status),
      ['FINISHED'],
    );
  });

  it('keeps one version of several attempts that register at once', async () => {
    const model = unique();
    const found = await Promise.all(Array.from({ length: 6 }, () => register(model, 1)));
    assert.deepEqual(new Set(found), new Set(['v-1']));
    assert.equal((await versions(model)).length, 1);
  });

  for (const name of ['ndcg@10', '../score', 'a//b', '/score', 'ü'.repeat(201)]) {
    it(`refuses the metric ${name.slice(0, 10)}`, async () => {
      const model = unique();
      const draft = { model, uri: `s3://models/${model}/versions/v-1/files/`, metrics: { [name]: 1, fine: 1 }, lineage: LINEAGE };
      const error = await failureOf(registry.register(draft));
      assert.deepEqual([error.type, error.nonRetryable], ['DataMismatch', true]);
      assert.match(error.message, /MLflow takes no metric of the name '[^']+': .*Rename it in the program/);
    });
  }

  it('takes what MLflow takes as names of metrics', async () => {
    const model = unique();
    const metrics = { 'top 10/ndcg-at_10.v1:x': 1e300, größe: -0.5 };
    const uri = `s3://models/${model}/versions/v-1/files/`;
    assert.deepEqual((await registry.register({ model, uri, metrics, lineage: LINEAGE })).metrics, metrics);
  });

  it('accepts that another process was faster, and leaves nothing of the slower one', async () => {
    const model = unique();
    const [slow, fast] = [await register(model, 1), await register(model, 2)];
    front.rule = async (call) => {
      if (CLAIM.test(call)) assert.equal(await registry.crown(model, champion(fast), undefined), true);
      return undefined;
    };
    assert.equal(await fronted.crown(model, champion(slow), undefined), false);
    assert.deepEqual([(await registry.champion(model))?.champion.version, await alias(model), await reigns(model)], [fast, fast, ['1']]);
  });

  it('does not leave the alias on an earlier champion when two move it', async () => {
    const model = unique();
    const [first, second] = [await register(model, 1), await register(model, 2)];
    let overtaken = false;
    front.rule = async (call) => {
      if (MOVE.test(call) && !overtaken) {
        overtaken = true;
        assert.equal(await registry.crown(model, champion(second, first), await registry.champion(model)), true);
        assert.equal(await alias(model), second);
      }
      return undefined;
    };
    assert.equal(await fronted.crown(model, champion(first), undefined), true);
    assert.equal(await alias(model), second);
  });

  it('has the next who asks move the alias after a worker that was killed between claim and alias', async () => {
    const model = unique();
    const [first, second] = [await register(model, 1), await register(model, 2)];
    await promote(model, first);
    const moving = new Promise<void>((resolve) => {
      front.rule = (call) => {
        if (!MOVE.test(call)) return undefined;
        resolve();
        return 'hang';
      };
    });
    const worker = startProcess('test/support/task-process.ts', ['promote_model', JSON.stringify(attempt(model, second))], {});
    await Promise.race([moving, worker.exited.then(() => assert.fail(worker.stderr()))]);
    await worker.stop('SIGKILL');
    front.rule = undefined;
    assert.equal(await alias(model), first);
    const again = await promote(model, second);
    assert.deepEqual([again.promoted, again.previous, await alias(model)], [true, first, second]);
    assert.equal((await reigns(model)).length, 2);
  });

  it('promotes once although the answer to the claim was lost', async () => {
    const model = unique();
    const [first, second] = [await register(model, 1), await register(model, 2)];
    await promote(model, first);
    front.rule = (call) => (CLAIM.test(call) ? 'lose' : undefined);
    assert.equal((await failureOf(promote(model, second))).type, 'ServiceUnavailable');
    front.rule = undefined;
    const again = await promote(model, second);
    assert.deepEqual([again.promoted, again.previous, await alias(model)], [true, first, second]);
    assert.equal((await reigns(model)).length, 2);
  });

  it('is not blocked by a champion that was deleted manually', async () => {
    const model = unique();
    const [first, second] = [await register(model, 1), await register(model, 2)];
    await promote(model, first);
    await ask('model-versions/delete', { method: 'DELETE', body: { name: model, version: '1' } });
    assert.equal((await promote(model, second)).promoted, true);
    assert.equal(await alias(model), second);
  });

  it('continues when the database of MLflow was busy for a moment', async () => {
    const model = unique();
    const version = await register(model, 1);
    let busy = 2;
    const answer = { status: 503, body: '{"error_code": "TEMPORARILY_UNAVAILABLE", "message": "database is locked"}' };
    front.rule = (call) => (CLAIM.test(call) && busy-- > 0 ? answer : undefined);
    assert.equal((await promote(model, version)).promoted, true);
  });

  const json = (code: string) => `{"error_code": "${code}", "message": "it says so"}`;
  for (const [name, answer, type, isFinal, message] of [
    [
      'a wrong password',
      { status: 401, body: 'You are not authenticated.' },
      'AccessDenied',
      true,
      /answers GET model-versions\/search with 401\. Its answer: You are not authenticated\. Check user and password, or the token, of connection 'mlflow_default'/,
    ],
    [
      'no right to do this',
      { status: 403, body: 'Invalid Host header' },
      'AccessDenied',
      true,
      /Its answer: Invalid Host header\. Check user/,
    ],
    [
      'another address',
      { status: 404, body: '<!doctype html><title>404 Not Found</title>' },
      'RequestRefused',
      true,
      /with 404, and not as MLflow does\. Connection 'mlflow_default' must hold the address/,
    ],
    ['a page for logging in', { status: 200, body: '<html>Log in</html>' }, 'RequestRefused', true, /without a page for logging in/],
    ['a way to such a page', { status: 302, body: '', headers: { location: 'https://sso.example/' } }, 'RequestRefused', true, /with 302/],
    ['a refusal', { status: 400, body: json('INVALID_PARAMETER_VALUE') }, 'RequestRefused', true, /with 400\. Its answer: .*it says so/],
    [
      'a server in trouble',
      { status: 500, body: json('INTERNAL_ERROR') },
      'ServiceUnavailable',
      false,
      /with 500\. Its answer: .*it says so/,
    ],
    ['a busy database', { status: 400, body: json('BAD_REQUEST') }, 'ServiceUnavailable', false, /with 400/],
    [
      'a proxy in trouble',
      { status: 502, body: '<html><title>502 Bad Gateway</title><body>nginx</body></html>' },
      'ServiceUnavailable',
      false,
      /with 502\. Its answer: a page, '502 Bad Gateway'$/,
    ],
    ['a connection that breaks', 'reset', 'ServiceUnavailable', false, /did not answer api\/2\.0\/mlflow\/model-versions\/search/],
  ] as const satisfies readonly (readonly [string, Misbehaviour, string, boolean, RegExp])[]) {
    it(`fails: ${name}`, async () => {
      front.rule = () => answer;
      const error = await failureOf(promote('recommendations', 'v-1'));
      assert.deepEqual([error.type, error.nonRetryable === true], [type, isFinal]);
      assert.match(error.message, message);
      assert.doesNotMatch(JSON.stringify([error.message, error.stack, error.cause]), /p@ss|p%40ss/);
    });
  }

  it('sends the credentials of the connection', async () => {
    const sent: (string | undefined)[] = [];
    front.rule = (_, { headers }) => {
      sent.push(headers.authorization);
      return { status: 401, body: '' };
    };
    await failureOf(promote('recommendations', 'v-1'));
    const token = { SLUICE_CONN_MLFLOW_DEFAULT: `mlflow+http://127.0.0.1:${front.port}/?token=a-token` };
    const run = attempt('recommendations', 'v-1');
    await failureOf(runTask(promoteModel, { ...run, environment: { ...run.environment, ...token } }));
    assert.deepEqual(sent, [`Basic ${Buffer.from(`ann:${PASSWORD}`).toString('base64')}`, 'Bearer a-token']);
  });

  it('a server that is not there is tried again', async () => {
    const run = attempt('recommendations', 'v-1');
    const environment = { ...run.environment, SLUICE_CONN_MLFLOW_DEFAULT: 'mlflow://127.0.0.1:1' };
    const error = await failureOf(runTask(promoteModel, { ...run, environment }));
    assert.deepEqual([error.type, error.nonRetryable === true], ['ServiceUnavailable', false]);
  });

  it('ends at once when it is cancelled', async () => {
    const stop = new AbortController();
    front.rule = () => {
      stop.abort();
      return 'hang';
    };
    const client = new MlflowClient({ ...mlflow, url: `http://127.0.0.1:${front.port}` }, 'mlflow_default', stop.signal);
    await assert.rejects(new MlflowRegistry(client).champion('recommendations'));
  });

  it('has no version whose name would be part of a query', async () => {
    assert.equal(await registry.find('recommendations', "x' or name = 'y"), undefined);
    const error = await failureOf(promote('recommendations', "x' or name = 'y"));
    assert.equal(error.type, 'DatasetNotFound');
    assert.match(error.message, /has no version .* in http:\/\/127\.0\.0\.1/);
  });
});
