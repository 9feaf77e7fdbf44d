import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { WorkflowHandle } from '@temporalio/client';
import { after, before, beforeEach, describe, it } from 'mocha';
import { type DeploymentPlatform, startDeploymentPlatform } from '../../dev/demo/integrations/deployments.ts';
import { makeRelease, RELEASE_EDITS, type ReleaseEdit } from '../../dev/demo/integrations/releases.ts';
import { PagerDutyStandIn } from '../../dev/demo/pagerduty-stand-in.ts';
import { apiTools } from '../../dev/servers/api-tools.ts';
import { servicePython } from '../../dev/servers/service-python.ts';
import { ROOT } from '../../lib/environment.ts';
import { decideApproval } from '../../temporal/runs/decisions.ts';
import { startManualRun } from '../../temporal/runs/runs.ts';
import type { Plan } from '../../workflows/plan/plan.ts';
import { eventually } from '../support/eventually.ts';
import { examplePlan } from '../support/example-plans.ts';
import { type Inbox, openInbox } from '../support/inbox.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { createYamlRuns, resultOf, RUN_DAY, type YamlRuns } from '../support/yaml-runs.ts';

const PROJECT = join(ROOT, 'examples', 'integrations');
/** The release that is in production at first. */
const FIRST = 'services/recommendations';

describe('api_release of examples/integrations/, with Spectral, oasdiff and Pact', function () {
  this.timeout('3m');
  let python: string;
  let platform: DeploymentPlatform;
  let pagerDuty: PagerDutyStandIn;
  let inbox: Inbox;
  let runs: YamlRuns;
  let plan: Plan;
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;

  before(async function () {
    this.timeout('20m');
    const report = (text: string): void => void process.stderr.write(`${text}\n`);
    const tools = await apiTools(process.env, report);
    python = await servicePython(process.env, report);
    folder = await temporaryFolder();
    const keys = { preview: 'preview', staging: randomUUID(), production: randomUUID() };
    platform = await startDeploymentPlatform(python, PROJECT, keys);
    for (const name of ['staging', 'production']) {
      const body = JSON.stringify({ release: FIRST });
      assert.equal((await fetch(`${platform.url}/environments/${name}`, { method: 'PUT', body })).status, 200);
    }
    [pagerDuty, inbox, plan] = [await PagerDutyStandIn.start(), await openInbox(), await examplePlan('api_release')];
    runs = await createYamlRuns({
      parts: ['temporal'],
      environment: {
        ...pagerDuty.environment,
        SLUICE_PROJECT: PROJECT,
        PATH: `${tools}:${process.env.PATH}`,
        SLUICE_COMMANDS: 'spectral(),oasdiff(),verify-contract()',
        SLUICE_CONN_DEPLOYMENTS: platform.url,
        SLUICE_CONN_RECOMMENDATION_STAGING: `${platform.serviceUrl('staging')}?token=${keys.staging}`,
        SLUICE_CONN_WEBHOOK_DEFAULT: inbox.url,
      },
    });
  });
  beforeEach(() => {
    inbox.reset();
    pagerDuty.events.length = 0;
  });
  after(async () => {
    await runs.close();
    await platform.close();
    await pagerDuty.close();
    inbox.close();
    await folder.remove();
  });

  async function release(version: string, edit: ReleaseEdit): Promise<WorkflowHandle> {
    const made = await makeRelease(python, join(folder.path, version), version, [edit]);
    const params = { release: made, retire_on: new Date().toISOString() };
    const { pipelineRunId } = await startManualRun(runs.client, plan, runs.taskQueue, RUN_DAY, randomUUID(), params);
    return runs.client.workflow.getHandle(pipelineRunId);
  }
  const versions = (): readonly (readonly string[])[] => ['preview', 'staging', 'production'].map((name) => platform.versionsIn(name));
  const messages = (): readonly unknown[] => inbox.seen.map(({ body }) => body.message);

  it('stops a release without a response field that the one in production has', async () => {
    const { state, tasks } = await resultOf(await release('1.1.0', RELEASE_EDITS.removedField));
    assert.equal(state, 'failed');
    assert.deepEqual(
      ['lint', 'breaking_changes', 'preview', 'staging', 'promote'].map((task) => tasks[task]?.state),
      ['success', 'failed', 'upstream_failed', 'upstream_failed', 'upstream_failed'],
    );
    assert.match(
      String(messages()[0]),
      /1\.1\.0 is not released\. Programs that call the version in production would break: bring back what was removed, .*breaking_changes: .*GET \/users\/\{user_id\}\/recommendations removed the required property `items\/items\/reason` from the response/s,
    );
    assert.deepEqual([messages().length, pagerDuty.events.length, versions()], [1, 0, [[], ['1.0.0'], ['1.0.0']]]);
  });

  it('rolls a release back that fails its smoke test, and pages once', async () => {
    const { state, tasks } = await resultOf(await release('1.1.1', RELEASE_EDITS.brokenWrite));
    assert.deepEqual(
      [state, ...['contracts', 'staging', 'smoke_write', 'promote', 'roll_back'].map((task) => tasks[task]?.state)],
      ['failed', 'success', 'success', 'failed', 'upstream_failed', 'success'],
    );
    assert.deepEqual(versions(), [[], ['1.0.0'], ['1.0.0']]);
    assert.deepEqual(
      pagerDuty.events.map(({ event_action }) => event_action),
      ['trigger'],
    );
    assert.match(
      pagerDuty.events[0]?.payload.summary ?? '',
      /failed at smoke_write: .*answers PUT \/users\/smoke-test\/preferences with 500/,
    );
  });

  it('promotes a good release after an approval, announces it, and ends the version before', async () => {
    const run = await release('1.2.0', RELEASE_EDITS.newField);
    await eventually(() => decideApproval(runs.client, run.workflowId, { task: 'approve', decision: 'approve', by: 'ann' }));
    const { state, tasks } = await resultOf(run);
    assert.equal(state, 'success', JSON.stringify(tasks));
    await eventually(() => Promise.resolve(assert.deepEqual(versions(), [[], ['1.2.0'], ['1.2.0']])));
    assert.match(String(messages()[0]), /^Version 1\.2\.0 is in production\. Version 1\.0\.0 ends on 20/);
    assert.deepEqual([messages().length, pagerDuty.events.length], [1, 0]);
  });
});
