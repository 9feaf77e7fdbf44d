import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { connectionsFrom } from '../../connections/connections.ts';
import { WAREHOUSE_TABLES } from '../../dev/demo/integrations/legacy-catalogue.ts';
import { ROOT } from '../../lib/environment.ts';
import { KafkaConnect } from '../../lib/kafka-connect/kafka-connect.ts';
import { readEndedRun, startRerun } from '../../temporal/runs/reruns.ts';
import { listRuns } from '../../temporal/runs/runs.ts';
import type { Plan } from '../../workflows/plan/plan.ts';
import { catalogueConnector } from '../support/catalogue-connector.ts';
import { compileYaml } from '../support/compile-yaml.ts';
import { createDatabase, type TestDatabase } from '../support/databases.ts';
import { eventually } from '../support/eventually.ts';
import { TestKafka } from '../support/kafka.ts';
import { createMySQLDatabase, type TestMySQLDatabase } from '../support/mysql-databases.ts';
import { type TestSensors, unique } from '../support/test-sensors.ts';
import { killPart, testStack } from '../support/test-stack.ts';
import { startYamlSensors } from '../support/yaml-sensors.ts';

/** `SLUICE_CHAOS=full`: more changes, and three kills. */
const FULL = process.env.SLUICE_CHAOS === 'full';
const [CHANGES, KILLS] = FULL ? [5_000, 3] : [200, 1];
const PRODUCTS = 20;
const FILE = join(ROOT, 'examples/integrations/pipelines/product_catalogue_sync.yaml');

describe('product_catalogue_sync, as in examples/integrations/', function () {
  this.timeout('10m');
  const topic = `product-updates-${unique()}`;
  let sensors: TestSensors;
  let plan: Plan;
  let catalogue: TestMySQLDatabase;
  let warehouse: TestDatabase;
  let kafka: TestKafka;
  let connect: KafkaConnect;

  before(async function () {
    this.timeout('20m');
    const { environment } = await testStack(['temporal', 'postgres', 'kafka', 'mysql', 'kafka-connect']);
    [catalogue, warehouse] = [await createMySQLDatabase(), await createDatabase()];
    await warehouse.rows(WAREHOUSE_TABLES);
    await catalogue.rows(
      'CREATE TABLE products (product_id BIGINT PRIMARY KEY, name VARCHAR(200), category VARCHAR(80), price DECIMAL(12, 2) NOT NULL)',
      "INSERT INTO products VALUES (9007199254740993, 'Lämp', NULL, 19.90), (2, 'Chair', 'home', 9999999999.99)",
    );
    kafka = await TestKafka.connect(environment);
    await kafka.createTopic(topic);
    const connections = connectionsFrom(environment);
    connect = new KafkaConnect(connections.get('kafka_connect_default', ['kafka_connect']), new AbortController().signal);
    const table = { database: catalogue.name, table: 'products', topic };
    await connect.putConfig(topic, catalogueConnector(connections.get('mysql_default', ['mysql']), table));
    sensors = await startYamlSensors({ ...environment, SLUICE_CONN_REDSHIFT_DEFAULT: warehouse.url });
    plan = compileYaml(
      readFileSync(FILE, 'utf8')
        .replace(/^dag_id: .*$/m, `dag_id: product_catalogue_sync_${unique()}`)
        .replace(/topic: product-updates$/m, `topic: ${topic}`),
    );
    await sensors.apply({ ...plan, hash: unique() });
  });

  after(async () => {
    await connect.delete(topic);
    await sensors.close();
    await kafka.close();
    await Promise.all([catalogue.drop(), warehouse.drop()]);
  });

  /** Waits until the view of the warehouse has exactly the rows of MySQL. */
  async function assertInStep(): Promise<void> {
    const text = (rows: readonly Record<string, unknown>[]) => rows.map((row) => Object.values(row).map(String));
    const order = 'FROM products ORDER BY product_id';
    const expected = text(await catalogue.rows(`SELECT CAST(product_id AS CHAR) id, name, category, CAST(price AS CHAR) price ${order}`));
    await eventually(async () => {
      const found = await warehouse.rows(
        'SELECT product_id::text, name, category, price::text FROM legacy_catalogue AS c ORDER BY c.product_id',
      );
      assert.deepEqual(text(found), expected);
    }, 120_000);
  }

  it('has what was there, and then each change and each deletion, with exact numbers', async () => {
    await assertInStep();
    await catalogue.rows(
      'UPDATE products SET price = 0.10 WHERE product_id = 9007199254740993',
      "INSERT INTO products VALUES (3, 'O''Neill \"desk\"', 'home', 1.00)",
      'DELETE FROM products WHERE product_id = 2',
    );
    await assertInStep();
  });

  it('a change that is applied again later than a newer one changes nothing', async () => {
    const { client, taskQueue } = sensors.worker;
    const all = 'SELECT * FROM legacy_products ORDER BY product_id';
    const before = await warehouse.rows(all);
    const [first] = (await listRuns(client, 100, plan.dagId)).map(({ pipelineRunId }) => pipelineRunId).sort();
    const run = await readEndedRun(client, first ?? '');
    const rerun = await startRerun(client, taskQueue, { run, plan, params: {}, from: 'apply_changes' }, Date.now());
    const { state, tasks } = (await sensors.resultOf(rerun.pipelineRunId)) as {
      state: string;
      tasks: Record<string, { output?: unknown }>;
    };
    assert.deepEqual([state, tasks.apply_changes?.output], ['success', { rows: 0, first: {} }]);
    assert.deepEqual(await warehouse.rows(all), before);
  });

  it(`is in step after ${CHANGES} changes, while Kafka Connect is killed and started again`, async () => {
    const kill = new Set(Array.from({ length: KILLS }, (_, index) => Math.floor((CHANGES * (index + 1)) / (KILLS + 1))));
    let killed = Promise.resolve();
    for (let number = 0; number < CHANGES; number++) {
      if (kill.has(number)) killed = killed.then(() => killPart('kafka-connect'));
      const id = 100 + (number % PRODUCTS);
      // Each product is made, changed several times and deleted, in turns.
      await (number % 7 === 6
        ? catalogue.rows(`DELETE FROM products WHERE product_id = ${id}`)
        : catalogue.rows(`REPLACE INTO products VALUES (${id}, 'Product ${id}', 'test', ${number}.25)`));
    }
    await killed;
    await assertInStep();
    const [{ count } = { count: '' }] = await warehouse.rows<{ count: string }>(
      'SELECT count(*) FROM legacy_products WHERE product_id BETWEEN 100 AND 999',
    );
    assert.equal(count, String(PRODUCTS));
    assert.deepEqual(
      (await listRuns(sensors.worker.client, 1_000, plan.dagId)).filter(({ state }) => state === 'failed'),
      [],
    );
  });
});
