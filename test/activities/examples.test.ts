import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CreateBucketCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { after, before, describe, it } from 'mocha';
import { stringify } from 'yaml';
import { CATALOG } from '../../activities/catalog.ts';
import { connectionsFrom } from '../../connections/connections.ts';
import { ROOT } from '../../lib/environment.ts';
import { openRabbitMQ } from '../../lib/rabbitmq.ts';
import { openS3 } from '../../lib/s3.ts';
import { decideApproval } from '../../temporal/runs/decisions.ts';
import { startManualRun } from '../../temporal/runs/runs.ts';
import type { JsonObject } from '../../workflows/plan/values/json.ts';
import type { Plan } from '../../workflows/plan/plan.ts';
import type { RunResult } from '../../workflows/plan/runs/run.ts';
import { compiler } from '../support/compiler.ts';
import { eventually } from '../support/eventually.ts';
import { type Inbox, openInbox } from '../support/inbox.ts';
import { TestKafka } from '../support/kafka.ts';
import { createTestPipeline, DEMO_DAY, type TestPipeline } from '../support/test-pipeline.ts';
import { testStack } from '../support/test-stack.ts';

const INTERVAL = { start: `${DEMO_DAY}T00:00:00Z`, end: new Date(Date.parse(DEMO_DAY) + 86_400_000).toISOString() };

/** Examples that run in one pipeline, one after the other. */
interface ExampleRun {
  readonly types: readonly string[];
  /** Tasks that go before them. */
  readonly first?: readonly JsonObject[];
  /** What the run waits for while it is under way. */
  meanwhile?(pipelineRunId: string): Promise<unknown>;
  /** What the last of them fails with: its example names what only an earlier run can have made. */
  readonly fails?: RegExp;
}

const EVENTS: JsonObject = { name: 'extract_events', type: 'postgres_to_s3', source_table: 'user_events', s3_bucket: 'raw-data' };

describe('the example of every task type runs: compiler, interpreter, worker, real servers', function () {
  this.timeout('3m');
  let pipeline: TestPipeline;
  let inbox: Inbox;

  before(async function () {
    this.timeout('20m');
    const { environment } = await testStack(['kafka', 'rabbitmq', 'camel']);
    inbox = await openInbox();
    pipeline = await createTestPipeline(20, {
      ...environment,
      SLUICE_COMMANDS: 'python3',
      SLUICE_CONN_HTTP_DEFAULT: inbox.url,
      SLUICE_CONN_RECOMMENDATION_SERVICE: inbox.url,
      SLUICE_CONN_SLACK_DEFAULT: `${inbox.url}/services/T0/B0/x`,
    });
    await prepareServers(pipeline);
    await pipeline.startWorker();
    // All at once: the others are done while Spark works.
    for (const each of RUNS) ended.set(each, endOf(each));
  });
  after(async () => {
    await pipeline.close();
    inbox.close();
  });

  const RUNS: readonly ExampleRun[] = [
    { types: ['postgres_to_s3', 'spark_job', 's3_to_redshift'] },
    { types: ['transform'] },
    { types: ['camel_route'], fails: /could not be started: .*[Dd]irectory does not exist: \/srv\/legacy/ },
    { types: ['sql'] },
    { types: ['sql_check'] },
    { types: ['reconcile'] },
    { types: ['http'] },
    { types: ['command'] },
    { types: ['train_model'], first: [EVENTS] },
    { types: ['evaluate_model'], first: [EVENTS], fails: /20240101T000000Z-1a2b3c4d/ },
    { types: ['promote_model'], fails: /20240101T000000Z-1a2b3c4d/ },
    { types: ['kafka_publish', 'wait_for_kafka'] },
    { types: ['rabbitmq_publish'] },
    { types: ['wait_for_s3'] },
    { types: ['wait_for_sql'] },
    { types: ['wait_for_http'] },
    { types: ['run_pipeline', 'wait_for_pipeline'] },
    { types: ['wait_until'] },
    {
      types: ['approval'],
      meanwhile: (run) =>
        eventually(() => decideApproval(pipeline.client, run, { task: 'approve_promotion', decision: 'approve', by: 'ann' }), 20_000),
    },
    { types: ['notify'] },
    { types: ['unfinished'], fails: /is not written yet: BranchPythonOperator/ },
    { types: ['empty'] },
  ];

  it('none is left out', () => {
    assert.deepEqual(RUNS.flatMap(({ types }) => types).sort(), CATALOG.map(({ type }) => type).sort());
  });

  const ended = new Map<ExampleRun, Promise<RunResult>>();

  const tasksOf = ({ types, first = [] }: ExampleRun): JsonObject[] => [
    ...first,
    ...types.map((type) => CATALOG.find((taskType) => taskType.type === type)?.example ?? {}),
  ];

  /** Runs the examples; what the run fails with is looked at when it is asked for. */
  function endOf(run: ExampleRun): Promise<RunResult> {
    const { client, taskQueue } = pipeline;
    const end = (async () => {
      const plan = planOf(`example_${run.types[0]}_${randomUUID().slice(0, 8)}`, tasksOf(run));
      const { pipelineRunId } = await startManualRun(client, plan, taskQueue, INTERVAL, '1');
      await run.meanwhile?.(pipelineRunId);
      return (await client.workflow.getHandle(pipelineRunId).result()) as RunResult;
    })();
    end.catch(() => undefined);
    return end;
  }

  for (const run of RUNS) {
    it(run.types.join(', '), async () => {
      const { fails } = run;
      const end = ended.get(run) ?? assert.fail('It was not started.');
      if (fails) {
        await assert.rejects(end, (error) => {
          assert.match(messagesOf(error), fails);
          return true;
        });
        return;
      }
      assert.deepEqual(
        Object.entries((await end).tasks).map(([name, { state }]) => [name, state]),
        tasksOf(run).map(({ name }) => [name, 'success']),
      );
    });
  }
});

