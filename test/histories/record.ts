import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { startManualRun } from '../../temporal/runs.ts';
import type { Plan } from '../../workflows/plan/plan.ts';
import { planOf, SOME_DAY, task } from '../support/plans.ts';
import { startTestWorker } from '../support/temporal-worker.ts';
import { stopTestStack, testStack } from '../support/test-stack.ts';
import { toyActivities } from '../support/toy-activities.ts';

/**
 * Records histories of the interpreter as it is now, into this folder: `npx tsx test/histories/record.ts [name…]`. A file that exists is
 * kept, because it is what runs in flight look like: delete it only when its feature was never released.
 */
const FEATURES: Record<string, { plan: Plan; cancel?: boolean }> = {
  chain: { plan: planOf('chain', [task('a', 'make_data', [], { outputBase: 's3://b/chain/a' }), task('b', 'tell_input', ['a'], { inputFrom: 'a' }), task('c', 'succeed', ['b'])]) },
  'trigger-rules': {
    plan: planOf('trigger_rules', [
      task('a', 'fail', [], { allowFailure: true }),
      task('b', 'succeed'),
      task('c', 'succeed', ['a', 'b'], { triggerRule: 'one_failed' }),
      task('d', 'succeed', ['a', 'b'], { triggerRule: 'all_failed' }),
      task('e', 'succeed', ['d'], { triggerRule: 'none_failed' }),
      task('f', 'succeed', ['a']),
    ]),
  },
  retries: { plan: planOf('retries', [task('a', 'fail_twice', [], { retry: { maximumAttempts: 3, initialDelayMs: 10, backoff: 1, maximumDelayMs: 10 } })]) },
  'run-timeout': { plan: planOf('run_timeout', [task('a', 'hang', [], { heartbeatTimeoutMs: 1000 }), task('b', 'succeed', ['a'])], { runTimeoutMs: 500 }) },
  cancellation: { plan: planOf('cancellation', [task('a', 'hang', [], { heartbeatTimeoutMs: 1000 }), task('b', 'succeed', ['a'])]), cancel: true },
  'fan-out': { plan: planOf('fan_out', [...Array(40).keys()].map((index) => task(`t${index}`, 'succeed'))) },
};

const wanted = process.argv.slice(2);
const { environment } = await testStack(['temporal']);
const { client, taskQueue, close } = await startTestWorker(environment, toyActivities);
for (const [name, { plan, cancel }] of Object.entries(FEATURES)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  const { pipelineRunId } = await startManualRun(client, plan, taskQueue, SOME_DAY, randomUUID());
  const handle = client.workflow.getHandle(pipelineRunId);
  if (cancel) await handle.cancel();
  await handle.result().catch(() => undefined);
  const file = join(import.meta.dirname, `${name}.json`);
  await writeFile(file, `${JSON.stringify({ pipelineRunId, history: JSON.parse(historyToJSON(await handle.fetchHistory())) as unknown }, null, 1)}\n`, { flag: 'wx' })
    .then(() => process.stderr.write(`recorded ${name}\n`))
    .catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
      process.stderr.write(`kept ${name}\n`);
    });
}
await close();
await stopTestStack();
