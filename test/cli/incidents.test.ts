import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { PagerDutyStandIn } from '../../dev/demo/pagerduty-stand-in.ts';
import { connectClient } from '../../temporal/connect.ts';
import { TemporalFacts } from '../../temporal/monitors/monitor-facts.ts';
import { ensureSearchAttributes } from '../../temporal/search-attributes.ts';
import { monitorId, type Observation, probeId } from '../../workflows/plan/incidents/incident.ts';
import { eventually } from '../support/eventually.ts';
import { sluice, startProcess, type TestProcess } from '../support/processes.ts';
import { unique } from '../support/test-sensors.ts';
import { testStack } from '../support/test-stack.ts';

describe('sluice incidents', function () {
  this.timeout('1m');
  const taskQueue = `cli-${unique()}`;
  const key = `sales_${unique()}/failed/2024-01-01T00:00:00Z`;
  let environment: Record<string, string>;
  let pagerDuty: PagerDutyStandIn;
  let monitor: TestProcess;

  before(async function () {
    this.timeout('15m');
    const stack = await testStack(['temporal']);
    pagerDuty = await PagerDutyStandIn.start();
    environment = { ...stack.environment, ...pagerDuty.environment, SLUICE_TASK_QUEUE: taskQueue };
    const client = await connectClient(environment);
    await ensureSearchAttributes(client);
    monitor = startProcess('worker.ts', ['--monitors', '--queue', taskQueue], environment);
    await monitor.says('ready');
    const seen: Observation = {
      state: 'breach',
      alerts: { pagerduty: { connection: 'pagerduty_default' } },
      page: {
        summary: 'sales failed',
        severity: 'error',
        source: 's',
        kind: 'test',
        since: '2024-01-01T00:00:00Z',
        details: {},
        links: [],
      },
    };
    await new TemporalFacts(client, taskQueue, environment).observe(key, seen);
    for (const id of [monitorId(taskQueue), probeId(taskQueue)]) await client.workflow.getHandle(id).terminate();
    await client.connection.close();
  });
  after(async () => {
    await monitor.stop('SIGKILL');
    await pagerDuty.close();
  });

  const call = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await sluice(['incidents', ...args], environment);
    assert.equal(code, 0, stderr);
    return stdout + stderr;
  };

  it('lists and shows them; people acknowledge and resolve them, by name and with a reason', async () => {
    await eventually(async () => assert.match(await call('list'), new RegExp(`${key} +triggered`)), 20_000);
    assert.match(await call('show', key), /sales failed/);
    await call('ack', key, '--as', 'ana', '--reason', 'on it');
    assert.match(await call('show', key), /ana.*on it/);
    await call('resolve', key, '--as', 'ben');
    await eventually(() => Promise.resolve(assert.deepEqual(pagerDuty.actionsOf(key), ['trigger', 'acknowledge', 'resolve'])));
    await eventually(async () => assert.match(await call('list'), /No open incidents/), 20_000);
    assert.match(await call('list', '--all'), new RegExp(`${key} +resolved`));
  });

  it('a test opens an alert and resolves it', async () => {
    await call('test');
    const tests = pagerDuty.events.filter(({ dedup_key }) => dedup_key.startsWith('sluice/test/'));
    assert.deepEqual(
      tests.map(({ event_action }) => event_action),
      ['trigger', 'resolve'],
    );
    assert.deepEqual(pagerDuty.complaints, []);
  });

  for (const command of ['show', 'ack', 'resolve']) {
    it(`${command} of an unknown one names the command that lists them`, async () => {
      const { code, stderr } = await sluice(['incidents', command, 'no/such/key'], environment);
      assert.equal(code, 1);
      assert.equal(stderr, "There is no incident 'no/such/key'. `sluice incidents list --all` lists them.\n");
    });
  }
});
