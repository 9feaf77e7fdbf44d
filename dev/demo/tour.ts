import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import type { Environment } from '../../lib/environment.ts';
import { taskQueueOf } from '../../lib/environment.ts';
import type { Progress } from '../../lib/progress.ts';
import type { RunEnd } from '../../temporal/runs/follow-run.ts';
import { listRuns, type RunReference, startManualRun } from '../../temporal/runs/runs.ts';
import { listSensors } from '../../temporal/sensors/sensors.ts';
import type { JsonObject } from '../../workflows/plan/values/json.ts';
import type { Plan } from '../../workflows/plan/plan.ts';
import { dataIntervalAt, iso } from '../../workflows/plan/timetable/schedule.ts';
import { sensorId } from '../../workflows/plan/sensor.ts';
import type { PagerDutyStandIn } from './pagerduty-stand-in.ts';
import { produce } from './topics.ts';

/** What the tour needs from the start command. */
export interface TourGuide {
  readonly environment: Environment;
  readonly client: Client;
  readonly progress: Progress;
  readonly pagerDuty: PagerDutyStandIn | undefined;
  readonly signal: AbortSignal;
  planOf(dagId: string): Plan;
  /** Shows a run until it ends. */
  follow(run: RunReference): Promise<RunEnd>;
  say(text: string): void;
}

const RETRAINING = 'recommendation_model_retraining';
const SENSOR = sensorId(RETRAINING, 'user_behavior_change');
const RECONCILIATION = 'daily_sales_reconciliation';
/** The cooldown of the pipeline's trigger. */
const COOLDOWN_MS = 600_000;
const LOOK_MS = 500;
/** Time limit for a sensor to listen, a run to start or a page to arrive. Milliseconds. */
const PATIENCE_MS = 90_000;

/** Demonstrates automation: an event trains a model, and a discrepancy causes a page and is repaired. */
export async function showTour(guide: TourGuide): Promise<void> {
  await showRetraining(guide);
  await showReconciliation(guide);
}

async function showRetraining(guide: TourGuide): Promise<void> {
  const { client, environment, say } = guide;
  say('\nUsers have changed what they do: an event on the topic user-behavior-metrics. A sensor starts the training.');
  const listens = await waited(guide, 'The sensor', async () =>
    (await listSensors(client, taskQueueOf(environment))).find(({ id, state }) => id === SENSOR && (state?.reports.length ?? 0) > 0),
  );
  if (!listens) return;
  const earlier = await listRuns(client, 100, RETRAINING);
  if (earlier.some(({ startedAt }) => Date.now() - startedAt.getTime() < COOLDOWN_MS)) {
    return say('  One was trained a moment ago: the trigger has a cooldown of 10 minutes, and lets the event pass.');
  }
  const before = new Set(earlier.map(({ pipelineRunId }) => pipelineRunId));
  await produce(environment, 'user-behavior-metrics', { segment: 'all', behavior_change_score: 0.83 });
  const run = await waited(guide, 'The event', async () =>
    (await listRuns(client, 100, RETRAINING)).find(({ pipelineRunId }) => !before.has(pipelineRunId)),
  );
  if (!run) return;
  const { tasks } = await guide.follow(run);
  const promotion = tasks.find(({ task }) => task === 'promote')?.output as JsonObject | undefined;
  if (promotion)
    say(
      `  Version ${String(promotion.version)} ${promotion.promoted === true ? 'is the champion' : 'is not promoted'}: ${String(promotion.reason)}`,
    );
}

async function showReconciliation(guide: TourGuide): Promise<void> {
  const { say, pagerDuty } = guide;
  const plan = guide.planOf(RECONCILIATION);
  const interval = dataIntervalAt(plan.schedule, Date.now());
  say("\nYesterday's sales, compared with the warehouse, whose loader has a fault.");
  const found = await runNow(guide, plan);
  const discrepancy =
    (found.tasks.find(({ task }) => task === 'reconcile_sales')?.output as { discrepancy?: number } | undefined)?.discrepancy ?? 0;
  if (discrepancy <= 0.001) return say('  They agree: an earlier start has repaired them.');
  if (!pagerDuty) return say('  It is an incident now: `sluice incidents list`.');
  const key = `${RECONCILIATION}/sales_agree/${interval.start}`;
  const isNotified = (action: string): Promise<string | undefined> =>
    waited(guide, `PagerDuty: ${action}`, () =>
      Promise.resolve(
        pagerDuty.events.find(({ dedup_key, event_action }) => dedup_key === key && event_action === action)?.payload.summary,
      ),
    );
  if ((await isNotified('trigger')) === undefined) return;
  say('  Repaired by a run with on_mismatch: repair; the page resolves itself.');
  await runNow(guide, plan, { on_mismatch: 'repair' });
  await isNotified('resolve');
}

async function runNow({ client, environment, follow }: TourGuide, plan: Plan, params: JsonObject = {}): Promise<RunEnd> {
  const interval = dataIntervalAt(plan.schedule, Date.now());
  return follow(await startManualRun(client, plan, taskQueueOf(environment), interval, iso(Date.now()), params));
}

/** Waits for a result, and shows it if it is text. */
export async function waited<T>(
  { progress, signal }: TourGuide,
  title: string,
  find: () => Promise<T | undefined>,
): Promise<T | undefined> {
  const step = progress.step(title);
  for (const deadline = Date.now() + PATIENCE_MS; Date.now() < deadline && !signal.aborted; await delay(LOOK_MS)) {
    const found = await find();
    if (found === undefined) continue;
    step.done(typeof found === 'string' ? found : undefined);
    return found;
  }
  step.fail(signal.aborted ? 'stopped' : `not in ${PATIENCE_MS / 1_000} s`);
  return undefined;
}
