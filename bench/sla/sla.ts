import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ApplicationFailure } from '@temporalio/activity';
import type { Client } from '@temporalio/client';
import { withHash } from '../../compiler/resolve/emit.ts';
import { PagerDutyStandIn } from '../../dev/demo/pagerduty-stand-in.ts';
import { freePort } from '../../dev/servers/ports.ts';
import { startStack } from '../../dev/stack.ts';
import { type Environment, ROOT } from '../../lib/environment.ts';
import { inTurns } from '../../workflows/plan/values/in-turns.ts';
import { createProgress } from '../../lib/progress.ts';
import { connectClient } from '../../temporal/connect.ts';
import { startManualRun } from '../../temporal/runs/runs.ts';
import { applyChange } from '../../temporal/schedules/schedules.ts';
import { ensureSearchAttributes } from '../../temporal/search-attributes.ts';
import { createLog } from '../../lib/logging.ts';
import { createWorkers, installRuntime } from '../../temporal/worker/worker-process.ts';
import type { Plan } from '../../workflows/plan/plan.ts';
import { Child } from '../child.ts';
import { type Measure, median, percentile } from '../measure.ts';
import type { MonitorWeight } from './monitor-child.ts';

const PIPELINES = 1_000;
const FEW_PIPELINES = 250;
const RUNS_EACH = 5;
const DEADLINES = 50;
const AT_ONCE = 50;
/** Duration of the measurement of a monitor, in milliseconds. */
const WEIGHED = 60_000;
/** Time from the start of a run to the first deadline; each further deadline is one second later. */
const FIRST_DEADLINE = 60_000;
/** Number of deleted runs, and the interval between deletions in milliseconds. */
const DELETIONS = 200;
const DELETED_EVERY = 500;
const VERIFIED = 90_000;
const HOUR = 3_600_000;
const DAY = { start: '2024-01-01T00:00:00Z', end: '2024-01-02T00:00:00Z' };

/** Measures the cost of monitoring, and how soon a missed deadline is paged: with production settings, on a real server on this machine. */
export async function benchSla(): Promise<Measure[]> {
  const stack = await startStack({
    home: join(ROOT, '.sluice', 'bench'),
    parts: ['temporal'],
    environment: {},
    progress: createProgress(),
  });
  const pagerDuty = await PagerDutyStandIn.start();
  const environment: Environment = { ...process.env, ...stack.environment, ...pagerDuty.environment };
  const client = await connectClient(environment);
  const queue = `bench-sla-${randomUUID().slice(0, 8)}`;
  const bench = new Bench(client, queue, pagerDuty);
  try {
    await ensureSearchAttributes(client);
    installRuntime(createLog('bench', 'error'));
    const workers = await createWorkers(environment, [queue], () => ({ wait: () => Promise.reject(NOT_YET) }));
    const running = workers.run();
    const monitor = await startMonitor(environment, queue);
    try {
      await bench.fill(0, FEW_PIPELINES);
      const few = await weigh(monitor);
      await bench.fill(FEW_PIPELINES, PIPELINES);
      const many = await weigh(monitor);
      const delays = await bench.missDeadlines();
      const measures = measuresOf(few, many, delays, bench.falsePages());
      return [...measures, ...(await bench.deleteAtRandom())];
    } finally {
      await monitor.stop();
      workers.shutdown();
      await running;
    }
  } finally {
    await client.connection.close();
    await pagerDuty.close();
    await stack.stop();
  }
}

/** A task that waits without a slot: it is checked once an hour. */
const NOT_YET = ApplicationFailure.create({ type: 'NotYet', message: 'not yet', nextRetryDelay: HOUR });

class Bench {
  private readonly expected = new Set<string>();
  /** Index of the next pipeline that misses a deadline. */
  private next = PIPELINES;

  constructor(
    private readonly client: Client,
    private readonly queue: string,
    private readonly pagerDuty: PagerDutyStandIn,
  ) {}

