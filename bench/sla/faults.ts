import { join } from 'node:path';
import { PagerDutyStandIn } from '../../dev/demo/pagerduty-stand-in.ts';
import { startStack } from '../../dev/stack.ts';
import { ROOT } from '../../lib/environment.ts';
import { createLog } from '../../lib/logging.ts';
import { createProgress } from '../../lib/progress.ts';
import { connectClient } from '../../temporal/connect.ts';
import { ensureSearchAttributes } from '../../temporal/search-attributes.ts';
import { installRuntime } from '../../temporal/worker/worker-process.ts';
import { killPart } from '../../test/support/test-stack.ts';
import type { Measure } from '../measure.ts';
import { measureChannelFaults } from './channel-faults.ts';
import { measureOutages } from './outages.ts';
import { measureQuietSensors } from './quiet-sensors.ts';

const HOME = join(ROOT, '.sluice', 'bench');

/** Checks that incidents page once and resolve automatically, for all faults of the table, on a real server; takes most of an hour. */
export async function benchSlaFaults(): Promise<Measure[]> {
  const stack = await startStack({ home: HOME, parts: ['temporal', 'kafka'], environment: {}, progress: createProgress() });
  const pagerDuty = await PagerDutyStandIn.start();
  const environment = { ...stack.environment, ...pagerDuty.environment };
  const client = await connectClient(environment);
  try {
    await ensureSearchAttributes(client);
    installRuntime(createLog('bench', 'error'));
    return [
      ...(await measureChannelFaults(client, environment, pagerDuty)),
      ...(await measureQuietSensors(client, environment, pagerDuty, (awayMs) => killPart('kafka', awayMs, HOME))),
      ...(await measureOutages(environment, pagerDuty, (awayMs) => killPart('temporal', awayMs, HOME))),
    ];
  } finally {
    await client.connection.close();
    await pagerDuty.close();
    await stack.stop();
  }
}
