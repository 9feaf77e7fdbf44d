import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { taskQueueOf } from '../../../lib/environment.ts';
import { createProgress } from '../../../lib/progress.ts';
import { PACKAGE } from '../../../lib/roots.ts';
import { decideApproval, DecisionRefused } from '../../../temporal/runs/decisions.ts';
import type { RunEnd } from '../../../temporal/runs/follow-run.ts';
import { type RunReference, startManualRun } from '../../../temporal/runs/runs.ts';
import { dataIntervalAt } from '../../../workflows/plan/timetable/schedule.ts';
import { apiTools } from '../../servers/api-tools.ts';
import { servicePython } from '../../servers/service-python.ts';
import { type TourGuide, waited } from '../tour.ts';
import { type DeploymentPlatform, startDeploymentPlatform } from './deployments.ts';
import type { IntegrationStop } from './integration-stop.ts';
import { makeRelease, RELEASE_EDITS, type ReleaseEdit } from './releases.ts';

const PIPELINE = 'api_release';
/** How long the version before goes on running, in milliseconds. */
const RETIRED_AFTER_MS = 20_000;
const POLL_MS = 500;

/** What `prepare` has started, for `show`. */
interface Stage {
  readonly python: string;
  readonly releases: string;
  readonly platform: DeploymentPlatform;
  /** What was posted to the team. */
  readonly messages: string[];
}

let stage: Stage | undefined;

/** Three releases of the FastAPI service: one that breaks its callers, one that breaks itself, and a good one. */
export const apiRelease: IntegrationStop = {
  title:
    'New versions of the service are checked with Spectral, oasdiff and Pact, tried in staging, approved, promoted, and end the old one',
  parts: [],
  async prepare(settings, onStop) {
    const step = createProgress().step('Spectral, oasdiff and Pact');
    const report = (text: string): void => step.update(text);
    const [tools, python] = [await apiTools(process.env, report), await servicePython(process.env, report)];
    step.done();
    const releases = await mkdtemp(join(tmpdir(), 'sluice-releases-'));
    onStop(() => rm(releases, { recursive: true }));
    const keys = { preview: 'preview', staging: randomUUID(), production: randomUUID() };
    const platform = await startDeploymentPlatform(python, join(PACKAGE, 'examples', 'integrations'), keys);
    onStop(() => platform.close());
    for (const environment of ['staging', 'production']) {
      const body = JSON.stringify({ release: 'services/recommendations' });
      const { status } = await fetch(`${platform.url}/environments/${environment}`, { method: 'PUT', body });
      if (status !== 200) throw new Error(`The service was not deployed in ${environment}.`);
    }
    const { url, messages } = await openChannel(onStop);
    stage = { python, releases, platform, messages };
    return {
      PATH: `${tools}:${settings.PATH ?? ''}`,
      SLUICE_COMMANDS: [settings.SLUICE_COMMANDS, 'spectral(),oasdiff(),verify-contract()'].filter(Boolean).join(','),
      SLUICE_CONN_DEPLOYMENTS: platform.url,
      SLUICE_CONN_RECOMMENDATION_STAGING: `${platform.serviceUrl('staging')}?token=${keys.staging}`,
      SLUICE_CONN_WEBHOOK_DEFAULT: url,
    };
  },
  async show(guide) {
    if (!stage) throw new Error('The platform that services are deployed with was not started.');
    const { platform, messages } = stage;
    const { say } = guide;
    say('\nVersion 1.1.0 answers without a field that the version in production has.');
    await ends(guide, await release(guide, stage, '1.1.0', RELEASE_EDITS.removedField), 'breaking_changes');
    say(`  ${messages.at(-1) ?? ''}`);
    say('\nVersion 1.1.1 keeps all contracts and does not work: the smoke test in staging finds it.');
    await ends(guide, await release(guide, stage, '1.1.1', RELEASE_EDITS.brokenWrite), 'smoke_write');
    say(`  In staging again: ${platform.versionsIn('staging').join(', ')}.`);
    if (guide.pagerDuty)
      say(
        `  PagerDuty: ${guide.pagerDuty.events.filter(({ payload }) => payload.source === PIPELINE).at(-1)?.payload.summary ?? 'no page'}`,
      );
    say('\nVersion 1.2.0 has a new field, which callers may ignore. A person approves it.');
    const run = await release(guide, stage, '1.2.0', RELEASE_EDITS.newField);
    await Promise.all([ends(guide, run, undefined), approve(guide, run)]);
    say(`  ${messages.at(-1) ?? ''}`);
    const only = await waited(guide, 'The end of version 1.0.0', () => {
      const versions = platform.versionsIn('production');
      return Promise.resolve(versions.length === 1 ? `in production: ${versions.join(', ')}` : undefined);
    });
    if (only === undefined) throw new Error('Version 1.0.0 still runs after its date.');
  },
};

/** Where the pipeline posts to the team. */
async function openChannel(onStop: (end: () => Promise<void>) => void): Promise<{ url: string; messages: string[] }> {
  const messages: string[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      messages.push((JSON.parse(body) as { message: string }).message);
      response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onStop(() => new Promise((resolve) => server.close(() => resolve())));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, messages };
}

async function release(guide: TourGuide, { python, releases }: Stage, version: string, edit: ReleaseEdit): Promise<RunReference> {
  const { client, environment } = guide;
  const plan = guide.planOf(PIPELINE);
  const folder = await makeRelease(python, join(releases, version), version, [edit]);
  const params = { release: folder, retire_on: new Date(Date.now() + RETIRED_AFTER_MS).toISOString() };
  return startManualRun(client, plan, taskQueueOf(environment), dataIntervalAt(plan.schedule, Date.now()), randomUUID(), params);
}

/** Shows a run until it ends. @param failing the task that should fail; undefined: none @throws Error when it ends otherwise */
async function ends({ follow }: TourGuide, run: RunReference, failing: string | undefined): Promise<RunEnd> {
  const end = await follow(run);
  const failed = end.tasks.find(({ state }) => state === 'failed')?.task;
  if (failed !== failing) throw new Error(`The release should have failed at ${failing ?? 'no task'}, and has at ${failed ?? 'none'}.`);
  return end;
}

async function approve({ client, signal }: TourGuide, { pipelineRunId }: RunReference): Promise<void> {
  while (!signal.aborted) {
    try {
      await decideApproval(client, pipelineRunId, { task: 'approve', decision: 'approve', by: 'tour' });
      return;
    } catch (error) {
      // It does not wait for the approval yet.
      if (!(error instanceof DecisionRefused)) throw error;
      await delay(POLL_MS);
    }
  }
}
