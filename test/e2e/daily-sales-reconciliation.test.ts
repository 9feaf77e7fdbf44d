import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'mocha';
import { ensureMonitor } from '../../temporal/monitors/ensure-monitor.ts';
import type { MonitorGroup } from '../../temporal/monitors/monitors.ts';
import { inTurns } from '../../workflows/plan/values/in-turns.ts';
import { startManualRun } from '../../temporal/runs/runs.ts';
import { applyChange } from '../../temporal/schedules/schedules.ts';
import { monitorId, probeId } from '../../workflows/plan/incidents/incident.ts';
import type { JsonObject } from '../../workflows/plan/values/json.ts';
import type { RunResult } from '../../workflows/plan/runs/run.ts';
import { createTestMonitors } from '../support/test-monitors.ts';
import { eventually } from '../support/eventually.ts';
import { PagerDutyStandIn } from '../../dev/demo/pagerduty-stand-in.ts';
import { sluice } from '../support/processes.ts';
import { IS_FULL, randomCases } from '../support/random-cases.ts';
import { differencesOf, differingDays } from '../support/shipped/sales-differences.ts';
import { createTestPipeline, DEMO_DAY, planOfFile, type TestPipeline } from '../support/test-pipeline.ts';

const DAY = { start: `${DEMO_DAY}T00:00:00Z`, end: '2026-03-02T00:00:00Z' };
const SETTINGS = { everyMs: 500, graceMs: 1_000, neverStartedMs: 60_000, silenceMs: 3_000, sensorMs: 2_000 };

