import { setTimeout as delay } from 'node:timers/promises';
import type { Environment } from '../../../lib/environment.ts';
import { taskQueueOf } from '../../../lib/environment.ts';
import { listSensors } from '../../../temporal/sensors/sensors.ts';
import { sensorId } from '../../../workflows/plan/sensor.ts';
import { type TourGuide, waited } from '../tour.ts';
import type { IntegrationStop } from './integration-stop.ts';
import { createLegacyCatalogue, LEGACY_DATABASE, queryWarehouse, runInMySQL } from './legacy-catalogue.ts';

const PIPELINE = 'product_catalogue_sync';
const SENSOR = sensorId(PIPELINE, 'changes');
const PRODUCT = 89_101;
/** The limit of the shop, in milliseconds. */
const LIMIT_MS = 120_000;
const LOOK_MS = 50;

/** The legacy catalogue in MySQL, which Kafka Connect copies to the warehouse. */
export const catalogue: IntegrationStop = {
  title: 'A price changes in the legacy MySQL catalogue, and Kafka Connect and a pipeline bring it to the warehouse',
  parts: ['kafka', 'postgres', 'mysql', 'kafka-connect'],
  async prepare(settings) {
    await createLegacyCatalogue(settings);
    return {};
  },
  async show(guide) {
    const { client, environment, say } = guide;
    const listens = await waited(guide, 'The sensor', async () =>
      (await listSensors(client, taskQueueOf(environment))).find(({ id, state }) => id === SENSOR && (state?.reports.length ?? 0) > 0),
    );
    if (!listens) throw new Error('The sensor of product_catalogue_sync did not start.');
    const [[name = '', before = ''] = []] = await runInMySQL(
      environment,
      `SELECT name, price FROM ${LEGACY_DATABASE}.products WHERE product_id = ${PRODUCT}`,
    );
    await seen(guide, String(before));
    const price = (Number(before) + 1).toFixed(2);
    await runInMySQL(environment, `UPDATE ${LEGACY_DATABASE}.products SET price = ${price} WHERE product_id = ${PRODUCT}`);
    say(`  MySQL: ${name} costs ${price}, no longer ${before}.`);
    const milliseconds = await seen(guide, price);
    say(`  The warehouse has the new price after ${(milliseconds / 1_000).toFixed(1)} s.`);
  },
};

/** Waits until the warehouse has this price of the product. @returns the milliseconds that it took @throws Error after the limit */
async function seen({ environment, signal }: TourGuide, price: string): Promise<number> {
  const began = performance.now();
  for (; performance.now() - began < LIMIT_MS; await delay(LOOK_MS, undefined, { signal })) {
    if ((await priceInWarehouse(environment)) === price) return performance.now() - began;
  }
  throw new Error(`The warehouse does not have the price ${price} of product ${PRODUCT} after ${LIMIT_MS / 1_000} s.`);
}

async function priceInWarehouse(environment: Environment): Promise<unknown> {
  const [row] = await queryWarehouse(environment, `SELECT price::text FROM legacy_catalogue WHERE product_id = ${PRODUCT}`);
  return row?.price;
}
