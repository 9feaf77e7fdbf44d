import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { expectedDailySales } from '../../dev/demo/daily-product-sales.ts';
import { inTurns } from '../../workflows/plan/values/in-turns.ts';
import { startManualRun } from '../../temporal/runs/runs.ts';
import type { RunResult } from '../../workflows/plan/runs/run.ts';
import { IS_FULL, randomCases } from '../support/random-cases.ts';
import { byProductAndRegion, type DailyRow, dailyRows, salesDays } from '../support/shipped/sales-days.ts';
import { createTestPipeline, DEMO_DAY, planOfFile, type TestPipeline } from '../support/test-pipeline.ts';
import { unique } from '../support/test-sensors.ts';

const DAY = { start: `${DEMO_DAY}T00:00:00Z`, end: '2026-03-02T00:00:00Z' };
const OTHER_DAY = { sale_date: '2026-02-28', product_id: 7, region: 'EMEA', revenue: '5.00' };

describe('daily_product_sales_analysis, as in pipelines/', function () {
  this.timeout(IS_FULL ? '1h' : '4m');
  const plan = planOfFile('daily_product_sales_analysis.yaml');
  let pipeline: TestPipeline;

  before(async function () {
    this.timeout('20m');
    pipeline = await createTestPipeline(100);
    await pipeline.startWorker();
  });
  after(() => pipeline.close());

  async function run(id: string, interval = DAY): Promise<RunResult> {
    const { client, taskQueue } = pipeline;
    const { pipelineRunId } = await startManualRun(client, plan, taskQueue, interval, `${id}-${unique()}`);
    return (await client.workflow.getHandle(pipelineRunId).result()) as RunResult;
  }

  /** @returns how many rows the warehouse has of the day: those that SQL alone makes of the source */
  async function assertLoaded(): Promise<number> {
    const expected = await pipeline.source.rows(expectedDailySales, [DEMO_DAY]);
    const ofDay = 'SELECT * FROM daily_product_sales WHERE sale_date = $1 ORDER BY product_id, region';
    assert.deepEqual(await pipeline.warehouse.rows(ofDay, [DEMO_DAY]), expected);
    const others = 'SELECT sale_date::text, product_id, region, revenue FROM daily_product_sales WHERE sale_date <> $1';
    assert.deepEqual(await pipeline.warehouse.rows(others, [DEMO_DAY]), [OTHER_DAY]);
    return expected.length;
  }

  it('loads what SQL alone makes of the sales of the day, and of no other', async () => {
    const { source, warehouse } = pipeline;
    // At the borders of the day, of the same revenue, and in a region that breaks naive CSV.
    await source.rows(`
      INSERT INTO sales SELECT id, product, region, 1, total, at::timestamptz, at::timestamptz FROM (VALUES
        (1, 901, 'EMEA', 10.00, '2026-02-28 23:59:59.999999+00'), (2, 901, 'EMEA', 10.00, '2026-03-01 00:00+00'),
        (3, 902, 'EMEA', 10.00, '2026-03-01 23:59:59.999999+00'), (4, 902, 'EMEA', 10.00, '2026-03-02 00:00+00'),
        (5, 903, E'Rest, "of" the\\nworld', 0.01, '2026-03-01 12:00+00')
      ) AS odd (id, product, region, total, at)`);
    await warehouse.rows(
      `INSERT INTO daily_product_sales VALUES ('${OTHER_DAY.sale_date}', ${OTHER_DAY.product_id}, '${OTHER_DAY.region}', 1, 1, ${OTHER_DAY.revenue}, 1, 1)`,
    );
    const { state, tasks } = await run('first');
    assert.equal(state, 'success');
    const rows = await assertLoaded();
    assert.ok(rows > 500);
    const numbers = Object.entries(tasks).map(([name, { output }]) => [name, (output as { rows?: number }).rows]);
    assert.deepEqual(numbers.slice(0, 3), [
      ['extract_sales_data', 4_003],
      ['transform_sales_data', rows],
      ['load_sales_data', rows],
    ]);
    assert.equal((tasks.check_sales_data?.output as { passed: number }).passed, 3);
    const ties = await warehouse.rows(
      'SELECT region, region_rank FROM daily_product_sales WHERE sale_date = $1 GROUP BY 1, 2 HAVING count(*) > 1',
      [DEMO_DAY],
    );
    assert.ok(ties.length > 0, 'no two products share a rank');
  });

  it('run again it has what was corrected since: refunds beyond all sales, withdrawn products, and thousands of new ones', async () => {
    const { source } = pipeline;
    await source.rows(`
      UPDATE sales SET total = total + 1000 WHERE sale_id = 3;
      DELETE FROM sales WHERE product_id = 903;
      INSERT INTO sales SELECT -n, 100000 + n, 'EMEA', 1, 1, '2026-03-01 10:00+00', now() FROM generate_series(1, 30000) n;
      INSERT INTO sales SELECT -40000, 904, 'EMEA', -1, -sum(total) - 50, '2026-03-01 11:00+00', now() FROM sales
        WHERE sold_at >= '2026-03-01 00:00+00' AND sold_at < '2026-03-02 00:00+00'`);
    const { state } = await run('again');
    assert.equal(state, 'success');
    await assertLoaded();
  });

  const random = randomCases(salesDays, { few: 1, many: 60, seed: 14 });
  it(`has of any day what its sales add up to: ${random.title}`, async () => {
    // 29 February, the last day of a year, a day without sales, and the days behind them.
    const days = [...random.cases, []].map((sales, index) => ({
      day: shifted(['2024-02-29', '2023-12-31'][index % 2] ?? '', index >> 1),
      sales,
    }));
    let id = 1_000_000_000;
    const rows = days.flatMap(({ day, sales }) =>
      sales.map(({ product, region, quantity, cents, at }) => [
        id++,
        product,
        region,
        quantity,
        (cents / 100).toFixed(2),
        `${day} 00:00+00`,
        at,
      ]),
    );
    await pipeline.source.rows(
      `INSERT INTO sales SELECT (r->>0)::bigint, (r->>1)::int, r->>2, (r->>3)::int, (r->>4)::numeric,
         (r->>5)::timestamptz + (r->>6)::bigint * interval '1 microsecond', now() FROM json_array_elements($1::json) r`,
      [JSON.stringify(rows)],
    );
    await inTurns(days, 4, async ({ day, sales }) => {
      const { state } = await run('random', { start: `${day}T00:00:00Z`, end: `${shifted(day, 1)}T00:00:00Z` });
      assert.equal(state, 'success', day);
      const loaded = await pipeline.warehouse.rows<Record<string, string>>(
        `SELECT product_id, region, orders::int, quantity::int, revenue::text, revenue_share::text, region_rank
         FROM daily_product_sales WHERE sale_date = $1`,
        [day],
      );
      const found = loaded.map((row) => Object.values(row) as unknown as DailyRow).sort(byProductAndRegion);
      assert.deepEqual(found, dailyRows(sales), day);
    });
  });
});

function shifted(day: string, by: number): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + by * 86_400_000).toISOString().slice(0, 10);
}