  /** Creates pipelines, each with open runs that are on time. */
  async fill(from: number, to: number): Promise<void> {
    const numbers = Array.from({ length: to - from }, (_, index) => from + index);
    let done = 0;
    await inTurns(numbers, AT_ONCE, async (number) => {
      const plan = this.planOf(number, 2 * HOUR);
      await this.apply(plan);
      for (let run = 0; run < RUNS_EACH; run++) await startManualRun(this.client, plan, this.queue, DAY, `open-${run}`);
      if (++done % 250 === 0) process.stderr.write(`${done} of ${numbers.length} pipelines, with ${RUNS_EACH} open runs each\n`);
    });
  }

  /** Lets one run per second miss its deadline. @returns the time from each deadline to PagerDuty's 202, in milliseconds */
  async missDeadlines(): Promise<number[]> {
    const deadlines = new Map<string, number>();
    const numbers = Array.from({ length: DEADLINES }, (_, index) => index);
    await inTurns(numbers, AT_ONCE, async (number) => {
      const within = FIRST_DEADLINE + number * 1_000;
      const plan = this.planOf(this.next + number, within);
      await this.apply(plan);
      const { pipelineRunId } = await startManualRun(this.client, plan, this.queue, DAY, 'late');
      const { startTime } = await this.client.workflow.getHandle(pipelineRunId).describe();
      deadlines.set(`${plan.dagId}/in_time/${DAY.start}`, startTime.getTime() + within);
    });
    this.next += DEADLINES;
    for (const key of deadlines.keys()) this.expected.add(key);
    process.stderr.write(`${DEADLINES} runs will miss their deadlines\n`);
    const delays = new Map<string, number>();
    const until = Date.now() + FIRST_DEADLINE + DEADLINES * 1_000 + 120_000;
    while (delays.size < DEADLINES && Date.now() < until) {
      for (const key of this.pagerDuty.opened.keys()) {
        const deadline = deadlines.get(key);
        if (deadline !== undefined && !delays.has(key)) delays.set(key, Date.now() - deadline);
      }
      await delay(50);
    }
    for (const key of deadlines.keys()) if (!delays.has(key)) process.stderr.write(`not notified: ${key}\n`);
    return [...deadlines.keys()].map((key) => delays.get(key) ?? Infinity);
  }

  /** Deletes runs, schedules and histories of monitored pipelines, while other pipelines miss their deadlines. */
  async deleteAtRandom(): Promise<Measure[]> {
    const { namespace } = this.client.options;
    const first = Math.floor(Math.random() * PIPELINES);
    const deleting = (async () => {
      for (let count = 0; count < DELETIONS; count++) {
        // Seven is coprime to the number of pipelines, so each is used once.
        const dagId = this.dagIdOf((first + count * 7) % PIPELINES);
        if (count % 10 === 0) await this.client.schedule.getHandle(dagId).delete();
        const workflowId = `${dagId}/manual/open-${count % RUNS_EACH}`;
        await this.client.workflowService.deleteWorkflowExecution({ namespace, workflowExecution: { workflowId } });
        // Deleting a run before it ends causes exactly one alert.
        this.expected.add(`removed/${workflowId}`);
        await delay(DELETED_EVERY);
      }
    })().catch((error: unknown) => {
      throw new Error('Deleting failed.', { cause: error });
    });
    const [delays] = await Promise.all([this.missDeadlines(), deleting]);
    const most = Math.max(...delays);
    // Wait until the monitor, which verifies once a minute, has checked the last deletion.
    await delay(VERIFIED);
    const alone = [...this.expected].filter((key) => key.startsWith('removed/') && this.pagerDuty.opened.has(key)).length;
    const together = [...this.pagerDuty.opened.keys()].filter((key) => key.includes('/storm/')).length;
    const falsePages = this.falsePages();
    return [
      {
        what: `${DELETIONS} runs and their histories, and a tenth as many schedules, deleted at random meanwhile: the deadlines of others`,
        measured: `most ${(most / 1_000).toFixed(1)} s; ${alone} deleted runs paged separately, the others in ${together} pages about many`,
        wanted: 'most ≤ 60 s',
        reached: most <= 60_000,
      },
      { what: 'false pages after that', measured: String(falsePages), wanted: '0', reached: falsePages === 0 },
    ];
  }

