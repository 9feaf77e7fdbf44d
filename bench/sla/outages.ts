import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { PagerDutyStandIn } from '../../dev/demo/pagerduty-stand-in.ts';
import { type Measure, median } from '../measure.ts';
import { until } from '../../test/support/eventually.ts';
import { startProcess, type TestProcess } from '../../test/support/processes.ts';

/** Number of times that the workers, and Temporal, are killed. */
const ROUNDS = 20;
/** Duration of an outage of Temporal, in milliseconds; the workers stay down until the page. */
const AWAY = 70_000;
const PAGED_WITHIN = { workers: 90_000, temporal: 120_000 };
const PATIENCE = 180_000;
/** Time without faults between two rounds, in milliseconds. */
const WELL = 10_000;

/** Measures how soon on-call is paged for a dead worker and for Temporal, with two monitors as in production. */
export async function measureOutages(
  environment: Record<string, string>,
  pagerDuty: PagerDutyStandIn,
  killTemporal: (awayMs: number) => Promise<void>,
): Promise<Measure[]> {
  const queue = `bench-outages-${randomUUID().slice(0, 8)}`;
  const start = async (...args: string[]): Promise<TestProcess> => {
    const child = startProcess('worker.ts', [...args, '--queue', queue], environment);
    await child.says('ready');
    return child;
  };
  const before = new Map(pagerDuty.opened);
  let worker = await start();
  const monitors = [await start('--monitors'), await start('--monitors')];
  try {
    const workers = await repeat(pagerDuty, `workers/${queue}`, 'SIGKILL of the worker', async (paged) => {
      await worker.stop('SIGKILL');
      await paged();
      worker = await start();
    });
    const temporal = await repeat(pagerDuty, `sluice/temporal/${environment.TEMPORAL_ADDRESS}`, 'SIGKILL of Temporal', async (paged) => {
      const back = killTemporal(AWAY);
      await paged();
      await back;
    });
    const others = [...pagerDuty.opened].filter(
      ([key, count]) => count !== (before.get(key) ?? 0) && key !== workers.key && key !== temporal.key,
    );
    return [
      ...measuresOf('the worker killed', workers, PAGED_WITHIN.workers),
      ...measuresOf('Temporal killed', temporal, PAGED_WITHIN.temporal),
      { what: 'other pages meanwhile', measured: others.map(([key]) => key).join(', ') || '0', wanted: '0', reached: others.length === 0 },
    ];
  } finally {
    await Promise.all([worker, ...monitors].map((each) => each.stop('SIGKILL')));
  }
}

interface Outages {
  readonly key: string;
  /** From each outage to its page, milliseconds. */
  readonly delays: readonly number[];
  readonly alerts: number;
  readonly resolved: number;
}

async function repeat(
  pagerDuty: PagerDutyStandIn,
  key: string,
  what: string,
  outage: (paged: () => Promise<void>) => Promise<void>,
): Promise<Outages> {
  const delays: number[] = [];
  let resolved = 0;
  for (let round = 1; round <= ROUNDS; round++) {
    await delay(WELL);
    const began = performance.now();
    await outage(async () => {
      const paged = await until(() => pagerDuty.open.has(key), PATIENCE);
      delays.push(paged ? performance.now() - began : Infinity);
    });
    if (await until(() => !pagerDuty.open.has(key), PATIENCE)) resolved++;
    process.stderr.write(`${what} ${round} of ${ROUNDS}: paged after ${((delays.at(-1) ?? 0) / 1_000).toFixed(1)} s\n`);
  }
  return { key, delays, alerts: pagerDuty.opened.get(key) ?? 0, resolved };
}

function measuresOf(what: string, { delays, alerts, resolved }: Outages, within: number): Measure[] {
  const most = Math.max(...delays);
  const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;
  return [
    {
      what: `${what} ${ROUNDS} times: paged after`,
      measured: `median ${seconds(median(delays))}, most ${seconds(most)}`,
      wanted: `most ≤ ${within / 1_000} s`,
      reached: most <= within,
    },
    {
      what: `${what}: alerts`,
      measured: `${alerts} for ${ROUNDS} outages, ${resolved} resolved by themselves`,
      wanted: 'one each, all resolved',
      reached: alerts === ROUNDS && resolved === ROUNDS,
    },
  ];
}
