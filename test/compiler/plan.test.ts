import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'mocha';
import { stringify } from 'yaml';
import { CATALOG } from '../../activities/catalog.ts';
import { ROOT } from '../../lib/environment.ts';
import { compiler } from '../support/compiler.ts';

const SEED = join(ROOT, 'test', 'fixtures', 'seed', 'product_category_etl.yaml');
const SHARED_SEED = join(ROOT, '..', 'shared', 'seed', 'product_category_etl.yaml');
const PIPELINE = join(ROOT, 'pipelines', 'product_category_etl.yaml');

function planOf(text: string) {
  const { plan, diagnostics } = compiler.compile({ file: 'x.yaml', text });
  assert.deepEqual(diagnostics, []);
  assert.ok(plan);
  return plan;
}

describe("the analysts' document", () => {
  it('is in pipelines/ byte for byte', () => {
    const ours = readFileSync(PIPELINE);
    assert.ok(ours.equals(readFileSync(SEED)));
    // The original, where this checkout has it beside itself.
    if (existsSync(SHARED_SEED)) assert.ok(ours.equals(readFileSync(SHARED_SEED)));
  });

  it('compiles to what it means: listed order, data handed from task to task', () => {
    const plan = planOf(readFileSync(PIPELINE, 'utf8'));
    assert.equal(plan.dagId, 'product_category_etl');
    assert.deepEqual(plan.schedule, { kind: 'cron', cron: '0 0 * * *', timezone: 'UTC' });
    assert.deepEqual(
      plan.tasks.map(({ name, type, dependsOn, inputFrom, outputBase }) => ({ name, type, dependsOn, inputFrom, outputBase })),
      [
        {
          name: 'extract_category_data',
          type: 'postgres_to_s3',
          dependsOn: [],
          inputFrom: undefined,
          outputBase: 's3://raw-data/product_category_etl/extract_category_data',
        },
        {
          name: 'transform_category_data',
          type: 'spark_job',
          dependsOn: ['extract_category_data'],
          inputFrom: 'extract_category_data',
          outputBase: 's3://transformed-data/product_category_etl/transform_category_data',
        },
        {
          name: 'load_category_data',
          type: 's3_to_redshift',
          dependsOn: ['transform_category_data'],
          inputFrom: 'transform_category_data',
          outputBase: undefined,
        },
      ],
    );
  });
});

describe('plans', () => {
  const tasks = 'tasks:\n  - {name: a, type: postgres_to_s3, source_table: t, s3_bucket: b-1}\n';

  it('of built-in task types keep their hash from release to release, so that an update applies nothing', () => {
    const plan = planOf('dag_id: pinned\ntasks: [{name: a, type: http, path: /a}, {name: b, type: empty}]');
    assert.equal(plan.hash, '9546203ca906cfc23074c786f76fb297ad6db213f9fe586fa62e426fe17512d2');
  });

  it('have the same hash for the same meaning, another for another', () => {
    const hash = planOf(`dag_id: x\nschedule_interval: "@daily"\n${tasks}`).hash;
    assert.equal(planOf(`# said otherwise\n${tasks}schedule: {cron: "0 0 * * *"}\ndag_id: x`).hash, hash);
    assert.notEqual(planOf(`dag_id: x\nschedule_interval: "@hourly"\n${tasks}`).hash, hash);
  });

  it('inherit default_args where a task does not override them', () => {
    const plan = planOf(
      'dag_id: x\ndefault_args: {retries: 1, retry_delay: 1m, retry_exponential_backoff: false, queue: big}\ntasks:\n' +
        '  - {name: a, type: postgres_to_s3, source_table: t, s3_bucket: b-1}\n  - {name: b, type: postgres_to_s3, source_table: t, s3_bucket: b-1, retries: 5, max_retry_delay: 2m}\n',
    );
    assert.deepEqual(
      plan.tasks.map(({ retry, queue }) => ({ ...retry, queue })),
      [
        { maximumAttempts: 2, initialDelayMs: 60_000, backoff: 1, maximumDelayMs: 3_600_000, queue: 'big' },
        { maximumAttempts: 6, initialDelayMs: 60_000, backoff: 1, maximumDelayMs: 120_000, queue: 'big' },
      ],
    );
  });

  it('read dates in the zone of the pipeline', () => {
    const { schedule } = planOf(
      `dag_id: x\ntimezone: Europe/Berlin\nstart_date: 2024-07-01\nend_date: 2024-12-31T12:00\nschedule_interval: 0 6 * * *\n${tasks}`,
    );
    assert.deepEqual(schedule, {
      kind: 'cron',
      cron: '0 6 * * *',
      timezone: 'Europe/Berlin',
      startAt: '2024-06-30T22:00:00Z',
      endAt: '2024-12-31T11:00:00Z',
    });
  });

  /** Warnings that an example alone may have: it waits and nothing follows, or it is not written yet. */
  const WARNINGS = new Set(['SL901', 'SL309', 'SL314']);
  const readBeside = (): { file: string; text: string } => ({ file: 'routes/example.yaml', text: '- route: {}' });
  for (const taskType of CATALOG) {
    it(`accept the example of ${taskType.type}`, () => {
      const needsData = taskType.data.reads !== undefined;
      const bucket = taskType.data.reads?.bucketKey;
      const before = {
        name: 'before',
        type: 'postgres_to_s3',
        source_table: 't',
        s3_bucket: bucket === undefined ? 'some-bucket' : taskType.example[bucket],
      };
      const other = { dag_id: taskType.example.dag_id, tasks: [{ name: 'nothing', type: 'empty' }] };
      const files = [
        { file: 'x.yaml', text: stringify({ dag_id: 'example', tasks: [...(needsData ? [before] : []), taskType.example] }), readBeside },
        ...(taskType.type === 'run_pipeline' ? [{ file: 'y.yaml', text: stringify(other) }] : []),
      ];
      const [compiled] = compiler.compileAll(files);
      assert.deepEqual(
        compiled?.diagnostics.filter(({ severity, code }) => severity === 'error' || !WARNINGS.has(code)),
        [],
      );
      assert.ok(compiled.plan);
    });
  }
});
