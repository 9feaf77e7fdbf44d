import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { stringify } from 'yaml';
import { connectionsFrom } from '../../connections/connections.ts';
import { PagerDutyStandIn } from '../../dev/demo/pagerduty-stand-in.ts';
import { callHttp } from '../../lib/http.ts';
import { type KafkaConnectConnection, KafkaConnect } from '../../lib/kafka-connect/kafka-connect.ts';
import { listResourceRecords } from '../../temporal/deployment/resource-record.ts';
import { ensureMonitor } from '../../temporal/monitors/ensure-monitor.ts';
import type { MonitorGroup } from '../../temporal/monitors/monitors.ts';
import { DEFAULT_MONITOR_SETTINGS, monitorId, probeId } from '../../workflows/plan/incidents/incident.ts';
import { catalogueConnector } from '../support/catalogue-connector.ts';
import { eventually } from '../support/eventually.ts';
import { TestKafka } from '../support/kafka.ts';
import { createMySQLDatabase, type TestMySQLDatabase } from '../support/mysql-databases.ts';
import { sluice } from '../support/processes.ts';
import { startTestWorker, type TestWorker } from '../support/temporal-worker.ts';
import { createTestMonitors } from '../support/test-monitors.ts';
import { TestProject } from '../support/test-project.ts';
import { unique } from '../support/test-sensors.ts';
import { killPart, testStack } from '../support/test-stack.ts';

const CONN_ID = 'kafka_connect_default';
const PASSWORD = 'only-for-this-test';

describe('monitors of declared connectors', function () {
  this.timeout('3m');
  const name = `products-${unique()}`;
  const user = `cdc_${unique()}`;
  const taskQueue = `connectors-${unique()}`;
  const { signal } = new AbortController();
  const failure = `connect/${taskQueue}/${CONN_ID}/${name}/failed`;
  const unknown = `unchecked/connect/${taskQueue}/${CONN_ID}`;
  let worker: TestWorker;
  let project: TestProject;
  let monitors: MonitorGroup;
  let monitoring: Promise<void>;
  let pagerDuty: PagerDutyStandIn;
  let database: TestMySQLDatabase;
  let kafka: TestKafka;
  let connection: KafkaConnectConnection;
  let connect: KafkaConnect;

  before(async function () {
    this.timeout('20m');
    const { environment: stack } = await testStack(['temporal', 'kafka', 'mysql', 'kafka-connect']);
    pagerDuty = await PagerDutyStandIn.start();
    const environment = { ...stack, ...pagerDuty.environment, SLUICE_TASK_QUEUE: taskQueue };
    const connections = connectionsFrom(environment);
    connection = connections.get(CONN_ID, ['kafka_connect']);
    connect = new KafkaConnect(connection, signal);
    database = await createMySQLDatabase();
    await database.rows(
      'CREATE TABLE products (product_id INT PRIMARY KEY, price INT)',
      `CREATE USER ${user}@'127.0.0.1' IDENTIFIED BY '${PASSWORD}'`,
      `GRANT SELECT, RELOAD, SHOW DATABASES, REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO ${user}@'127.0.0.1'`,
    );
    kafka = await TestKafka.connect(environment);
    await kafka.createTopic(name);
    worker = await startTestWorker(environment, {}, taskQueue);
    const config = {
      ...catalogueConnector(connections.get('mysql_default', ['mysql']), { database: database.name, table: 'products', topic: name }),
      'database.user': user,
      'database.password': { conn_id: 'cdc_user', field: 'password' },
      // Debezium does not repeat by itself what Sluice should see.
      'errors.max.retries': '0',
    };
    const resource = { name, type: 'kafka_connector', restart: { attempts: 10, backoff: '1s' }, config };
    project = await TestProject.create({
      'sluice.config.ts': "import { defineConfig } from 'sluice';\nexport default defineConfig({});\n",
      'resources/catalogue.yaml': stringify({ resources: [resource] }),
    });
    const own = { SLUICE_CONN_CDC_USER: `mysql://${user}:${PASSWORD}@127.0.0.1/x` };
    const applied = await sluice(['apply', join(project.root, 'resources')], { ...environment, ...project.environment, ...own });
    assert.equal(applied.code, 0, applied.stdout + applied.stderr);
    await taskIs('RUNNING');
    monitors = await createTestMonitors(environment, taskQueue);
    monitoring = monitors.run();
    await ensureMonitor(worker.client, taskQueue, { ...DEFAULT_MONITOR_SETTINGS, everyMs: 300, graceMs: 1_000, silenceMs: 600_000 });
  });

  after(async () => {
    await connect.delete(name);
    for (const id of [monitorId(taskQueue), probeId(taskQueue)]) await worker.client.workflow.getHandle(id).terminate();
    monitors.shutdown();
    await monitoring;
    for (const id of await listResourceRecords(worker.client, taskQueue)) await worker.client.schedule.getHandle(id).delete();
    await project.remove();
    await worker.close();
    await pagerDuty.close();
    await kafka.close();
    await database.rows(`DROP USER ${user}@'127.0.0.1'`);
    await database.drop();
  });

  const taskIs = (state: string): Promise<void> =>
    eventually(async () => assert.equal((await connect.status(name))?.tasks[0]?.state, state), 30_000);
  const actionsAre = (key: string, actions: readonly string[]): Promise<void> =>
    eventually(() => Promise.resolve(assert.deepEqual(pagerDuty.actionsOf(key), actions)), 60_000);

  it('restart a failed task with pauses: one page, resolved when it runs again', async () => {
    await database.rows(`ALTER USER ${user}@'127.0.0.1' ACCOUNT LOCK`);
    await callHttp(connection, { method: 'POST', path: `connectors/${name}/restart?includeTasks=true`, signal });
    await actionsAre(failure, ['trigger']);
    const [page] = pagerDuty.events.filter(({ dedup_key: key }) => key === failure);
    assert.match(String(page?.payload?.summary), new RegExp(`^Has failed: task 0: .*account is locked \\| connector ${name}, since `));
    // A restart while the cause lasts is the same failure.
    await taskIs('FAILED');
    await database.rows(`ALTER USER ${user}@'127.0.0.1' ACCOUNT UNLOCK`);
    await taskIs('RUNNING');
    await actionsAre(failure, ['trigger', 'resolve']);
  });

  it('report that Kafka Connect does not answer, and not that its connectors have failed', async () => {
    await killPart('kafka-connect', () => actionsAre(unknown, ['trigger']));
    await actionsAre(unknown, ['trigger', 'resolve']);
    await taskIs('RUNNING');
    assert.deepEqual(pagerDuty.actionsOf(failure), ['trigger', 'resolve']);
  });
});
