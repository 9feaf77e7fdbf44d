import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Client } from '@temporalio/client';
import type { Fault, PagerDutyStandIn } from '../../dev/demo/pagerduty-stand-in.ts';
import { connectionsFrom } from '../../connections/connections.ts';
import type { Environment } from '../../lib/environment.ts';
import { inTurns } from '../../workflows/plan/values/in-turns.ts';
import { createMonitors } from '../../monitors/create-monitors.ts';
import { TemporalFacts } from '../../temporal/monitors/monitor-facts.ts';
import { createMonitorWorkers } from '../../temporal/monitors/monitors.ts';
import { incidentId, type Notice, type Observation } from '../../workflows/plan/incidents/incident.ts';
import type { Measure } from '../measure.ts';
import { until } from '../../test/support/eventually.ts';

/** Number of incidents for each fault that a channel recovers from. */
const A_FEW = 10;
/** Number of incidents for each fault that could cause a duplicate or a lost alert. */
const MANY = 200;
const FLAPS = 3;
/** Number of incidents that flap concurrently: more would exceed this machine. */
const FLAPPING_AT_ONCE = 10;
/** Number of claims that are lost with each killed worker. */
const CLAIMS_A_KILL = 20;
const AT_ONCE = 50;
/** Maximum duration of an attempt to notify a channel, in milliseconds. */
const LONGEST = 10_000;
/** An alert that is not sent and resolved within this time counts as lost, in milliseconds. */
const PATIENCE = 300_000;

/** Checks incidents while PagerDuty or its notifier fails: each must cause one alert, and none may stay open. */
export async function measureChannelFaults(client: Client, environment: Environment, pagerDuty: PagerDutyStandIn): Promise<Measure[]> {
  const queue = `bench-faults-${randomUUID().slice(0, 8)}`;
  const faults = new ChannelFaults(client, environment, pagerDuty, queue);
  const attempts: number[] = [];
  const group = await createMonitorWorkers(
    environment,
    [queue],
    (facts) => {
      const monitors = createMonitors(facts, connectionsFrom(environment), environment);
      return {
        ...monitors,
        async notify(notice: Notice): Promise<void> {
          const began = performance.now();
          await monitors.notify(notice).finally(() => attempts.push(performance.now() - began));
        },
      };
    },
    () => undefined,
  );
  const running = group.run();
  const status = (code: number, more: { body?: string; type?: string } = {}): Fault => ({ kind: 'status', status: code, ...more });
  try {
    const measures = [
      await faults.meet('429 × 10, then 202', 1, times(10, status(429))),
      await faults.meet('500', A_FEW, times(A_FEW, status(500))),
      await faults.meet(
        '502 with a page of HTML',
        A_FEW,
        times(A_FEW, status(502, { body: '<html>Bad gateway</html>', type: 'text/html' })),
      ),
      await faults.meet('a reset', A_FEW, times(A_FEW, { kind: 'reset' })),
      await faults.meet('a black hole', A_FEW, times(A_FEW, { kind: 'hang' })),
      await faults.meet('taken, and the answer lost', MANY, times(MANY, { kind: 'accept-and-hang-up' })),
      await faults.flap(),
    ];
    const longest = Math.max(...attempts);
    return [
      ...measures,
      await new ChannelFaults(client, environment, pagerDuty, `${queue}-killed`).killBeforeSending(),
      {
        what: `the longest of ${attempts.length} attempts`,
        measured: `${(longest / 1_000).toFixed(1)} s`,
        wanted: `≤ ${LONGEST / 1_000} s`,
        reached: longest <= LONGEST,
      },
    ];
  } finally {
    group.shutdown();
    await running;
  }
}

class ChannelFaults {
  private readonly facts: TemporalFacts;

  constructor(
    private readonly client: Client,
    private readonly environment: Environment,
    private readonly pagerDuty: PagerDutyStandIn,
    private readonly queue: string,
  ) {
    this.facts = new TemporalFacts(client, queue, environment);
  }

  /** Starts incidents while the next requests fail with `mischief`, and ends them after all alerts are sent. */
  async meet(what: string, count: number, mischief: readonly Fault[]): Promise<Measure> {
    const keys = this.keysOf(what, count);
    this.pagerDuty.faults.push(...mischief);
    await this.observe(keys, 'breach');
    await this.isNotified(keys);
    await this.observe(keys, 'over');
    return this.measure(what, keys);
  }

