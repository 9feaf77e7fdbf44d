import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'mocha';
import { createLog } from '../../../lib/logging.ts';
import { CompleteChecks } from '../../../temporal/monitors/complete-checks.ts';
import { ensureMonitor } from '../../../temporal/monitors/ensure-monitor.ts';
import type { MonitorGroup } from '../../../temporal/monitors/monitors.ts';
import { ensureSearchAttributes } from '../../../temporal/search-attributes.ts';
import { monitorId, probeId, DEFAULT_MONITOR_SETTINGS } from '../../../workflows/plan/incidents/incident.ts';
import { eventually } from '../../support/eventually.ts';
import '../../support/temporal-worker.ts';
import { createTestMonitors } from '../../support/test-monitors.ts';
import { testStack } from '../../support/test-stack.ts';

describe('what feeds the dead man’s switch, without any connection to PagerDuty', function () {
  this.timeout('1m');
  const taskQueue = `checked-${randomUUID().slice(0, 8)}`;
  const stop = new AbortController();
  let monitors: MonitorGroup;
  let monitoring: Promise<void>;
  let following: Promise<void>;

  before(async function () {
    this.timeout('15m');
    const { environment } = await testStack(['temporal']);
    monitors = await createTestMonitors(environment, taskQueue);
    monitoring = monitors.run();
    await ensureSearchAttributes(monitors.client);
  });
  after(async () => {
    stop.abort();
    await following;
    await monitors.client.workflow.getHandle(probeId(taskQueue)).terminate();
    monitors.shutdown();
    await monitoring;
  });

  it('is a complete check, and nothing when the monitor is gone although Temporal answers', async () => {
    const checks = new CompleteChecks(monitors.client, [taskQueue], createLog('test', 'error'));
    following = checks.follow(stop.signal);
    assert.ok(!checks.areWithin(60_000));
    await ensureMonitor(monitors.client, taskQueue, { ...DEFAULT_MONITOR_SETTINGS, everyMs: 500, silenceMs: 600_000 });
    await eventually(() => Promise.resolve(assert.ok(checks.areWithin(60_000))), 20_000);
    await monitors.client.workflow.getHandle(monitorId(taskQueue)).terminate();
    await eventually(() => Promise.resolve(assert.ok(!checks.areWithin(6_000))), 15_000);
  });
});
