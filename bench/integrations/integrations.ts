import { join } from 'node:path';
import { startSluiceProcess } from '../../dev/launch/sluice-process.ts';
import { startStack } from '../../dev/stack.ts';
import { type Environment, ROOT } from '../../lib/environment.ts';
import { createProgress } from '../../lib/progress.ts';
import { connectClient } from '../../temporal/connect.ts';
import { ensureSearchAttributes } from '../../temporal/search-attributes.ts';
import type { Measure } from '../measure.ts';
import { measureCatalogue } from './catalogue.ts';

const QUEUE = 'bench-integrations';

/** Measures the integrations of `examples/integrations/`: with the real `worker.ts` and real servers on this machine. */
export async function benchIntegrations(): Promise<Measure[]> {
  const home = join(ROOT, '.sluice', 'bench');
  const progress = createProgress();
  const stack = await startStack({ home, parts: ['temporal', 'postgres', 'kafka', 'mysql', 'kafka-connect'], environment: {}, progress });
  const environment: Environment = { ...process.env, ...stack.environment, SLUICE_TASK_QUEUE: QUEUE };
  const client = await connectClient(environment);
  try {
    await ensureSearchAttributes(client);
    const worker = await startSluiceProcess(home, 'worker', environment, progress, new AbortController().signal);
    try {
      return await measureCatalogue(client, environment, QUEUE);
    } finally {
      await worker.stop();
    }
  } finally {
    await client.connection.close();
    await stack.stop();
  }
}