  /** Starts and ends incidents repeatedly, faster than the pause between two messages about them. */
  async flap(): Promise<Measure> {
    const what = `recovery and breach, ${FLAPS} times in a row`;
    const keys = this.keysOf(what, MANY);
    await inTurns(keys, FLAPPING_AT_ONCE, async (key) => {
      await this.observe([key], 'breach');
      await this.isNotified([key]);
      for (let flap = 0; flap < FLAPS; flap++) for (const state of ['over', 'breach'] as const) await this.observe([key], state);
      await this.observe([key], 'over');
    });
    return this.measure(what, keys);
  }

  /** Kills workers that have claimed triggers, before they send them; other workers continue. */
  async killBeforeSending(): Promise<Measure> {
    const what = 'killed between the claim and the request';
    const keys = this.keysOf(what, MANY);
    for (let from = 0; from < keys.length; from += CLAIMS_A_KILL) {
      const some = keys.slice(from, from + CLAIMS_A_KILL);
      const worker = await this.startClaiming();
      await this.observe(some, 'breach');
      await worker.claimed(some);
      await worker.kill();
    }
    const last = await this.startClaiming();
    try {
      await this.isNotified(keys);
      await this.observe(keys, 'over');
      return await this.measure(what, keys);
    } finally {
      await last.kill();
    }
  }

  private async startClaiming() {
    const args = ['--import', 'tsx', join(import.meta.dirname, 'claiming-monitor.ts'), this.queue];
    const child = spawn(process.execPath, args, { env: { ...process.env, ...this.environment }, stdio: ['ignore', 'pipe', 'inherit'] });
    const gone = new Promise((resolve) => child.once('close', resolve));
    const lines = new Set<string>();
    createInterface({ input: child.stdout }).on('line', (line) => lines.add(line));
    const says = (wanted: readonly string[]): Promise<boolean> => until(() => wanted.every((line) => lines.has(line)), PATIENCE);
    await says(['ready']);
    return {
      claimed: (keys: readonly string[]) => says(keys.map((key) => `claimed ${key}`)),
      async kill(): Promise<void> {
        child.kill('SIGKILL');
        await gone;
      },
    };
  }

  private keysOf(what: string, count: number): string[] {
    process.stderr.write(`${what}: ${count} incidents\n`);
    return Array.from({ length: count }, () => `bench/${randomUUID()}`);
  }

  private observe(keys: readonly string[], state: Observation['state']): Promise<void> {
    const page = { summary: 'x', severity: 'error', source: 'bench', kind: 'test', since: '', details: {}, links: [] } as const;
    const alerts = { pagerduty: { connection: 'pagerduty_default' } };
    return inTurns(keys, AT_ONCE, async (key) => {
      await this.facts.observe(key, { state, page, alerts });
    });
  }

  private isNotified(keys: readonly string[]): Promise<boolean> {
    return until(() => keys.every((key) => this.pagerDuty.opened.has(key)), PATIENCE);
  }

  /** Checks PagerDuty's alerts after the incidents have ended. */
  private async measure(what: string, keys: readonly string[]): Promise<Measure> {
    const { opened, open, complaints } = this.pagerDuty;
    let running = keys.length;
    await until(async () => {
      running = 0;
      await inTurns(keys, AT_ONCE, async (key) => {
        if ((await this.client.workflow.getHandle(incidentId(key)).describe()).status.name === 'RUNNING') running++;
      });
      return running === 0;
    }, PATIENCE);
    const count = (of: (key: string) => boolean): number => keys.filter(of).length;
    const lost = count((key) => !opened.has(key));
    const extra = keys.reduce((sum, key) => sum + Math.max(0, (opened.get(key) ?? 0) - 1), 0);
    const stuck = count((key) => open.has(key)) + running;
    const early = count((key) => complaints.some((complaint) => complaint.includes(key)));
    return {
      what,
      measured: `${keys.length - lost} of ${keys.length} notified, ${extra} twice, ${stuck} stuck open, ${early} resolved too early`,
      wanted: 'one alert each, all resolved',
      reached: lost + extra + stuck + early === 0,
    };
  }
}

function times<T>(count: number, what: T): T[] {
  return Array.from({ length: count }, () => what);
}
