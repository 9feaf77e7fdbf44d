import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { WorkflowFailedError } from '@temporalio/client';
import { after, before, describe, it } from 'mocha';
import { previewRerun, readEndedRun, startRerun } from '../../../temporal/runs/reruns.ts';
import { runStart } from '../../../temporal/runs/run-start.ts';
import { createSensorStarts } from '../../../temporal/sensors/sensor-starts.ts';
import type { DatasetReference } from '../../../workflows/plan/datasets/dataset.ts';
import type { Plan } from '../../../workflows/plan/plan.ts';
import type { RunResult } from '../../../workflows/plan/runs/run.ts';
import { createBucket, type TestBucket } from '../../support/buckets.ts';
import { createYamlRuns, planOf, RUN_DAY, type YamlRuns } from '../../support/yaml-runs.ts';
import { caseCount } from '../../support/random-cases.ts';

const RUNS_OF_ONE_INTERVAL = caseCount(60, 200);

/** The names of pipelines and tables: Temporal remembers those of earlier test runs. */
const named = (name: string): string => `${name}_${TAG}`;
const TAG = randomBytes(4).toString('hex');

describe('which run wrote this data', function () {
  this.timeout('3m');
  let runs: YamlRuns;
  let bucket: TestBucket;

  before(async function () {
    this.timeout('20m');
    [runs, bucket] = await Promise.all([createYamlRuns(), createBucket()]);
  });
  after(async () => {
    await runs.close();
    await bucket.drop();
  });

  /** Tables of that name in both databases, with the rows of each region in the source. */
  async function createOrders(name: string): Promise<void> {
    await runs.source.rows(`CREATE TABLE ${name} (id int, region text, at timestamptz DEFAULT '${RUN_DAY.start}')`);
    await runs.source.rows(`INSERT INTO ${name} VALUES (1, 'eu'), (2, 'eu'), (3, 'us'), (4, 'us'), (5, 'asia'), (6, 'asia')`);
    await runs.warehouse.rows(`CREATE TABLE ${name} (id int, region text, at timestamptz)`);
  }

  const idsOf = async (name: string): Promise<number[]> =>
    (await runs.warehouse.rows<{ id: number }>(`SELECT id FROM ${name} ORDER BY id`)).map(({ id }) => id);

  const ofRegion = (name: string, load: string, more = ''): string => `
dag_id: ${name}
schedule_interval: "@daily"
params: {region: {type: string, default: eu}}
${more}
tasks:
  - {name: extract, type: postgres_to_s3, query: "SELECT * FROM ${name} WHERE region = {{ params.region }}", s3_bucket: ${bucket.name}}
  - {name: load, type: s3_to_redshift, s3_bucket: ${bucket.name}, redshift_table: ${name}, ${load}}
`;

  const outputOf = (result: RunResult, task = 'extract'): DatasetReference => result.tasks[task]?.output as unknown as DatasetReference;

  async function failureOf(run: Promise<unknown>): Promise<string> {
    const error = await run.then(
      () => assert.fail('The run did not fail.'),
      (reason: unknown) => reason,
    );
    assert.ok(error instanceof WorkflowFailedError, String(error));
    return error.cause?.message ?? '';
  }

  for (const load of ['method: append', 'method: upsert, upsert_keys: [id]']) {
    it(`runs of one interval with different parameters each load their own rows: ${load}`, async () => {
      const name = named(load.startsWith('method: a') ? 'append' : 'upsert');
      await createOrders(name);
      const close = `
dag_id: close_${name}
schedule_interval: null
tasks:
  - {name: add, type: run_pipeline, dag_id: ${name}, params: {region: "{{ item }}"}, expand: {over: [eu, us, asia], max_parallel: 3}}
`;
      const { state } = await runs.run(close, { others: [ofRegion(name, load)] });
      assert.equal(state, 'success');
      assert.deepEqual(await idsOf(name), [1, 2, 3, 4, 5, 6]);
    });
  }

  it('readers outside find the data of the default parameters and of others in different places', async () => {
    await createOrders(named('places'));
    for (const region of ['eu', 'us']) await runs.run(ofRegion(named('places'), 'method: append'), { params: { region } });
    const manifests = (await bucket.keys(`${named('places')}/extract/`)).filter(
      (key) => key.endsWith('/manifest.json') && !key.includes('/run-'),
    );
    assert.deepEqual(
      manifests,
      ['20261126T000000Z/manifest.json', '20261126T000000Z/region=us/manifest.json'].map((at) => `${named('places')}/extract/${at}`),
    );
  });

  it('two events of one day are different data: both append, and a rerun of one does not append again', async () => {
    await createOrders(named('events'));
    const plan = planOf(`${ofRegion(named('events'), 'method: append')}
triggers: [{name: ev, type: kafka, topic: t, params: {region: "{{ event.region }}"}}]
`);
    const starts = createSensorStarts(runs.client, runs.taskQueue);
    const event = (id: string, region: string) => ({
      plan,
      cause: 'kafka',
      id,
      params: { region },
      event: { value: { region }, meta: { timestamp: '2026-11-26T12:00:00.001Z' } },
    });
    const given = [event('ev/a', 'us'), event('ev/b', 'asia'), event('ev/c', 'asia')];
    for (const each of given) assert.equal(await starts.start(each), 'started');
    for (const each of given) await runs.client.workflow.getHandle(starts.idOf(each)).result();
    assert.deepEqual(await idsOf(named('events')), [3, 4, 5, 5, 6, 6]);

    const run = await readEndedRun(runs.client, starts.idOf(given[0] ?? assert.fail()));
    const rerun = await startRerun(runs.client, runs.taskQueue, { run, plan, params: run.params, from: 'extract' }, Date.now());
    const message = await failureOf(runs.client.workflow.getHandle(rerun.pipelineRunId).result());
    assert.match(message, /overlaps what is in public\.events_\w+: run 'events_\w+\/kafka\/ev\/a' has already appended 2 rows/);
    assert.deepEqual(await idsOf(named('events')), [3, 4, 5, 5, 6, 6]);
  });

  it('two events within one second have separate folders', async () => {
    await createOrders(named('millis'));
    const plan = planOf(ofRegion(named('millis'), 'method: append').replace('"@daily"', 'null'));
    const starts = createSensorStarts(runs.client, runs.taskQueue);
    const found: string[] = [];
    for (const ms of ['001', '002']) {
      const wanted = { plan, cause: 'kafka', id: ms, params: {}, event: { value: {}, meta: { timestamp: `2026-11-26T12:00:00.${ms}Z` } } };
      await starts.start(wanted);
      found.push(outputOf((await runs.client.workflow.getHandle(starts.idOf(wanted)).result()) as RunResult).uri.split('/')[5] ?? '');
    }
    assert.deepEqual(found, ['20261126T120000.001Z', '20261126T120000.002Z']);
  });

  it('a rerun that keeps an extract loads what that extract has read, even if another run has extracted since', async () => {
    await createOrders(named('kept'));
    const failing = ofRegion(named('kept'), 'method: append').replace('redshift_table: kept', 'redshift_table: later_kept');
    const first = await runs.start(failing, { id: 'first' });
    await failureOf(first.result());
    await runs.source.rows(`UPDATE ${named('kept')} SET id = id + 100`);
    await failureOf((await runs.start(failing, { id: 'second' })).result());
    await runs.warehouse.rows(`CREATE TABLE ${named('later_kept')} (id int, region text, at timestamptz)`);
    const run = await readEndedRun(runs.client, first.workflowId);
    const order = { run, plan: run.plan, params: run.params };
    assert.deepEqual(
      previewRerun(order).map(({ task, runs: again }) => [task, again]),
      [
        ['extract', false],
        ['load', true],
      ],
    );
    const { pipelineRunId } = await startRerun(runs.client, runs.taskQueue, order, Date.now());
    await runs.client.workflow.getHandle(pipelineRunId).result();
    assert.deepEqual(await idsOf(named('later_kept')), [1, 2]);
  });

  it('data that was changed after the hand-over is refused, never loaded', async () => {
    await createOrders(named('tampered'));
    const failing = ofRegion(named('tampered'), 'method: append').replace('redshift_table: tampered', 'redshift_table: later');
    const handle = await runs.start(failing, { id: 'first' });
    await failureOf(handle.result());
    const run = await readEndedRun(runs.client, handle.workflowId);
    const { manifest } = run.tasks['extract']?.output as unknown as DatasetReference;
    const key = manifest.replace(`s3://${bucket.name}/`, '');
    await bucket.put(key, (await bucket.text(key)).replace('"bigint"', '"int"').replace('{\n', '{ \n'));
    await runs.warehouse.rows(`CREATE TABLE ${named('later')} (id int, region text, at timestamptz)`);
    const plan = planOf(`default_args: {retries: 0}\n${failing.trim()}`.replace(/\n+dag_id/, '\ndag_id'));
    const { pipelineRunId } = await startRerun(runs.client, runs.taskQueue, { run, plan, params: run.params }, Date.now());
    const message = await failureOf(runs.client.workflow.getHandle(pipelineRunId).result());
    assert.match(message, /handed over 2 rows with checksum .* now names 2 rows with checksum/);
    assert.deepEqual(await idsOf(named('later')), []);
  });

  it('a run that is started again under an id of long ago loads again', async () => {
    await createOrders(named('again'));
    const yaml = ofRegion(named('again'), 'method: upsert, upsert_keys: [id]');
    const handle = await runs.start(yaml, { id: 'same' });
    await handle.result();
    await runs.source.rows(`UPDATE ${named('again')} SET id = id + 100`);
    // As after Temporal's retention: the server has forgotten the first one.
    const start = runStart(planOf(yaml), 'manual', runs.taskQueue, { interval: RUN_DAY });
    await runs.client.workflow.execute(named('again'), {
      workflowId: handle.workflowId,
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      ...start,
    });
    assert.deepEqual(await idsOf(named('again')), [1, 2, 101, 102]);
  });

  it(`storage under an interval does not grow over ${RUNS_OF_ONE_INTERVAL} runs`, async () => {
    await createOrders(named('grows'));
    const plan = planOf(ofRegion(named('grows'), 'method: upsert, upsert_keys: [id]'));
    for (let from = 0; from < RUNS_OF_ONE_INTERVAL; from += 20) {
      const ids = Array.from({ length: 20 }, (_, index) => `${named('grows')}/manual/${from + index}`);
      await Promise.all(
        ids.map((workflowId) =>
          runs.client.workflow.execute(named('grows'), {
            workflowId,
            ...runStart(plan, 'manual', runs.taskQueue, { interval: RUN_DAY }),
          }),
        ),
      );
    }
    // Runs that had not ended when the last one published are kept too.
    await runs.run(ofRegion(named('grows'), 'method: upsert, upsert_keys: [id]'));
    const keys = await bucket.keys(`${named('grows')}/`);
    // Three runs of a manifest and a part each, and the manifest for readers outside.
    assert.equal(keys.length, 7, keys.join('\n'));
  }).timeout('5m');

  it('a run that an earlier release started keeps the layout of its time to its end', async () => {
    await createOrders(named('earlier'));
    const plan = planOf(ofRegion(named('earlier'), 'method: append'));
    const withoutIdentity = JSON.parse(
      JSON.stringify(plan.tasks, (key, value: unknown) => (key === 'ownsEffects' ? undefined : value)),
    ) as Plan['tasks'];
    const workflowId = `${named('earlier')}/manual/old`;
    const old = { ...plan, tasks: withoutIdentity };
    await runs.client.workflow.execute(named('earlier'), { workflowId, ...runStart(old, 'manual', runs.taskQueue, { interval: RUN_DAY }) });
    const names = (await bucket.keys(`${named('earlier')}/`)).map((key) => key.replace(/-[0-9a-f]{12}\./, '-*.'));
    assert.deepEqual(
      names,
      ['manifest.json', 'part-00000-*.csv.gz'].map((name) => `${named('earlier')}/extract/20261126T000000Z/${name}`),
    );
    assert.deepEqual(await idsOf(named('earlier')), [1, 2]);
    // The ledger does not know of what that run's data is: a new run may not append it again.
    const again = await runs.run(ofRegion(named('earlier'), 'method: append'));
    assert.match(again.tasks['load']?.error ?? '', /overlaps what is in/);
    assert.equal(
      (await bucket.keys(`${named('earlier')}/extract/20261126T000000Z/part`)).length,
      0,
      'nothing names the old files any more',
    );
  });

  it('a ledger of an earlier release is brought up to date, and its loads still count', async () => {
    const name = named('ledger');
    await createOrders(name);
    await runs.warehouse.rows('CREATE SCHEMA earlier');
    await runs.warehouse.rows(`CREATE TABLE earlier.${name} (id int, region text, at timestamptz)`);
    await runs.warehouse.rows(
      `CREATE TABLE earlier.sluice_loads (
         pipeline_run_id varchar(1024) NOT NULL, task varchar(256) NOT NULL, dag_id varchar(256) NOT NULL,
         interval_start timestamptz NOT NULL, interval_end timestamptz NOT NULL, table_name varchar(256) NOT NULL, method varchar(16) NOT NULL,
         row_count bigint NOT NULL, manifest varchar(2048) NOT NULL, loaded_at timestamptz NOT NULL, PRIMARY KEY (pipeline_run_id, task))`,
    );
    await runs.warehouse.rows(
      `INSERT INTO earlier.sluice_loads VALUES ('${name}/manual/long_ago', 'load', '${name}', '2026-11-26 00:00+00', '2026-11-27 00:00+00',
         '${name}', 'append', 2, 's3://b/manifest.json', '2026-11-27 00:01+00')`,
    );
    const yaml = ofRegion(name, 'schema: earlier, method: append');
    const refused = await runs.run(yaml, { id: 'long_ago' });
    assert.match(refused.tasks['load']?.error ?? '', /run '\w+\/manual\/long_ago' has already appended 2 rows/);
    const other = { interval: { start: '2026-11-27T00:00:00Z', end: '2026-11-28T00:00:00Z' } };
    for (const id of ['one', 'two']) await runs.run(ofRegion(name, 'schema: earlier, method: upsert, upsert_keys: [id]'), { id, ...other });
    const rows = await runs.warehouse.rows('SELECT execution IS NULL AS old FROM earlier.sluice_loads ORDER BY loaded_at');
    assert.deepEqual(rows, [{ old: true }, { old: false }, { old: false }]);
  });
});
