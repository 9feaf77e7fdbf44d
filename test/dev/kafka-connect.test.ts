import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'mocha';
import { connectionsFrom } from '../../connections/connections.ts';
import { kafkaConnect } from '../../connections/kafka-connect.ts';
import { readTopic } from '../../lib/kafka/read-topic.ts';
import { KafkaConnect } from '../../lib/kafka-connect/kafka-connect.ts';
import type { MySQLConnection } from '../../lib/databases/mysql.ts';
import { catalogueConnector } from '../support/catalogue-connector.ts';
import { eventually, poll } from '../support/eventually.ts';
import { TestKafka } from '../support/kafka.ts';
import { createMySQLDatabase, type TestMySQLDatabase } from '../support/mysql-databases.ts';
import { testStack } from '../support/test-stack.ts';

describe('Kafka Connect of the local stack', function () {
  this.timeout('3m');
  const topic = `catalogue-${randomBytes(4).toString('hex')}`;
  let connect: KafkaConnect;
  let database: TestMySQLDatabase;
  let server: MySQLConnection;
  let kafka: TestKafka;
  let checked: string;

  before(async function () {
    this.timeout('20m');
    const { environment } = await testStack(['kafka', 'mysql', 'kafka-connect']);
    const connections = connectionsFrom(environment);
    const connection = connections.get('kafka_connect_default', ['kafka_connect']);
    const { signal } = new AbortController();
    connect = new KafkaConnect(connection, signal, 'kafka_connect_default');
    server = connections.get('mysql_default', ['mysql']);
    checked = await kafkaConnect.check(connection, signal);
    database = await createMySQLDatabase();
    kafka = await TestKafka.connect(environment);
    await kafka.createTopic(topic);
  });

  after(async () => {
    await connect.delete(topic);
    await kafka.close();
    await database.drop();
  });

  const config = (changes: Record<string, string> = {}) =>
    catalogueConnector(server, { database: database.name, table: 'products', topic }, changes);

  it('streams a table of MariaDB: what is there, then each change and each deletion', async () => {
    assert.match(checked, /^Kafka Connect 4\.\d+\.\d+ at http:\/\/127\.0\.0\.1:\d+\/?, \d+ connectors?$/);
    await database.rows(
      'CREATE TABLE products (product_id INT PRIMARY KEY, name VARCHAR(80), price DECIMAL(12,2))',
      "INSERT INTO products VALUES (1, 'Lamp', 19.90), (2, 'Chair', 49.00)",
    );
    assert.equal(await connect.putConfig(topic, config()), true);
    /** The records of the topic, when there are so many. */
    const records = (count: number) =>
      poll(`${count} records`, async () => {
        const found: Record<string, unknown>[] = [];
        await readTopic(kafka.kafka, { topic, from: 'earliest', signal: new AbortController().signal }, ({ value }) => {
          found.push(JSON.parse(value?.toString() ?? '') as Record<string, unknown>);
          return true;
        });
        return found.length >= count ? found : undefined;
      });
    await records(2);
    await database.rows('UPDATE products SET price = 21.5 WHERE product_id = 1', 'DELETE FROM products WHERE product_id = 2');
    const all = await records(4);
    assert.deepEqual(
      all.map(({ product_id, price, __deleted }) => [product_id, price, __deleted]),
      [
        [1, '19.90', 'false'],
        [2, '49.00', 'false'],
        [1, '21.50', 'false'],
        [2, '49.00', 'true'],
      ],
    );
    const positions = all.map(({ __source_pos }) => Number(__source_pos));
    assert.ok(
      positions.every((position, index) => position >= (positions[index - 1] ?? 0)),
      String(positions),
    );
  });

  it('reports the state of a connector, its configuration and its position', async () => {
    const status = await connect.status(topic);
    assert.deepEqual(
      [status?.type, status?.connector.state, status?.tasks.map(({ id, state }) => [id, state])],
      ['source', 'RUNNING', [[0, 'RUNNING']]],
    );
    assert.deepEqual((await connect.statuses()).get(topic), status);
    const stored = await connect.config(topic);
    assert.deepEqual([stored?.['name'], stored?.['database.password']], [topic, '${env:CONNECT_MYSQL_PASSWORD}']);
    const [offset] = await poll('offsets', async () => {
      const offsets = await connect.offsets(topic);
      return offsets?.length ? offsets : undefined;
    });
    assert.match(String(offset?.offset?.['file']), /^binlog\.\d+$/);
  });

  it('refuses a configuration, and names the mistakes in it', async () => {
    await assert.rejects(
      connect.putConfig(`${topic}-wrong`, config({ 'database.user': 'nobody', 'database.server.id': 'x' })),
      (error: Error) => {
        assert.equal(error.name, 'ConnectRefused');
        assert.match(error.message, /The 'database\.server\.id' value is invalid: A long value is expected/);
        assert.doesNotMatch(error.message, /You can also find/);
        return true;
      },
    );
    assert.equal(await connect.config(`${topic}-wrong`), undefined);
    for (const missing of [connect.status('none'), connect.offsets('none')]) assert.equal(await missing, undefined);
    for (const missing of [connect.delete('none'), connect.restartFailed('none'), connect.setState('none', 'stop')])
      assert.equal(await missing, false);
  });

  it('restarts what failed, resets offsets of a stopped connector, and deletes it', async () => {
    assert.equal(await connect.restartFailed(topic), true);
    await assert.rejects(connect.resetOffsets(topic), { name: 'ConnectRefused', message: /must be in the STOPPED state/ });
    assert.equal(await connect.setState(topic, 'stop'), true);
    await eventually(async () => assert.equal((await connect.status(topic))?.tasks.length, 0));
    assert.equal(await connect.resetOffsets(topic), true);
    assert.deepEqual(
      (await connect.offsets(topic))?.filter(({ offset }) => offset !== null),
      [],
    );
    assert.equal(await connect.delete(topic), true);
    assert.equal(await connect.config(topic), undefined);
  });
});
