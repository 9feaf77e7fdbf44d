import { join } from 'node:path';
import { runView } from '../../../cli/view/run-view.ts';
import { stackHome } from '../../../lib/environment.ts';
import { PACKAGE } from '../../../lib/roots.ts';
import { loadProject } from '../../../project/load-project.ts';
import { followRun } from '../../../temporal/runs/follow-run.ts';
import type { Plan } from '../../../workflows/plan/plan.ts';
import { errorText } from '../../../workflows/plan/values/error-text.ts';
import { type PlatformOptions, runPlatform, say, StartFailed } from '../../platform.ts';
import { plansOf } from '../../project-runs.ts';
import type { PagerDutyStandIn } from '../pagerduty-stand-in.ts';
import { startPagerDuty } from '../stand-ins.ts';
import type { TourGuide } from '../tour.ts';
import { integrationStops } from './stops.ts';

/** The project that the tour shows. */
const ROOT = join(PACKAGE, 'examples', 'integrations');

/**
 * Starts `examples/integrations/` on a local stack with the servers of all stops, and shows one stop after the other. A stop that fails
 * does not prevent the next ones.
 * @returns the exit code: 0 if every stop has shown what it promises
 */
export async function startIntegrations({ progress, once, stop }: Pick<PlatformOptions, 'progress' | 'once' | 'stop'>): Promise<number> {
  const given = { ...process.env, SLUICE_PROJECT: ROOT };
  const project = await loadProject(given);
  let pagerDuty: PagerDutyStandIn | undefined;
  const options: PlatformOptions = {
    project,
    home: stackHome(given),
    progress,
    once,
    stop,
    parts: [...new Set(['temporal' as const, ...integrationStops.flatMap(({ parts }) => parts)])],
    async prepare(_stack, settings, onStop) {
      pagerDuty = await startPagerDuty(settings);
      if (pagerDuty) onStop(() => pagerDuty?.close() ?? Promise.resolve());
      let variables = { ...pagerDuty?.environment };
      for (const { prepare } of integrationStops) variables = { ...variables, ...(await prepare?.({ ...settings, ...variables }, onStop)) };
      return variables;
    },
  };
  return runPlatform(options, async ({ environment, client }) => {
    const plans = await plansOf(project, environment);
    const guide: TourGuide = {
      environment,
      client,
      progress,
      pagerDuty,
      signal: stop.signal,
      planOf: (dagId) => planOf(plans, dagId),
      follow: (run) => followRun(client, run, runView(progress), stop.signal),
      say,
    };
    return showStops(guide);
  });
}

async function showStops(guide: TourGuide): Promise<boolean> {
  let succeeded = true;
  for (const [index, { title, show }] of integrationStops.entries()) {
    if (guide.signal.aborted) break;
    guide.say(`\n${index + 1} of ${integrationStops.length}: ${title}`);
    try {
      await show(guide);
    } catch (error) {
      if (guide.signal.aborted) break;
      succeeded = false;
      guide.say(`  This stop failed: ${errorText(error)}`);
    }
  }
  return succeeded;
}

function planOf(plans: readonly Plan[], dagId: string): Plan {
  const plan = plans.find((each) => each.dagId === dagId);
  if (!plan) throw new StartFailed(`examples/integrations/pipelines/ has no valid pipeline '${dagId}' to show.`);
  return plan;
}