/** A pipeline of these tasks, beside the one that examples name. */
function planOf(dagId: string, tasks: readonly JsonObject[]): Plan {
  const other = { dag_id: 'daily_product_sales_analysis', tasks: [{ name: 'all', type: 'empty' }] };
  const [compiled] = compiler.compileAll([
    { file: 'example.yaml', text: stringify({ dag_id: dagId, default_args: { retries: 0 }, tasks }), readBeside: readRoute },
    { file: 'other.yaml', text: stringify(other) },
  ]);
  if (!compiled?.plan) throw new Error(JSON.stringify(compiled?.diagnostics, undefined, 2));
  return compiled.plan;
}

/** Reads a file of examples/integrations/routes/. */
function readRoute(name: string, folder = ''): { readonly file: string; readonly text: string } {
  const file = join('examples/integrations', folder, name);
  return { file, text: readFileSync(join(ROOT, file), 'utf8') };
}

/** What the examples read and write. */
async function prepareServers({ environment, source, warehouse }: TestPipeline): Promise<void> {
  await source.rows('CREATE TABLE staging (day date)');
  await source.rows('CREATE TABLE loads (day date)');
  await source.rows('INSERT INTO loads VALUES ($1)', [DEMO_DAY]);
  for (const database of [source, warehouse]) {
    await database.rows('CREATE TABLE orders (id int PRIMARY KEY, total numeric)');
    await database.rows('INSERT INTO orders VALUES (1, 10), (2, 20)');
  }
  const connections = connectionsFrom(environment);
  const s3 = openS3(connections.get('aws_default', ['aws']));
  for (const bucket of ['raw-data', 'transformed-data']) {
    await s3.send(new CreateBucketCommand({ Bucket: bucket })).catch((error: unknown) => {
      if (!(error instanceof Error) || !/^BucketAlready/.test(error.name)) throw error;
    });
  }
  await s3.send(new PutObjectCommand({ Bucket: 'raw-data', Key: `inventory/${DEMO_DAY}.csv`, Body: 'sku;qty\n89101;5\n' }));
  await s3.send(new PutObjectCommand({ Bucket: 'raw-data', Key: `sales/${DEMO_DAY}/_SUCCESS`, Body: '' }));
  s3.destroy();
  const rabbit = await openRabbitMQ(connections.get('rabbitmq_default', ['rabbitmq']), 'test');
  await (await rabbit.createChannel()).assertQueue('order_processing', { durable: true });
  await rabbit.close();
  const kafka = await TestKafka.connect(environment);
  if (!(await kafka.admin.listTopics()).includes('product-updates')) await kafka.createTopic('product-updates');
  await kafka.close();
}

function messagesOf(error: unknown): string {
  return error instanceof Error ? `${error.message}\n${messagesOf(error.cause)}` : '';
}
