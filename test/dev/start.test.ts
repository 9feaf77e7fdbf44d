import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, it } from 'mocha';
import { connectClient } from '../../temporal/connect.ts';
import { listRuns } from '../../temporal/runs/runs.ts';
import { eventually } from '../support/eventually.ts';
import { startProcess } from '../support/processes.ts';
import { TEST_HOME, testStack } from '../support/test-stack.ts';

describe('npm start -- --once', function () {
  this.timeout('5m');

  it('uses the servers that are running, runs the demo pipeline, shows it, and ends', async function () {
    this.timeout('20m');
    const { encrypting } = await testStack(['temporal', 'postgres', 's3', 'kafka', 'spark']);
    // Schedules of other tests have the same names.
    const namespace = `start-${randomUUID().slice(0, 8)}`;
    const client = await connectClient({ ...encrypting, TEMPORAL_NAMESPACE: namespace });
    await client.workflowService.registerNamespace({ namespace, workflowExecutionRetentionPeriod: { seconds: 86_400 as never } });
    await eventually(() => client.workflowService.describeNamespace({ namespace }), 30_000);
    const started = startProcess('dev/start.ts', ['--once'], { SLUICE_HOME: TEST_HOME, TEMPORAL_NAMESPACE: namespace });
    const code = await started.exited;
    assert.equal(code, 0, `${started.stdout()}\n${started.stderr()}`);
    const [run] = await eventually(async () => {
      const runs = await listRuns(client, 10, 'product_category_etl', 'ExecutionStatus != "Running"');
      assert.equal(runs.length, 1);
      return runs;
    });
    assert.equal(run?.state, 'success');
    assert.match(started.stdout(), new RegExp(`Run +${run.pipelineRunId.replaceAll('.', '\\.')}: success`));
    assert.match(started.stdout(), /Loaded table .*20,000 rows/);
    await client.connection.close();
  });
});
