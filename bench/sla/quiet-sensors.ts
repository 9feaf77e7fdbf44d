import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import type { PagerDutyStandIn } from '../../dev/demo/pagerduty-stand-in.ts';
import { connectionsFrom } from '../../connections/connections.ts';
import { inTurns } from '../../workflows/plan/values/in-turns.ts';
import { createKafka } from '../../lib/kafka/client.ts';
import { applySensorChange } from '../../temporal/sensors/sensors.ts';
import { startProcess } from '../../test/support/processes.ts';
import { sensorId } from '../../workflows/plan/sensor.ts';
import type { Measure } from '../measure.ts';
import { sensorPlan, TRIGGER } from '../sensors/sensor-plan.ts';

const SENSORS = 50;
const TOPICS = 10;
const AT_ONCE = 10;
const RESTARTS = 5;
/** How long the broker is down, and then up, in milliseconds. */
const AWAY = 15_000;
const BACK = 30_000;
/** A sensor problem is paged after two minutes. Milliseconds. */
const PAGED_AFTER = 180_000;

/** Checks that sensors without events are not paged after an outage of their broker, although they have no activity that shows recovery. */
export async function measureQuietSensors(
  client: Client,
  environment: Record<string, string>,
  pagerDuty: PagerDutyStandIn,
  killBroker: (awayMs: number) => Promise<void>,
): Promise<Measure[]> {
  const name = randomUUID().slice(0, 8);
  const queue = `bench-quiet-${name}`;
  const topics = Array.from({ length: TOPICS }, (_, number) => `bench-quiet-${name}-${number}`);
  const admin = createKafka(connectionsFrom(environment).get('kafka_default', ['kafka']), 'sluice-bench').admin();
  await admin.connect();
  await admin.createTopics({ topics: topics.map((topic) => ({ topic, numPartitions: 1 })), waitForLeaders: false });
  await admin.disconnect();
  const processes = [
    startProcess('worker.ts', ['--queue', queue], environment),
    startProcess('worker.ts', ['--monitors', '--queue', queue], environment),
  ];
  try {
    await Promise.all(processes.map((each) => each.says('ready')));
    const before = new Map(pagerDuty.opened);
    const plans = Array.from({ length: SENSORS }, (_, number) => ({
      ...sensorPlan(`bench_quiet_${name}_${number}`, topics[number % TOPICS] ?? ''),
      alerts: { pagerduty: { connection: 'pagerduty_default' } },
    }));
    await inTurns(plans, AT_ONCE, (plan) =>
      applySensorChange(client, { id: sensorId(plan.dagId, TRIGGER), action: 'start', plan, trigger: TRIGGER }, queue),
    );
    await delay(BACK);
    for (let restart = 1; restart <= RESTARTS; restart++) {
      process.stderr.write(`broker restart ${restart} of ${RESTARTS}\n`);
      await killBroker(AWAY);
      await delay(BACK);
    }
    await delay(PAGED_AFTER);
    const pages = [...pagerDuty.opened].filter(([key, times]) => times !== (before.get(key) ?? 0)).map(([key]) => key);
    for (const key of pages) process.stderr.write(`false page: ${key}\n`);
    return [
      {
        what: `${SENSORS} sensors to which nothing comes, their broker killed ${RESTARTS} times: false pages`,
        measured: String(pages.length),
        wanted: '0',
        reached: pages.length === 0,
      },
    ];
  } finally {
    await Promise.all(processes.map((each) => each.stop('SIGKILL')));
  }
}
