import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { Client } from '@temporalio/client';
import { after, before, describe, it } from 'mocha';
import { connectClient } from '../../temporal/connect.ts';
import { listResourceRecords, readRecord, readResourceRecord, writeResourceRecord } from '../../temporal/deployment/resource-record.ts';
import { eventually } from '../support/eventually.ts';
import { testStack } from '../support/test-stack.ts';

describe('records of resources', function () {
  this.timeout('1m');
  let client: Client;

  before(async function () {
    this.timeout('15m');
    client = await connectClient((await testStack(['temporal'])).environment);
  });
  after(() => client.connection.close());

  it('are kept apart by deployment and project, whatever their names', async () => {
    const acme = `acme_${randomUUID().slice(0, 8)}`;
    const owners = [
      [acme, 'etl'],
      [acme, 'test/etl'],
      [`${acme}/test`, 'etl'],
      [`${acme}/test`, '@acme/etl'],
    ] as const;
    const recordOf = (taskQueue: string, project: string) => [
      { type: 'kafka_topic', connId: 'kafka', name: `${taskQueue} ${project}`, file: 'resources/a.yaml', isOwn: true },
    ];
    for (const [taskQueue, project] of owners) await writeResourceRecord(client, taskQueue, project, recordOf(taskQueue, project));
    for (const [taskQueue, project] of owners)
      assert.deepEqual(await readResourceRecord(client, taskQueue, project), recordOf(taskQueue, project));
    for (const taskQueue of new Set(owners.map(([each]) => each))) {
      // Temporal's lists lag a moment behind.
      await eventually(async () => {
        const records = await Promise.all((await listResourceRecords(client, taskQueue)).map((id) => readRecord(client, id)));
        const own = owners.filter(([each]) => each === taskQueue).map(([each, project]) => recordOf(each, project));
        assert.deepEqual(new Set(records.flat().map(({ name }) => name)), new Set(own.flat().map(({ name }) => name)));
      });
    }
    for (const taskQueue of new Set(owners.map(([each]) => each)))
      for (const id of await listResourceRecords(client, taskQueue)) await client.schedule.getHandle(id).delete();
  });
});