  /** Counts and prints pages for runs that were on time. One page about many deleted runs is correct. */
  falsePages(): number {
    const pages = [...this.pagerDuty.opened.keys()]
      .filter((key) => !this.expected.has(key))
      .map((key) => ({ key, summary: this.summaryOf(key) }))
      .filter(({ key, summary }) => !(key.includes('/storm/') && summary.includes('was deleted from Temporal')));
    for (const { key, summary } of pages) process.stderr.write(`false page ${key}: ${summary}\n`);
    return pages.length;
  }

  private summaryOf(key: string): string {
    return this.pagerDuty.events.find(({ dedup_key }) => dedup_key === key)?.payload?.summary ?? '';
  }

  private dagIdOf(number: number): string {
    return `${this.queue.replaceAll('-', '_')}_${number}`;
  }

  private planOf(number: number, within: number): Plan {
    return withHash({
      format: 1,
      dagId: this.dagIdOf(number),
      tags: [],
      schedule: { kind: 'cron', cron: '0 0 1 1 *', timezone: 'UTC' },
      alerts: { pagerduty: { connection: 'pagerduty_default' } },
      slas: [{ name: 'in_time', promise: { kind: 'within', ms: within, reference: 'started_at' }, suppressWhen: [] }],
      tasks: [
        {
          name: 'a',
          type: 'wait',
          summary: 'waits',
          dependsOn: [],
          triggerRule: 'all_success',
          params: {},
          retry: { maximumAttempts: 0, initialDelayMs: HOUR, backoff: 1, maximumDelayMs: HOUR },
          wait: { timeoutMs: 24 * HOUR, softFail: false },
          executionTimeoutMs: HOUR,
          heartbeatTimeoutMs: 15_000,
          allowFailure: false,
        },
      ],
    });
  }

  private async apply(plan: Plan): Promise<void> {
    await applyChange(this.client, { dagId: plan.dagId, action: 'create', detail: '', plan }, this.queue);
  }
}

async function startMonitor(environment: Environment, queue: string): Promise<Child<MonitorWeight>> {
  const args = [queue, String(await freePort(new Set()))];
  return Child.start({ file: 'bench/sla/monitor-child.ts', args, environment });
}

/** Measures the cost per second. */
async function weigh(monitor: Child<MonitorWeight>): Promise<MonitorWeight> {
  process.stderr.write(`weighing the monitor for ${WEIGHED / 1_000} s\n`);
  const before = await monitor.weigh();
  await delay(WEIGHED);
  const after = await monitor.weigh();
  const perSecond = (of: (weight: MonitorWeight) => number): number => ((of(after) - of(before)) / WEIGHED) * 1_000;
  return { cpuMs: perSecond(({ cpuMs }) => cpuMs), requests: perSecond(({ requests }) => requests), bytes: after.bytes };
}

function measuresOf(few: MonitorWeight, many: MonitorWeight, delays: readonly number[], falsePages: number): Measure[] {
  const [p95, most] = [percentile(delays, 0.95), Math.max(...delays)];
  const times = PIPELINES / FEW_PIPELINES;
  const growth = (of: (weight: MonitorWeight) => number): number => of(many) / of(few) / times;
  const [cpu, requests] = [growth(({ cpuMs }) => cpuMs), growth(({ requests: count }) => count)];
  const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;
  return [
    {
      what: 'a monitor of 1,000 pipelines with 5,000 open runs',
      measured: `${(many.cpuMs / 10).toFixed(1)} % of a core, ${many.requests.toFixed(1)} requests a second, ${(many.bytes / 1e6).toFixed(0)} MB`,
      wanted: '≤ 50 % of a core',
      reached: many.cpuMs <= 500,
    },
    {
      what: 'growth from a quarter of them to all, per run',
      measured: `CPU ${cpu.toFixed(2)} ×, requests ${requests.toFixed(2)} ×`,
      wanted: '≤ 1.2 × (linear: 1)',
      reached: cpu <= 1.2 && requests <= 1.2,
    },
    {
      what: `deadline to PagerDuty's 202, ${DEADLINES} deadlines in a minute`,
      measured: `median ${seconds(median(delays))}, p95 ${seconds(p95)}, most ${seconds(most)}`,
      wanted: 'p95 ≤ 30 s, most ≤ 60 s',
      reached: p95 <= 30_000 && most <= 60_000,
    },
    { what: 'false pages beside them', measured: String(falsePages), wanted: '0', reached: falsePages === 0 },
  ];
}
