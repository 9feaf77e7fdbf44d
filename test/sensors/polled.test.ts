import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import pg from 'pg';
import { after, before, describe, it } from 'mocha';
import { pauseSensor, resetSensor, resumeSensor } from '../../temporal/sensors/sensors.ts';
import type { Plan } from '../../workflows/plan/plan.ts';
import { createBucket, type TestBucket } from '../support/buckets.ts';
import { createDatabase, type TestDatabase } from '../support/databases.ts';
import { eventually } from '../support/eventually.ts';
import { task } from '../support/plans.ts';
import { TestSensors, unique } from '../support/test-sensors.ts';
import { testStack } from '../support/test-stack.ts';

const OPERATOR = { by: 'ann' };
/** The body of no answer at all. */
const SILENCE = Symbol('silence');

describe('sensors that look now and then', function () {
  this.timeout('2m');
  let sensors: TestSensors;
  let bucket: TestBucket;
  let database: TestDatabase;
  let sql: pg.Client;
  let service: Server;
  let answer: { status: number; body: unknown } = { status: 200, body: { ready: false } };

  before(async function () {
    this.timeout('15m');
    const { environment } = await testStack(['temporal', 's3', 'postgres']);
    bucket = await createBucket();
    database = await createDatabase();
    sql = database.client;
    service = createServer((request, response) => {
      assert.equal(request.headers.authorization, `Basic ${Buffer.from('me:secret').toString('base64')}`);
      if (answer.body === SILENCE) return;
      response.writeHead(answer.status, { 'content-type': 'application/json' }).end(JSON.stringify(answer.body));
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => service.once('listening', resolve));
    sensors = await TestSensors.start({
      ...environment,
      SLUICE_CONN_OWN_DATABASE: database.url,
      SLUICE_CONN_OWN_SERVICE: `http://me:secret@127.0.0.1:${(service.address() as AddressInfo).port}/api`,
    });
  });
  after(async () => {
    await sensors.close();
    service.close();
    await database.drop();
    await bucket.drop();
  });

  /** Applies a plan, and waits until its sensor has looked for the first time. */
  async function start(plan: Plan): Promise<Plan> {
    await sensors.apply(plan);
    await eventually(async () => assert.equal((await sensors.stateOf(plan)).reports.length, 1), 30_000);
    return plan;
  }

  /** Stops the sensor's activity, and begins it anew. */
  async function again(plan: Plan): Promise<void> {
    await pauseSensor(sensors.worker.client, sensors.idOf(plan), OPERATOR);
    await resumeSensor(sensors.worker.client, sensors.idOf(plan), OPERATOR);
  }

  describe('s3', () => {
    const watching = (more: Record<string, string> = {}): Plan =>
      sensors.plan(
        {
          type: 's3',
          when: 'event.size > 0',
          runParams: { file: '{{ event.key }}' },
          templates: [{ path: ['file'], kind: 'value' }],
          source: { bucket: bucket.name, prefix: 'in/', pattern: '*.csv', poke_interval: '100ms', ...more },
        },
        { params: { file: { schema: { type: 'string' } } } },
      );

    it('starts a run for each object that is new or has changed, once', async () => {
      await bucket.put('in/old.csv', 'before');
      // S3 tells times in whole seconds: what is older than the sensor is so by one.
      await new Promise((resolve) => setTimeout(resolve, 1_100));
      const plan = await start(watching());
      await bucket.put('in/a.csv', '1');
      await bucket.put('in/empty.csv', '');
      await bucket.put('in/a.txt', '1');
      await bucket.put('out/a.csv', '1');
      const [first] = await sensors.runsOf(plan, 1);
      const { event, params } = await sensors.inputOf(first?.pipelineRunId ?? '');
      assert.deepEqual(params, { file: 'in/a.csv' });
      assert.deepEqual([(event?.value as { bucket: string }).bucket, (event?.value as { size: number }).size], [bucket.name, 1]);
      await bucket.put('in/a.csv', 'other');
      await bucket.put('in/deep/b.csv', '1');
      const ids = await sensors.idsOf(plan, 3);
      assert.deepEqual(ids.map((id) => id.split('@')[0]).sort(), ['in/a.csv', 'in/a.csv', 'in/deep/b.csv']);
      await again(plan);
      await bucket.put('in/c.csv', '1');
      await sensors.runsOf(plan, 4);
      await resetSensor(sensors.worker.client, sensors.idOf(plan), { ...OPERATOR, to: 'earliest' });
      const all = await sensors.idsOf(plan, 5);
      assert.ok(all.some((id) => id.startsWith('in/old.csv@')));
      await sensors.stop(plan);
    });

    it('leaves the markers of folders out, unless they are asked for', async () => {
      const prefix = `folders-${unique()}/`;
      const source = { bucket: bucket.name, prefix, poke_interval: '100ms' };
      const [without, all] = [
        sensors.plan({ type: 's3', source }),
        sensors.plan({ type: 's3', source: { ...source, folder_markers: true } }),
      ];
      await Promise.all([start(without), start(all)]);
      for (const [key, body] of [
        [prefix, ''],
        [`${prefix}deep/`, ''],
        [`${prefix}deep/empty`, ''],
      ] as const)
        await bucket.put(key, body);
      const keys = async (plan: Plan, count: number): Promise<string[]> =>
        (await sensors.idsOf(plan, count)).map((id) => id.split('@')[0] ?? '').sort();
      assert.deepEqual(await keys(all, 3), [prefix, `${prefix}deep/`, `${prefix}deep/empty`]);
      assert.deepEqual(await keys(without, 1), [`${prefix}deep/empty`]);
      await Promise.all([sensors.stop(without), sensors.stop(all)]);
    });

    it('stops when what its own runs have made starts run after run, and continues when it is resumed', async () => {
      const own = `own-${unique()}`;
      const plan = sensors.plan(
        { type: 's3', source: { bucket: bucket.name, prefix: `${own}/`, poke_interval: '100ms' } },
        { tasks: [{ ...task('a', 'succeed'), outputBase: `s3://${bucket.name}/${own}` }] },
      );
      await start(plan);
      for (let file = 0; file < 12; file++) await bucket.put(`${own}/${file}.csv`, 'x');
      await eventually(async () => {
        const { state, why } = await sensors.stateOf(plan);
        assert.equal(state, 'stopped');
        assert.match(why ?? '', /^The pipeline starts itself: what its own runs have made has started 10 runs within a minute/);
      }, 30_000);
      await sensors.runsOf(plan, 10);
      await again(plan);
      await sensors.runsOf(plan, 12);
      await sensors.stop(plan);
    });

    it('shows what blocks it', async () => {
      const plan = await start(watching({ bucket: 'there-is-none' }));
      await eventually(async () => assert.match((await sensors.stateOf(plan)).reports[0]?.problem ?? '', /bucket/i), 30_000);
      await sensors.stop(plan);
    });
  });

  describe('sql', () => {
    const watching = (table: string, more: Record<string, string> = {}): Plan =>
      sensors.plan({
        type: 'sql',
        when: 'event.total > 10',
        source: { conn_id: 'own_database', query: `SELECT * FROM ${table};`, cursor: 'id', poke_interval: '100ms', ...more },
      });
    const createTable = async (): Promise<string> => {
      const table = `orders_${unique()}`;
      await sql.query(`CREATE TABLE ${table} (id bigserial PRIMARY KEY, total numeric, at timestamptz DEFAULT '2024-01-31 06:00Z')`);
      return table;
    };

    it('starts a run for each row past the cursor', async () => {
      const table = await createTable();
      await sql.query(`INSERT INTO ${table} (total) VALUES (100)`);
      const plan = await start(watching(table));
      await sql.query(`INSERT INTO ${table} (total) SELECT n FROM generate_series(1, 15) n`);
      const runs = await sensors.runsOf(plan, 5);
      const values = await Promise.all(runs.map(async ({ pipelineRunId }) => (await sensors.inputOf(pipelineRunId)).event?.value));
      assert.deepEqual(values.map((value) => (value as { id: number; total: number }).total).sort(), [11, 12, 13, 14, 15]);
      await again(plan);
      await sql.query(`INSERT INTO ${table} (total) VALUES (99)`);
      await sensors.runsOf(plan, 6);
      await sensors.stop(plan);
    });

    it('misses no row that becomes visible after one with a larger number', async () => {
      const table = await createTable();
      const plan = await start(watching(table));
      const slow = new pg.Client(database.url);
      await slow.connect();
      await slow.query(`BEGIN; INSERT INTO ${table} (total) VALUES (50)`);
      await sql.query(`INSERT INTO ${table} (total) VALUES (60)`);
      assert.match((await sensors.idsOf(plan, 1)).join(), /^2-/);
      await again(plan);
      await slow.query('COMMIT');
      await slow.end();
      assert.deepEqual(
        (await sensors.idsOf(plan, 2)).map((id) => id.split('-')[0]),
        ['1', '2'],
      );
      await sensors.stop(plan);
    });

    it('continues when its table is replaced', async () => {
      const table = await createTable();
      const plan = await start(watching(table));
      await sql.query(`INSERT INTO ${table} (total) VALUES (50)`);
      await sensors.runsOf(plan, 1);
      await sql.query(`ALTER TABLE ${table} RENAME TO ${table}_old`);
      await eventually(async () => assert.match((await sensors.stateOf(plan)).reports[0]?.problem ?? '', /does not exist/), 30_000);
      await sql.query(`ALTER TABLE ${table}_old RENAME TO ${table}; INSERT INTO ${table} (total) VALUES (60)`);
      await sensors.runsOf(plan, 2);
      await sensors.stop(plan);
    });

    it('stops at a query that fails, and says why', async () => {
      const plan = watching('there_is_no_such_table');
      await sensors.apply(plan);
      await eventually(async () => {
        const { state, why } = await sensors.stateOf(plan);
        assert.deepEqual([state, why], ['stopped', 'The query fails: relation "there_is_no_such_table" does not exist.']);
      }, 30_000);
    });
  });

  describe('http', () => {
    const watching = (until?: string, more: Record<string, string> = {}, connectionKey = 'conn_id'): Plan =>
      sensors.plan({
        type: 'http',
        source: { [connectionKey]: 'own_service', path: '/feed', poke_interval: '100ms', ...(until !== undefined && { until }), ...more },
      });

    it('continues after a page, an answer without the key, and a silence', async () => {
      answer = { status: 200, body: { ready: false } };
      // As an earlier release has called the key: a sensor keeps its plan until the file is applied again.
      const plan = await start(watching('event.ready == true', { timeout: '300ms' }, 'http_conn_id'));
      for (const [body, problem] of [
        ['Down for maintenance', /ready/],
        [{ version: 1 }, /No such key: ready/],
        [SILENCE, /No answer within 0\.3 s/],
      ] as const) {
        answer = { status: 200, body };
        await eventually(async () => assert.match((await sensors.stateOf(plan)).reports[0]?.problem ?? '', problem), 30_000);
      }
      answer = { status: 200, body: { ready: true } };
      await sensors.runsOf(plan, 1);
      await sensors.stop(plan);
    });

    it('starts a run each time the condition becomes true', async () => {
      answer = { status: 200, body: { ready: false } };
      const plan = await start(watching('event.ready == true'));
      answer = { status: 200, body: { ready: true, version: 1 } };
      const [run] = await sensors.runsOf(plan, 1);
      assert.deepEqual((await sensors.inputOf(run?.pipelineRunId ?? '')).event?.value, { ready: true, version: 1 });
      await again(plan);
      answer = { status: 500, body: null };
      await eventually(async () => assert.match((await sensors.stateOf(plan)).reports[0]?.problem ?? '', /answered with 500/), 30_000);
      answer = { status: 200, body: { ready: false } };
      await eventually(async () => assert.equal((await sensors.stateOf(plan)).reports[0]?.problem, undefined), 30_000);
      answer = { status: 200, body: { ready: true, version: 2 } };
      assert.deepEqual(await sensors.idsOf(plan, 2), ['changes-1', 'changes-2']);
      await sensors.stop(plan);
    });

    it('without a condition, each time the answer changes', async () => {
      answer = { status: 200, body: { version: 1 } };
      const plan = await start(watching());
      answer = { status: 200, body: { version: 2 } };
      await sensors.runsOf(plan, 1);
      answer = { status: 200, body: { version: 3 } };
      await sensors.runsOf(plan, 2);
      await sensors.stop(plan);
    });
  });

  describe('pipeline and dataset', () => {
    const runOf = (plan: Plan, id: string, interval = { start: '2024-01-01T00:00:00Z', end: '2024-01-02T00:00:00Z' }) =>
      sensors.runBy(plan, id, interval);

    it('pipeline: a run for each run that has ended in the required state, for the same interval or one that covers it', async () => {
      const upstream = sensors.plan({ type: 'kafka', source: {} }, { triggers: [] });
      const failing = { ...upstream, tasks: [task('a', 'fail')] };
      const same = await start(sensors.plan({ type: 'pipeline', source: { dag_id: upstream.dagId } }));
      const covering = await start(
        sensors.plan(
          { type: 'pipeline', source: { dag_id: upstream.dagId, states: ['failed'], interval: 'covering' } },
          { schedule: { kind: 'cron', cron: '0 0 1 * *', timezone: 'UTC' } },
        ),
      );
      await runOf(upstream, 'good');
      await runOf(failing, 'bad');
      const [first] = await sensors.runsOf(same, 1);
      const { interval, event } = await sensors.inputOf(first?.pipelineRunId ?? '');
      assert.deepEqual(interval, { start: '2024-01-01T00:00:00Z', end: '2024-01-02T00:00:00Z' });
      assert.equal((event?.value as { run_id: string }).run_id, `${upstream.dagId}/manual/good`);
      const [second] = await sensors.runsOf(covering, 1);
      assert.deepEqual((await sensors.inputOf(second?.pipelineRunId ?? '')).interval, {
        start: '2024-01-01T00:00:00Z',
        end: '2024-02-01T00:00:00Z',
      });
      await again(same);
      await runOf(upstream, 'also');
      await sensors.runsOf(same, 2);
    });

    it('dataset: any starts a run an update, all one when each is new', async () => {
      const [sales, prices] = [`s3://w/${unique()}`, `s3://w/${unique()}`];
      const maker = (uri: string): Plan => sensors.plan({ type: 'kafka', source: {} }, { triggers: [], outlets: [uri] });
      const [makesSales, makesPrices] = [maker(sales), maker(prices)];
      const any = await start(sensors.plan({ type: 'dataset', source: { any: [sales, prices] } }));
      const all = await start(sensors.plan({ type: 'dataset', source: { all: [sales, prices] } }));
      await runOf(makesSales, '1');
      await runOf(makesSales, '2');
      await runOf({ ...makesPrices, tasks: [task('a', 'fail')] }, 'failed');
      await sensors.runsOf(any, 2);
      await sensors.runsOf(all, 0);
      await again(all);
      await runOf(makesPrices, '1');
      await sensors.runsOf(any, 3);
      const [run] = await sensors.runsOf(all, 1);
      const { updates, count } = (await sensors.inputOf(run?.pipelineRunId ?? '')).event?.value as {
        updates: { run_id: string; datasets: string[] }[];
        count: number;
      };
      assert.equal(count, 3);
      assert.deepEqual(
        updates.map(({ datasets }) => datasets),
        [[sales], [sales], [prices]],
      );
      await again(all);
      await runOf(makesPrices, '2');
      await sensors.runsOf(any, 4);
      await sensors.runsOf(all, 1);
      await runOf(makesSales, '3');
      await sensors.runsOf(all, 2);
    });
  });
});
