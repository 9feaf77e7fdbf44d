import { ApplicationFailure } from '@temporalio/common';
import {
  allHandlersFinished,
  CancellationScope,
  CancelledFailure,
  condition,
  continueAsNew,
  isCancellation,
  patched,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import { checkRequest, type OperatorRequest } from './plan/runs/decision.ts';
import type { Plan } from './plan/plan.ts';
import { SEARCH_ATTRIBUTES } from './plan/runs/search-attributes.ts';
import { type TriggerPlan } from './plan/trigger.ts';
import {
  CLAIM_START,
  PAUSE_SENSOR,
  type QuietTime,
  quietTimeFor,
  RESET_SENSOR,
  RESUME_SENSOR,
  SENSOR_QUERY,
  SENSOR_REPORT,
  SENSOR_UPDATE,
  type StartClaim,
  type SensorInput,
  type SensorReport,
  type SensorReset,
  type SensorState,
} from './plan/sensor.ts';
import { describeRequest, describeSensor } from './plan/sensor-text.ts';
import { Consumers } from './sensor/consumers.ts';
import { errorText, rootCause } from './plan/values/error-text.ts';
import { refuseWhere } from './refuse-update.ts';

/**
 * Keeps a sensor running. Its consumers are activities that run on any worker until they are cancelled. Edits, pauses and resets stop the
 * consumers and restart them where they stopped. The current details show the sensor's status.
 */
export async function SluiceSensor(input: SensorInput): Promise<void> {
  const sensor = new Sensor(input);
  setHandler(SENSOR_QUERY, () => sensor.state);
  setHandler(SENSOR_REPORT, (report) => sensor.take(report));
  setHandler(SENSOR_UPDATE, (plan) => sensor.update(plan));
  setHandler(PAUSE_SENSOR, (request) => sensor.pause(request), {
    validator: refuseWhere(checkRequest),
    description: 'Read no further events: {"by", "reason"?}',
  });
  setHandler(RESUME_SENSOR, (request) => sensor.resume(request), {
    validator: refuseWhere(checkRequest),
    description: 'Resume: {"by", "reason"?}',
  });
  setHandler(RESET_SENSOR, (request) => sensor.reset(request), {
    validator: refuseWhere(checkReset),
    description: 'Move to another position: {"by", "to": "earliest" | "latest" | a time, "reason"?}',
  });
  setHandler(CLAIM_START, (claim) => sensor.claim(claim));
  return sensor.run();
}

function checkReset(request: SensorReset): string | undefined {
  const nobody = checkRequest(request);
  if (nobody !== undefined || ['earliest', 'latest'].includes(request.to) || !Number.isNaN(Date.parse(request.to))) return nobody;
  return `'${request.to}' is not a position. Allowed: earliest, latest, or a time such as 2024-01-31T06:00:00Z.`;
}

class Sensor {
  private plan: Plan;
  private readonly since: string;
  private paused: OperatorRequest | undefined;
  private stopped: string | undefined;
  private lastClaim: StartClaim | undefined;
  private readonly reports = new Map<number, SensorReport>();
  /** The operator request that currently moves the consumers. */
  private resetting: OperatorRequest | undefined;
  /** The length of the history when the plan was last sent. Shows whether that was after a cancellation. */
  private wantedAt = 0;
  /** An event requires the consumers to stop. */
  private stirred = false;
  private readonly consumers: Consumers;

  constructor(private readonly input: SensorInput) {
    this.plan = input.plan;
    this.since = input.since ?? workflowInfo().startTime.toISOString();
    this.consumers = new Consumers([...(input.ends ?? [])], (failure) => {
      if (failure !== undefined) this.stopped = failure;
      this.stirred = true;
    });
    this.paused = input.paused;
    this.lastClaim = input.lastClaim;
  }

  private get trigger(): TriggerPlan | undefined {
    return this.plan.triggers?.find(({ name }) => name === this.input.trigger);
  }

  get state(): SensorState {
    const reports = [...this.reports.values()].sort((a, b) => a.consumer - b.consumer);
    const waitsFor = this.resetting ?? this.paused;
    if (waitsFor) return { state: 'paused', why: describeRequest(waitsFor), ...(this.paused && { paused: this.paused }), reports };
    return { state: this.stopped === undefined ? 'running' : 'stopped', ...(this.stopped !== undefined && { why: this.stopped }), reports };
  }

  take(report: SensorReport): void {
    this.reports.set(report.consumer, report);
    this.draw();
  }

  /** @returns null when the run may start, otherwise the remaining quiet time */
  claim(claim: StartClaim): QuietTime | null {
    const { mode } = this.trigger ?? {};
    const quiet = mode?.kind === 'cooldown' ? quietTimeFor(claim, this.lastClaim, mode.forMs) : undefined;
    if (quiet) return quiet;
    // A repeated claim of the same run gets the first answer, so the quiet time does not grow.
    if (this.lastClaim?.id !== claim.id) this.lastClaim = claim;
    return null;
  }

  update(plan: Plan): void {
    this.wantedAt = workflowInfo().historyLength;
    if (plan.hash === this.plan.hash) return;
    this.plan = plan;
    this.stopped = undefined;
    this.stirred = true;
  }

  pause(request: OperatorRequest): string {
    this.paused = request;
    this.stirred = true;
    return `paused by ${request.by}`;
  }

  resume(request: OperatorRequest): string {
    this.paused = undefined;
    this.stopped = undefined;
    this.stirred = true;
    return `resumed by ${request.by}`;
  }

  /** Stops the consumers, moves their positions, and restarts them unless the sensor was paused meanwhile. Resets run one at a time. */
  async reset({ by, reason, to }: OperatorRequest & { to: string }): Promise<string> {
    const request = { by, reason: reason ?? `resets it to ${to}` };
    if (!patched('resets-in-turn')) return this.resetBesideOthers(request, to);
    while (this.resetting) await condition(() => this.resetting === undefined);
    this.resetting = request;
    this.stirred = true;
    try {
      return await this.moveConsumers(to);
    } finally {
      this.resetting = undefined;
      this.stirred = true;
    }
  }

  /** Resets as earlier releases did, to replay their histories. */
  private async resetBesideOthers(request: OperatorRequest, to: string): Promise<string> {
    const before = this.paused;
    this.pause(request);
    try {
      return await this.moveConsumers(to);
    } finally {
      this.paused = before;
      this.stirred = true;
    }
  }

  private async moveConsumers(to: string): Promise<string> {
    const { trigger, consumers } = this;
    if (!trigger) throw ApplicationFailure.nonRetryable('Its trigger is gone.', 'DecisionRefused');
    await condition(() => consumers.haveStopped);
    try {
      await consumers.move({ plan: this.plan, trigger, since: this.since }, to);
    } catch (error) {
      throw ApplicationFailure.nonRetryable(errorText(rootCause(error)), 'DecisionRefused');
    }
    return `moved to ${to}`;
  }

  async run(): Promise<void> {
    for (;;) {
      const { trigger } = this;
      if (!trigger) return;
      upsertSearchAttributes([
        { key: SEARCH_ATTRIBUTES.state, value: this.state.state },
        { key: SEARCH_ATTRIBUTES.planHash, value: this.plan.hash },
      ]);
      this.stirred = false;
      this.draw();
      if (!this.paused && !this.resetting && this.stopped === undefined)
        this.consumers.start({ plan: this.plan, trigger, since: this.since });
      const canceled = await this.untilStirred();
      const canceledAt = workflowInfo().historyLength;
      // Remove the plan's hash: a scheduler that still needs the sensor then sends it the plan.
      if (canceled && patched('ending-is-shown')) upsertSearchAttributes([{ key: SEARCH_ATTRIBUTES.planHash, value: null }]);
      this.consumers.stop();
      await CancellationScope.nonCancellable(() => condition(() => this.consumers.haveStopped && allHandlersFinished()));
      if (canceled && this.wantedAt < canceledAt) throw new CancelledFailure('The sensor was cancelled: its trigger is gone');
      this.consumers.renew();
      if (canceled || workflowInfo().continueAsNewSuggested) {
        const { plan, since, paused, lastClaim } = this;
        const { trigger: name } = this.input;
        await continueAsNew<typeof SluiceSensor>({
          plan,
          trigger: name,
          since,
          ends: this.consumers.ends,
          ...(paused && { paused }),
          ...(lastClaim && { lastClaim }),
        });
      }
    }
  }

  /** @returns whether the sensor was cancelled */
  private async untilStirred(): Promise<boolean> {
    try {
      await condition(() => this.stirred || workflowInfo().continueAsNewSuggested);
      return false;
    } catch (error) {
      if (isCancellation(error)) return true;
      throw error;
    }
  }

  private draw(): void {
    if (this.trigger) setCurrentDetails(describeSensor(this.plan.dagId, this.trigger, this.state));
  }
}
