import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { Client } from '@temporalio/client';
import { after, before, describe, it } from 'mocha';
import { connectClient } from '../../../temporal/connect.ts';
import { ensureSearchAttributes, missingSearchAttributes } from '../../../temporal/search-attributes.ts';
import { SEARCH_ATTRIBUTES } from '../../../workflows/plan/runs/search-attributes.ts';
import { eventually } from '../../support/eventually.ts';
import { sluice } from '../../support/processes.ts';
import { testStack } from '../../support/test-stack.ts';

describe('a namespace that Sluice has never seen', function () {
  this.timeout('1m');
  const namespace = `first-${randomUUID().slice(0, 8)}`;
  let environment: Record<string, string>;
  let client: Client;

  before(async function () {
    this.timeout('15m');
    environment = { ...(await testStack(['temporal'])).environment, TEMPORAL_NAMESPACE: namespace };
    client = await connectClient(environment);
    const workflowExecutionRetentionPeriod = { seconds: 86_400 as never };
    await client.workflowService.registerNamespace({ namespace, workflowExecutionRetentionPeriod });
    await eventually(() => missingSearchAttributes(client), 30_000);
  });
  after(() => client.connection.close());

  it('can hold the search attributes: PostgreSQL and MySQL have ten columns of keywords and three of times', () => {
    const types = Object.values(SEARCH_ATTRIBUTES).map(({ type }) => type);
    assert.ok(types.filter((type) => type === 'DATETIME').length <= 2);
    assert.ok(types.filter((type) => type === 'KEYWORD').length <= 10);
  });

  it('plan writes nothing; setup --print prints a command each; setup registers them, and they are usable at once', async () => {
    const all = Object.values(SEARCH_ATTRIBUTES);
    const plan = await sluice(['plan'], environment);
    assert.equal(plan.code, 2, plan.stderr);
    assert.equal((await missingSearchAttributes(client)).length, all.length);
    const printed = await sluice(['setup', '--print'], environment);
    const commands = printed.stdout.trim().split('\n');
    assert.equal(commands.length, all.length, printed.stderr);
    for (const command of commands)
      assert.match(
        command,
        /^temporal operator search-attribute create --namespace 'first-\w+' --name Sluice\w+ --type (Keyword|KeywordList|Datetime)$/,
      );
    assert.equal((await missingSearchAttributes(client)).length, all.length);
    await ensureSearchAttributes(client);
    assert.deepEqual(await missingSearchAttributes(client), []);
    await client.workflow.count(all.map(({ name }) => `${name} IS NOT NULL`).join(' OR '));
    assert.match((await sluice(['setup'], environment)).stderr, /has all search attributes of Sluice/);
  });
});
