import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { PagerDutyStandIn } from '../../../dev/demo/pagerduty-stand-in.ts';
import { ensureMonitor } from '../../../temporal/monitors/ensure-monitor.ts';
import type { MonitorGroup } from '../../../temporal/monitors/monitors.ts';
import { type KnownBrokenFile, monitorId, probeId, DEFAULT_MONITOR_SETTINGS } from '../../../workflows/plan/incidents/incident.ts';
import { timeText } from '../../../workflows/plan/values/format.ts';
import { eventually } from '../../support/eventually.ts';
import { sluice, startProcess, type TestProcess } from '../../support/processes.ts';
import { startTestWorker, type TestWorker } from '../../support/temporal-worker.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { createTestMonitors } from '../../support/test-monitors.ts';
import { testStack } from '../../support/test-stack.ts';

describe('a pipeline file with mistakes', function () {
  this.timeout('1m');
  const unique = randomUUID().slice(0, 8);
  const taskQueue = `broken-${unique}`;
  const dagId = `broken_${unique}`;
  let environment: Record<string, string>;
  let folder: { path: string; remove(): Promise<void> };
  let pagerDuty: PagerDutyStandIn;
  let worker: TestWorker;
  let monitors: MonitorGroup;
  let monitoring: Promise<void>;
  let scheduler: TestProcess;

  before(async function () {
    this.timeout('15m');
    const stack = await testStack(['temporal']);
    pagerDuty = await PagerDutyStandIn.start();
    const own = `pagerduty://0123456789abcdef0123456789abcdef@${pagerDuty.host}`;
    environment = { ...stack.environment, ...pagerDuty.environment, SLUICE_TASK_QUEUE: taskQueue, SLUICE_CONN_SALES_TEAM: own };
    folder = await temporaryFolder();
    worker = await startTestWorker(environment, {}, taskQueue);
    monitors = await createTestMonitors(environment, taskQueue);
    monitoring = monitors.run();
    await ensureMonitor(worker.client, taskQueue, { ...DEFAULT_MONITOR_SETTINGS, everyMs: 300, silenceMs: 600_000, fileMs: 2_000 });
  });
  after(async () => {
    await scheduler?.stop();
    for (const id of [monitorId(taskQueue), probeId(taskQueue)]) await worker.client.workflow.getHandle(id).terminate();
    await worker.client.schedule.getHandle(dagId).delete();
    monitors.shutdown();
    await monitoring;
    await worker.close();
    await pagerDuty.close();
    await folder.remove();
  });

  const write = (name: string, text: string): Promise<void> => writeFile(join(folder.path, name), text);
  const good = (description: string): string =>
    `dag_id: ${dagId}\ndescription: ${description}\nowner: sales\nschedule_interval: null\nalerts: {pagerduty: {conn_id: sales_team}}\ntasks:\n  - {name: a, type: empty}\n`;
  const follow = async (): Promise<void> => {
    scheduler = startProcess('scheduler.ts', ['--watch', '--pipelines', folder.path, '--task-queue', taskQueue], environment);
    await scheduler.says('pipelines applied');
  };
  const status = async (): Promise<{ code: number | null; text: string; files: KnownBrokenFile[] | null }> => {
    const [text, json] = await Promise.all([sluice(['status'], environment), sluice(['status', '-o', 'json'], environment)]);
    assert.equal(json.stderr, '');
    return {
      code: text.code,
      text: text.stdout,
      files: (JSON.parse(json.stdout) as { broken_files: KnownBrokenFile[] | null }).broken_files,
    };
  };
  const events = (file: string) => pagerDuty.events.filter(({ dedup_key }) => dedup_key.startsWith('file/') && dedup_key.endsWith(file));

  it('is listed by `sluice status` at once, and an incident of low severity when it lasts, until it is mended or removed', async () => {
    await write('sales.yaml', good('one'));
    await follow();
    await write('sales.yaml', good('two').replace('type: empty', 'type: emty'));
    await scheduler.says('sales.yaml is left as it was');
    const seen = await eventually(async () => {
      const now = await status();
      assert.equal(now.files?.length, 1);
      return now;
    });
    const [file] = seen.files ?? [];
    assert.ok(file);
    assert.deepEqual([file.dagId, file.mistakes], [dagId, 1]);
    assert.match(file.mistake, /^7:21 SL\d+ .*'emty'/);
    assert.match(
      seen.text,
      /files: 1 cannot be applied, reported by the scheduler at \S+Z\npast: no task waits for an earlier run\n\nFILE +PIPELINE +SINCE.*\n.*sales\.yaml.*'emty'/,
    );
    assert.equal(seen.code, 1);
    const [opened] = await eventually(async () => {
      assert.equal(events('sales.yaml').length, 1);
      return events('sales.yaml');
    });
    assert.equal(opened?.payload.severity, 'warning');
    assert.equal(opened.payload.timestamp, timeText(Date.parse(file.since)));
    assert.match(opened.payload.summary, /^Cannot be applied: 7:21 SL\d+ .*'emty'.* \| .*sales\.yaml, since /);
    assert.match(String(opened.payload.custom_details.what_to_do), /sluice validate .*last applied version stays active\./);

    // A scheduler that is started again knows nothing of before.
    await scheduler.stop();
    await write('nobody.yaml', '\tnot yaml');
    await follow();
    await eventually(async () => assert.equal(events('nobody.yaml').length, 1));
    const both = await status();
    assert.deepEqual(
      both.files?.map(({ file: path }) => path.split('/').at(-1)),
      ['nobody.yaml', 'sales.yaml'],
    );
    assert.equal(both.files?.[1]?.since, file.since);

    await write('sales.yaml', good('three'));
    await rm(join(folder.path, 'nobody.yaml'));
    for (const name of ['sales.yaml', 'nobody.yaml']) {
      await eventually(async () =>
        assert.deepEqual(
          events(name).map(({ event_action }) => event_action),
          ['trigger', 'resolve'],
        ),
      );
    }
    await eventually(async () => {
      const { code, files, text } = await status();
      assert.deepEqual([code, files], [0, []], text);
    });
    assert.deepEqual(pagerDuty.complaints, []);
  });
});
