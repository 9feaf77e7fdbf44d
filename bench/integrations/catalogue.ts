import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { connectionsFrom } from '../../connections/connections.ts';
import { queryWarehouse, runInMySQL, WAREHOUSE_TABLES } from '../../dev/demo/integrations/legacy-catalogue.ts';
import type { Environment } from '../../lib/environment.ts';
import { createKafka } from '../../lib/kafka/client.ts';
import { KafkaConnect } from '../../lib/kafka-connect/kafka-connect.ts';
import { applySensorChange } from '../../temporal/sensors/sensors.ts';
import { catalogueConnector } from '../../test/support/catalogue-connector.ts';
import { poll } from '../../test/support/eventually.ts';
import { examplePlan } from '../../test/support/example-plans.ts';
import { sensorId } from '../../workflows/plan/sensor.ts';
import { type Measure, median, percentile } from '../measure.ts';

const CHANGES = 200;
const CHANGES_A_SECOND = 5;
/** A new worker is slow. */
const WARM_UP = 20;
const LOOK_MS = 10;
const LIMIT_MS = 120_000;

/**
 * Measures the time from a change of a product in MySQL to the moment when a query of the warehouse sees it: through Kafka Connect, a topic
 * and a run of `product_catalogue_sync`. Each change is of another product, so that none hides another.
 */
export async function measureCatalogue(client: Client, environment: Environment, taskQueue: string): Promise<Measure[]> {
  const topic = `bench-catalogue-${randomUUID().slice(0, 8)}`;
  const database = topic.replaceAll('-', '_');
  const connections = connectionsFrom(environment);
  const connect = new KafkaConnect(connections.get('kafka_connect_default', ['kafka_connect']), new AbortController().signal);
  const admin = createKafka(connections.get('kafka_default', ['kafka']), 'sluice-bench').admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic, numPartitions: 1 }], waitForLeaders: true });
  await queryWarehouse(environment, `${WAREHOUSE_TABLES}; TRUNCATE legacy_products`);
  const products = Array.from({ length: WARM_UP + CHANGES }, (_, id) => `(${id}, 'Product ${id}', 'bench', 1)`);
  await runInMySQL(environment, `CREATE DATABASE ${database}`);
  await runInMySQL(
    environment,
    `CREATE TABLE ${database}.products (product_id BIGINT PRIMARY KEY, name VARCHAR(80), category VARCHAR(80), price DECIMAL(12, 2))`,
  );
  await runInMySQL(environment, `INSERT INTO ${database}.products VALUES ${products.join(', ')}`);
  const server = connections.get('mysql_default', ['mysql']);
  await connect.putConfig(topic, catalogueConnector(server, { database, table: 'products', topic }));
  const example = await examplePlan('product_catalogue_sync');
  const triggers = (example.triggers ?? []).map((trigger) => ({ ...trigger, source: { ...trigger.source, topic } }));
  const plan = { ...example, dagId: database, triggers };
  const id = sensorId(plan.dagId, 'changes');
  await applySensorChange(client, { id, action: 'start', plan, trigger: 'changes' }, taskQueue);
  try {
    await poll('the products of the snapshot', async () =>
      (await changedTo(environment, 1)).length === products.length ? true : undefined,
    );
    const milliseconds = await measure(environment, database);
    const [middle, p95] = [median(milliseconds), percentile(milliseconds, 0.95)];
    const seconds = (value: number): string => `${(value / 1_000).toFixed(2)} s`;
    return [
      {
        what: `change in MySQL to the warehouse, ${CHANGES} changes, ${CHANGES_A_SECOND} a second`,
        measured: `median ${seconds(middle)}, p95 ${seconds(p95)}, longest ${seconds(Math.max(...milliseconds))}`,
        wanted: 'p95 < 120 s',
        reached: p95 < LIMIT_MS,
      },
    ];
  } finally {
    await applySensorChange(client, { id, action: 'stop' }, taskQueue);
    await connect.delete(topic);
    await runInMySQL(environment, `DROP DATABASE ${database}`);
    await admin.disconnect();
  }
}

/** @returns the milliseconds of each change, in order */
async function measure(environment: Environment, database: string): Promise<number[]> {
  const changedAt = new Map<number, number>();
  const seenAt = new Map<number, number>();
  const change = async (): Promise<void> => {
    const began = performance.now();
    for (let product = 0; product < WARM_UP + CHANGES; product++) {
      await delay(Math.max(0, began + (product * 1_000) / CHANGES_A_SECOND - performance.now()));
      await runInMySQL(environment, `UPDATE ${database}.products SET price = 2 WHERE product_id = ${product}`);
      changedAt.set(product, performance.now());
    }
  };
  const look = async (): Promise<void> => {
    for (const until = performance.now() + LIMIT_MS * 2; seenAt.size < WARM_UP + CHANGES; await delay(LOOK_MS)) {
      if (performance.now() > until) throw new Error(`${WARM_UP + CHANGES - seenAt.size} changes did not reach the warehouse.`);
      for (const product of await changedTo(environment, 2)) if (!seenAt.has(product)) seenAt.set(product, performance.now());
    }
  };
  await Promise.all([change(), look()]);
  return [...changedAt].slice(WARM_UP).map(([product, at]) => (seenAt.get(product) ?? NaN) - at);
}

/** The products with this price in the warehouse. */
async function changedTo(environment: Environment, price: number): Promise<number[]> {
  const rows = await queryWarehouse(environment, `SELECT product_id::int AS id FROM legacy_catalogue WHERE price = ${price}`);
  return rows.map(({ id }) => Number(id));
}
