import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import pg from 'pg';
import { pauseSensor, resumeSensor } from '../../../temporal/sensors/sensors.ts';
import type { Plan } from '../../../workflows/plan/plan.ts';
import { createDatabase, type TestDatabase } from '../../support/databases.ts';
import { eventually } from '../../support/eventually.ts';
import { type TestSensors, unique } from '../../support/test-sensors.ts';
import { testStack } from '../../support/test-stack.ts';
import { compileYaml } from '../../support/compile-yaml.ts';
import { startYamlSensors } from '../../support/yaml-sensors.ts';

const OPERATOR = { by: 'ann' };

describe('a cursor of a sql trigger that does not grow with each row', function () {
  this.timeout('1m');
  let sensors: TestSensors;
  let database: TestDatabase;

  before(async function () {
    this.timeout('15m');
    const { environment } = await testStack(['temporal', 'postgres']);
    database = await createDatabase();
    sensors = await startYamlSensors({ ...environment, SLUICE_CONN_POSTGRES_DEFAULT: database.url });
  });
  after(async () => {
    await sensors.close();
    await database.drop();
  });

  interface Watched {
    readonly plan: Plan;
    readonly table: string;
    /** The ids of rows that have started runs, each as often as it has: exactly these, now or soon. */
    gives(...ids: number[]): Promise<void>;
    insert(...ids: number[]): Promise<void>;
    run(sql: string): Promise<unknown>;
    restart(): Promise<void>;
  }

  /** @param type of the cursor column @param value that all rows get */
  async function watching(type: string, value: string, more = '', ...before: number[]): Promise<Watched> {
    const name = unique();
    const [table, done] = [`hr_rows_${name}`, `hr_got_${name}`];
    const insert = async (...ids: number[]): Promise<void> => {
      for (const id of ids) await database.rows(`INSERT INTO ${table} VALUES (${id}, ${value}, 'new')`);
    };
    await database.rows(`CREATE TABLE ${table} (id int, c ${type}, state text)`);
    await database.rows(`CREATE TABLE ${done} (id int)`);
    await insert(...before);
    const plan = compileYaml(`
dag_id: hr_rows_${name}
triggers:
  - {name: rows, type: sql, query: "SELECT id, c, state FROM ${table}", cursor: c, poke_interval: 100ms${more}}
tasks: [{name: put, type: sql, sql: "INSERT INTO ${done} VALUES ({{ event.id }})"}]
`);
    await sensors.apply(plan);
    await eventually(async () => assert.equal((await sensors.stateOf(plan)).reports.length, 1), 20_000);
    return {
      plan,
      table,
      insert,
      run: (sql) => database.rows(sql),
      gives: (...ids) =>
        eventually(async () => {
          const rows = await database.rows<{ id: number }>(`SELECT id FROM ${done} ORDER BY id`);
          assert.deepEqual(
            rows.map(({ id }) => id),
            ids,
          );
        }, 20_000),
      async restart() {
        await pauseSensor(sensors.worker.client, sensors.idOf(plan), OPERATOR);
        await resumeSensor(sensors.worker.client, sensors.idOf(plan), OPERATOR);
      },
    };
  }

  for (const [type, value] of [
    ['date', `DATE '2026-11-28'`],
    ['timestamp(0)', `TIMESTAMP '2026-11-28 10:00'`],
    ['timestamptz', `TIMESTAMPTZ '2026-11-28 10:00Z'`],
    ['int', '20261128'],
    ['text', `'2026-11-28'`],
  ] as const) {
    it(`${type}: rows of one value start a run each, whenever they come, also after a restart`, async () => {
      const { plan, insert, gives, restart } = await watching(type, value, '', 1, 2);
      await insert(3);
      await gives(3);
      await insert(4);
      await gives(3, 4);
      await restart();
      await insert(5, 6);
      await gives(3, 4, 5, 6);
      await sensors.runsOf(plan, 4);
      await sensors.stop(plan);
    });
  }

  for (const [type, far, now] of [
    ['timestamptz', `'2999-01-01Z'`, 'now()'],
    ['timestamp', `'infinity'`, 'localtimestamp'],
    ['date', `'2999-01-01'`, 'current_date'],
  ] as const) {
    it(`${type}: one row whose time has not come hides no later ones, and starts one run`, async () => {
      const { plan, run, gives, restart, table } = await watching(type, far, '', 1);
      await run(`INSERT INTO ${table} VALUES (2, ${now}, 'new')`);
      await gives(2);
      await run(`INSERT INTO ${table} VALUES (3, ${far}, 'new')`);
      await gives(2, 3);
      await restart();
      await run(`INSERT INTO ${table} VALUES (4, ${now}, 'new')`);
      await gives(2, 3, 4);
      await restart();
      await run(`INSERT INTO ${table} VALUES (5, ${now}, 'new')`);
      await gives(2, 3, 4, 5);
      await sensors.runsOf(plan, 4);
      await sensors.stop(plan);
    });
  }

  it('equal rows are rows, each', async () => {
    const { plan, insert, gives, restart } = await watching('date', `DATE '2026-11-28'`, '', 1);
    await insert(1, 1);
    await gives(1, 1);
    await restart();
    await insert(1);
    await gives(1, 1, 1);
    await sensors.stop(plan);
  });

  it('a row of a transaction that ends late has the same value as one that was read', async () => {
    const { plan, insert, gives, table } = await watching('date', `DATE '2026-11-28'`);
    const slow = new pg.Client(database.url);
    await slow.connect();
    await slow.query(`BEGIN; INSERT INTO ${table} VALUES (1, '2026-11-28', 'new')`);
    await insert(2);
    await gives(2);
    await slow.query('COMMIT');
    await slow.end();
    await gives(1, 2);
    await sensors.stop(plan);
  });

  for (const [name, type, value] of [
    ['the last row of a number that grows', 'int', '1'],
    ['rows of one transaction', 'timestamptz', `TIMESTAMPTZ '2026-11-28 10:00Z'`],
  ] as const) {
    it(`a row that has changed starts no other run: ${name}`, async () => {
      const { plan, insert, gives, run, table, restart } = await watching(type, value, '');
      await insert(1);
      await gives(1);
      await run(`UPDATE ${table} SET state = 'done'`);
      await restart();
      await run(`INSERT INTO ${table} SELECT 2, c${type === 'int' ? ' + 1' : " + interval '1 second'"}, 'new' FROM ${table}`);
      await gives(1, 2);
      await sensors.runsOf(plan, 2);
      await sensors.stop(plan);
    });
  }

  it('with a key rows may change and go while others of the same value come', async () => {
    const { plan, insert, gives, run, table } = await watching('date', `DATE '2026-11-28'`, ', key: id');
    await insert(1, 2);
    await gives(1, 2);
    await run(
      `UPDATE ${table} SET state = 'done' WHERE id = 1; DELETE FROM ${table} WHERE id = 2; INSERT INTO ${table} VALUES (3, '2026-11-28', 'new')`,
    );
    await gives(1, 2, 3);
    await sensors.runsOf(plan, 3);
    await sensors.stop(plan);
  });

  it('without a key the sensor stops when it cannot distinguish new rows from changed ones, and names the remedy', async () => {
    const { plan, insert, gives, run, table } = await watching('date', `DATE '2026-11-28'`);
    await insert(1, 2);
    await gives(1, 2);
    await run(`DELETE FROM ${table} WHERE id = 2; INSERT INTO ${table} VALUES (3, '2026-11-28', 'new')`);
    await eventually(async () => {
      const { state, why } = await sensors.stateOf(plan);
      assert.equal(state, 'stopped');
      assert.match(why ?? '', /'2026-11-28' of the cursor 'c'.*`key: id`/);
    }, 20_000);
    await sensors.stop(plan);
  });

  it('more rows of one value than it can remember stop the sensor at once', async () => {
    const { plan, run, table } = await watching('date', `DATE '2026-11-28'`, ', when: "event.id < 0"');
    await run(`INSERT INTO ${table} SELECT n, '2026-11-28', 'new' FROM generate_series(1, 5001) n`);
    await eventually(
      async () => assert.match((await sensors.stateOf(plan)).why ?? '', /More than 5000 rows have the value '2026-11-28'/),
      20_000,
    );
    await sensors.stop(plan);
  });
});
