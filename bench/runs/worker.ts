import { appendFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import { loadEnvironment } from '../../lib/environment.ts';
import { createLog } from '../../lib/logging.ts';
import { createWorkers, installRuntime } from '../../temporal/worker/worker-process.ts';
import { answer } from '../child.ts';

/**
 * A worker process like `worker.ts`, with tasks that take a moment: `worker.ts <task queue> <milliseconds> [<log>]`. Logs one line per
 * completed task. Reports its resident memory in bytes after a garbage collection.
 */
const [queue = '', takes = '0', log] = process.argv.slice(2);
installRuntime(createLog('bench worker', 'error'));
const workers = await createWorkers(loadEnvironment(), [queue], () => ({
  work: async (): Promise<null> => {
    await delay(Number(takes));
    const { workflowExecution, activityId } = Context.current().info;
    if (log !== undefined) appendFileSync(log, `${workflowExecution?.workflowId} ${activityId}\n`);
    return null;
  },
}));
process.once('SIGTERM', () => workers.shutdown());
answer(() => {
  globalThis.gc?.();
  return process.memoryUsage.rss();
});
await workers.run();
process.exit();
