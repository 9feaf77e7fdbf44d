import { Context } from '@temporalio/activity';
import { connectionsFrom } from '../../connections/connections.ts';
import { loadEnvironment } from '../../lib/environment.ts';
import { createLog } from '../../lib/logging.ts';
import { createMonitors } from '../../monitors/create-monitors.ts';
import { createMonitorWorkers } from '../../temporal/monitors/monitors.ts';
import { installRuntime } from '../../temporal/worker/worker-process.ts';
import type { Notice } from '../../workflows/plan/incidents/incident.ts';

/**
 * A monitor worker to be killed: `claiming-monitor.ts <task queue>`. Prints `ready`, then `claimed <key>` for each trigger that it claims
 * first, and never sends those. Sends triggers that another worker claimed before.
 */
const [queue = ''] = process.argv.slice(2);
installRuntime(createLog('claiming monitor', 'error'));
const environment = loadEnvironment();
const group = await createMonitorWorkers(
  environment,
  [queue],
  (facts) => {
    const monitors = createMonitors(facts, connectionsFrom(environment), environment);
    return {
      ...monitors,
      async notify(notice: Notice): Promise<void> {
        const { info, sleep } = Context.current();
        if (notice.action === 'trigger' && info.attempt === 1) {
          process.stdout.write(`claimed ${notice.key}\n`);
          // Not longer than the server's timeout, which would occupy one of the worker's slots.
          await sleep(info.startToCloseTimeoutMs);
          throw new Error('claimed, and not sent');
        }
        await monitors.notify(notice);
      },
    };
  },
  () => undefined,
);
process.stdout.write('ready\n');
await group.run();