describe('daily_sales_reconciliation, as in pipelines/', function () {
  this.timeout(IS_FULL ? '1h' : '2m');
  // An id of its own: the servers remember the incidents and the runs of an earlier test run for the same day.
  const plan = { ...planOfFile('daily_sales_reconciliation.yaml'), dagId: `daily_sales_reconciliation_${randomUUID().slice(0, 8)}` };
  const key = `${plan.dagId}/sales_agree/${DAY.start}`;
  let pipeline: TestPipeline;
  let pagerDuty: PagerDutyStandIn;
  let monitors: MonitorGroup;
  let monitoring: Promise<void>;

  before(async function () {
    this.timeout('20m');
    pipeline = await createTestPipeline(100);
    pagerDuty = await PagerDutyStandIn.start();
    const { client, taskQueue } = pipeline;
    const environment = { ...pipeline.environment, ...pagerDuty.environment };
    await pipeline.startWorker();
    monitors = await createTestMonitors(environment, taskQueue);
    monitoring = monitors.run();
    await ensureMonitor(client, taskQueue, SETTINGS);
    await applyChange(client, { dagId: plan.dagId, action: 'create', detail: '', plan }, taskQueue);
  });
  after(async () => {
    const { client, taskQueue } = pipeline;
    await applyChange(client, { dagId: plan.dagId, action: 'delete', detail: '' }, taskQueue);
    for (const id of [monitorId(taskQueue), probeId(taskQueue)]) await client.workflow.getHandle(id).terminate();
    monitors.shutdown();
    await monitoring;
    await pipeline.close();
    await pagerDuty.close();
  });

  async function run(id: string, interval = DAY, params: JsonObject = {}): Promise<RunResult> {
    const { client, taskQueue } = pipeline;
    const { pipelineRunId } = await startManualRun(client, plan, taskQueue, interval, id, params);
    return (await client.workflow.getHandle(pipelineRunId).result()) as RunResult;
  }
  const told = (...actions: string[]): Promise<void> =>
    eventually(() => Promise.resolve(assert.deepEqual(pagerDuty.actionsOf(key), actions)), 40_000);

  it('pages for more than 0.1 %, and resolves the page when the warehouse is repaired', async () => {
    const found = await run('as-it-is');
    assert.equal(found.state, 'success');
    const { discrepancy, changed, missing, extra } = found.tasks.reconcile_sales?.output as Record<string, number>;
    assert.deepEqual([discrepancy, changed, missing, extra], [12 / 4_000, 4, 8, 0]);
    await told('trigger');
    const event = pagerDuty.events.find(({ dedup_key }) => dedup_key === key);
    assert.match(event?.payload.summary ?? '', /^12 of 4,000 rows differ: 0\.3 %, tolerated 0\.1% \(reconcile_sales\) \| /);
    assert.equal(event?.payload.severity, 'critical');

    // The command that the page gives is all that is needed.
    const { to_repair_it: command, difference, report } = event?.payload.custom_details ?? {};
    assert.match(String(difference), /^12 of 4,000 rows of sales .* differ: /);
    assert.match(String(report), /^s3:\/\/reports\/.*\.csv$/);
    const [program, ...args] = String(command).split(' ');
    assert.equal(program, 'sluice');
    const started = await sluice(args, { ...pipeline.environment, SLUICE_TASK_QUEUE: pipeline.taskQueue });
    assert.equal(started.code, 0, started.stderr);
    const repaired = (await pipeline.client.workflow.getHandle(started.stdout.trim()).result()) as RunResult;
    assert.equal((repaired.tasks.reconcile_sales?.output as Record<string, number>).repaired, 12);
    await told('trigger', 'resolve');
    const all = 'SELECT * FROM $ ORDER BY 1';
    assert.deepEqual(await pipeline.warehouse.rows(all.replace('$', 'fact_sales')), await pipeline.source.rows(all.replace('$', 'sales')));
    assert.deepEqual(pagerDuty.complaints, []);
  });

  const random = randomCases(differingDays, { few: 6, many: 200, seed: 4_711 });
  it(`finds what differs on any day, and repairs that alone: ${random.title}`, async () => {
    const days = random.cases.map((sales, index) => ({ day: dayAfter('2024-02-29', index), sales, first: 1_000_000_000 + index * 10_000 }));
    for (const side of ['shop', 'warehouse'] as const) {
      const rows = days.flatMap(({ day, sales, first }) =>
        sales.flatMap((both, index) => {
          const sold = both[side];
          if (!sold) return [];
          const at = sold.at === null ? ['2001-01-01', 0] : [day, sold.at];
          return [[first + index, sold.product, sold.region, sold.quantity, (sold.cents / 100).toFixed(2), ...at]];
        }),
      );
      const { [side]: database } = { shop: pipeline.source, warehouse: pipeline.warehouse };
      await database.rows(
        `INSERT INTO ${side === 'shop' ? 'sales' : 'fact_sales'} SELECT (r->>0)::bigint, (r->>1)::int, r->>2, (r->>3)::int, (r->>4)::numeric,
           (r->>5)::timestamp AT TIME ZONE 'UTC' + (r->>6)::bigint * interval '1 microsecond', now() FROM json_array_elements($1::json) r`,
        [JSON.stringify(rows)],
      );
    }
    await inTurns(days, 6, async ({ day, sales, first }) => {
      const interval = { start: `${day}T00:00:00Z`, end: `${dayAfter(day, 1)}T00:00:00Z` };
      const expected = differencesOf(sales);
      const differing = expected.changed + expected.missing + expected.extra;
      const found = (await run(`random-${day}`, interval)).tasks.reconcile_sales?.output as Record<string, number>;
      const { discrepancy, compared, changed, missing, extra } = found;
      assert.deepEqual({ compared, changed, missing, extra }, expected, day);
      assert.equal(discrepancy, expected.compared === 0 ? 0 : differing / expected.compared, day);
      const repaired = (await run(`repair-${day}`, interval, { on_mismatch: 'repair' })).tasks.reconcile_sales?.output as Record<
        string,
        number
      >;
      assert.equal(repaired.repaired ?? 0, differing, day);
      const ofDay =
        'SELECT sale_id, product_id, region, quantity, total, sold_at FROM $ WHERE sale_id >= $1 AND sale_id < $1 + 10000 ORDER BY 1';
      const [shop, warehouse] = await Promise.all([
        pipeline.source.rows(ofDay.replace('$', 'sales'), [first]),
        pipeline.warehouse.rows(ofDay.replace('$', 'fact_sales'), [first]),
      ]);
      assert.deepEqual(warehouse, shop, day);
    });
  });
});

function dayAfter(day: string, days: number): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10);
}
