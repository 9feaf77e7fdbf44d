import { join } from 'node:path';
import { RECOMMENDATIONS, startService } from '../../dev/demo/integrations/service-process.ts';
import { startSluiceProcess } from '../../dev/launch/sluice-process.ts';
import { servicePython } from '../../dev/servers/service-python.ts';
import { startStack } from '../../dev/stack.ts';
import { connectionsFrom } from '../../connections/connections.ts';
import { type Environment, ROOT } from '../../lib/environment.ts';
import { createProgress } from '../../lib/progress.ts';
import { connectClient } from '../../temporal/connect.ts';
import { ensureSearchAttributes } from '../../temporal/search-attributes.ts';
import type { Measure } from '../measure.ts';
import { measureFilter } from './filter.ts';
import { measureLatency } from './latency.ts';
import { measureReactions } from './reactions.ts';

const QUEUE = 'bench-sensors';
const API_KEY = 'key-of-the-benchmark';

/** Measures the cost of sensors, and how soon their runs start: with the real `worker.ts` and real servers on this machine. */
export async function benchSensors(): Promise<Measure[]> {
  const home = join(ROOT, '.sluice', 'bench');
  const progress = createProgress();
  const stack = await startStack({ home, parts: ['temporal', 'kafka'], environment: {}, progress });
  const service = await startService(await servicePython(process.env, () => undefined), RECOMMENDATIONS, { API_KEYS: API_KEY });
  const environment: Environment = {
    ...process.env,
    ...stack.environment,
    SLUICE_TASK_QUEUE: QUEUE,
    SLUICE_CONN_RECOMMENDATION_SERVICE: `${service.url}/?token=${API_KEY}&rate_limit=1000/m`,
  };
  const connection = connectionsFrom(environment).get('kafka_default', ['kafka']);
  const client = await connectClient(environment);
  try {
    await ensureSearchAttributes(client);
    const filter = await measureFilter(connection);
    const worker = await startSluiceProcess(home, 'worker', environment, progress, new AbortController().signal);
    try {
      const latency = await measureLatency(client, connection, QUEUE);
      return [...filter, ...latency, ...(await measureReactions(client, connection, QUEUE))];
    } finally {
      await worker.stop();
    }
  } finally {
    await client.connection.close();
    await service.close();
    await stack.stop();
  }
}
