import { ActivityFailure, ApplicationFailure, defineSearchAttributeKey, TimeoutFailure } from '@temporalio/common';
import {
  ActivityCancellationType,
  allHandlersFinished,
  CancellationScope,
  CancelledFailure,
  condition,
  continueAsNew,
  isCancellation,
  patched,
  scheduleActivity,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import { checkRequest, type OperatorRequest } from './plan/runs/decision.ts';
import { describeTrigger } from './plan/describe.ts';
import type { Plan } from './plan/plan.ts';
import { SEARCH_ATTRIBUTES } from './plan/runs/search-attributes.ts';
import { type TriggerPlan } from './plan/trigger.ts';
import {
  CLAIM_START,
  NO_COUNTS,
  PAUSE_SENSOR,
  type QuietTime,
  quietTimeFor,
  RESET_SENSOR,
  RESUME_SENSOR,
  SENSOR_QUERY,
  SENSOR_REPORT,
  SENSOR_UPDATE,
  type StartClaim,
  type SensorCall,
  type SensorEnd,
  type SensorInput,
  sensorQueue,
  type SensorReport,
  type SensorReset,
  type SensorState,
} from './plan/sensor.ts';
import { refuseWhere } from './refuse-update.ts';
import { errorText, rootCause } from './plan/values/error-text.ts';

const STATE = defineSearchAttributeKey(SEARCH_ATTRIBUTES.state.name, SEARCH_ATTRIBUTES.state.type);
const PLAN_HASH = defineSearchAttributeKey(SEARCH_ATTRIBUTES.planHash.name, SEARCH_ATTRIBUTES.planHash.type);

/**
 * Keeps a sensor alive: its consumers are activities that run until they are told to stop, on whichever workers there are. Edits, pauses and
 * resets stop them and begin them anew where they were. Its current details say how it stands.
 */
export async function SluiceSensor(input: SensorInput): Promise<void> {
  const sensor = new Sensor(input);
  setHandler(SENSOR_QUERY, () => sensor.state);
  setHandler(SENSOR_REPORT, (report) => sensor.take(report));
  setHandler(SENSOR_UPDATE, (plan) => sensor.update(plan));
  setHandler(PAUSE_SENSOR, (request) => sensor.pause(request), {
    validator: refuseWhere(checkRequest),
    description: 'Look at no further events: {"by", "reason"?}',
  });
  setHandler(RESUME_SENSOR, (request) => sensor.resume(request), {
    validator: refuseWhere(checkRequest),
    description: 'Go on: {"by", "reason"?}',
  });
  setHandler(RESET_SENSOR, (request) => sensor.reset(request), {
    validator: refuseWhere(checkReset),
    description: 'Begin again elsewhere: {"by", "to": "earliest" | "latest" | a time, "reason"?}',
  });
  setHandler(CLAIM_START, (claim) => sensor.claim(claim));
  return sensor.run();
}

function checkReset(request: SensorReset): string | undefined {
  const nobody = checkRequest(request);
  if (nobody !== undefined || ['earliest', 'latest'].includes(request.to) || !Number.isNaN(Date.parse(request.to))) return nobody;
  return `'${request.to}' is no place to begin: earliest, latest, or a time such as 2024-01-31T06:00:00Z.`;
}

class Sensor {
  private plan: Plan;
  private readonly since: string;
  private ends: SensorEnd[];
  private paused: OperatorRequest | undefined;
  private stopped: string | undefined;
  private lastClaim: StartClaim | undefined;
  private readonly reports = new Map<number, SensorReport>();
  /** Who moves the consumers at the moment, and where to. */
  private resetting: OperatorRequest | undefined;
  /** The length of the history when the plan was sent last: whether that was after a cancellation. */
  private wantedAt = 0;
  /** Something has happened that the consumers have to stop for. */
  private stirred = false;
  private consumers = new CancellationScope();
  private running = 0;

  constructor(private readonly input: SensorInput) {
    this.plan = input.plan;
    this.since = input.since ?? workflowInfo().startTime.toISOString();
    this.ends = [...(input.ends ?? [])];
    this.paused = input.paused;
    this.lastClaim = input.lastClaim;
  }

  private get trigger(): TriggerPlan | undefined {
    return this.plan.triggers?.find(({ name }) => name === this.input.trigger);
  }

  get state(): SensorState {
    const reports = [...this.reports.values()].sort((a, b) => a.consumer - b.consumer);
    const waitsFor = this.resetting ?? this.paused;
    if (waitsFor) return { state: 'paused', why: words(waitsFor), reports };
    return { state: this.stopped === undefined ? 'running' : 'stopped', ...(this.stopped !== undefined && { why: this.stopped }), reports };
  }

  take(report: SensorReport): void {
    this.reports.set(report.consumer, report);
    this.draw();
  }

  /** @returns null: it may start */
  claim(claim: StartClaim): QuietTime | null {
    const { mode } = this.trigger ?? {};
    const quiet = mode?.kind === 'cooldown' ? quietTimeFor(claim, this.lastClaim, mode.forMs) : undefined;
    if (quiet) return quiet;
    // Asked again for the same run, the first answer counts: the quiet time does not grow.
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

  /** Stops the consumers, moves where they stand, and begins them again, unless somebody has paused them meanwhile. One reset at a time. */
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

  /** As earlier releases did it, for histories in which they have. */
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
    const { trigger } = this;
    if (!trigger) throw ApplicationFailure.nonRetryable('Its trigger is gone.', 'DecisionRefused');
    await condition(() => this.running === 0);
    try {
      this.ends = await Promise.all(
        this.calls(trigger).map((call) =>
          scheduleActivity<SensorEnd>(`${trigger.type}_sensor_reset`, [call, to], {
            taskQueue: sensorQueue(workflowInfo().taskQueue),
            startToCloseTimeout: '2 minutes',
            retry: { maximumAttempts: 3 },
            summary: `begins again at ${to}`,
          }),
        ),
      );
    } catch (error) {
      throw ApplicationFailure.nonRetryable(errorText(rootCause(error)), 'DecisionRefused');
    }
    return `begins again at ${to}`;
  }

  async run(): Promise<void> {
    for (;;) {
      const { trigger } = this;
      if (!trigger) return;
      upsertSearchAttributes([
        { key: STATE, value: this.state.state },
        { key: PLAN_HASH, value: this.plan.hash },
      ]);
      this.stirred = false;
      this.draw();
      if (!this.paused && !this.resetting && this.stopped === undefined) for (const call of this.calls(trigger)) void this.consume(call);
      const canceled = await this.untilStirred();
      const canceledAt = workflowInfo().historyLength;
      // From now on it is not the sensor of any plan: a scheduler that wants it again hands it the plan.
      if (canceled && patched('ending-is-shown')) upsertSearchAttributes([{ key: PLAN_HASH, value: null }]);
      this.consumers.cancel();
      await CancellationScope.nonCancellable(() => condition(() => this.running === 0 && allHandlersFinished()));
      if (canceled && this.wantedAt < canceledAt) throw new CancelledFailure('The sensor was cancelled: its trigger is gone');
      this.consumers = new CancellationScope();
      if (canceled || workflowInfo().continueAsNewSuggested) {
        const { plan, ends, since, paused, lastClaim } = this;
        const { trigger: name } = this.input;
        await continueAsNew<typeof SluiceSensor>({
          plan,
          trigger: name,
          since,
          ends,
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

  private calls(trigger: TriggerPlan): SensorCall[] {
    const { plan, since } = this;
    return Array.from({ length: trigger.parallelism }, (_, consumer) => ({
      sensorId: workflowInfo().workflowId,
      plan,
      trigger,
      consumer,
      since,
      from: this.ends[consumer] ?? { counts: NO_COUNTS },
    }));
  }

  private async consume(call: SensorCall): Promise<void> {
    const { trigger, consumer } = call;
    this.running++;
    try {
      this.ends[consumer] = await this.consumers.run(() =>
        scheduleActivity<SensorEnd>(`${trigger.type}_sensor`, [call], {
          activityId: trigger.parallelism === 1 ? trigger.name : `${trigger.name}[${consumer}]`,
          summary: describeTrigger(trigger),
          taskQueue: sensorQueue(workflowInfo().taskQueue),
          startToCloseTimeout: '3650 days',
          heartbeatTimeout: '10s',
          // It stops by itself, and says where it stands.
          cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
          retry: { initialInterval: '1s', backoffCoefficient: 1.5, maximumInterval: '5s' },
        }),
      );
    } catch (error) {
      const timeout = timeoutOf(error);
      if (timeout && patched('dead-consumers-go-on')) {
        // The worker died while the consumer was asked to stop: then the server does not retry. The next one goes on from its last heartbeat.
        if (timeout.lastHeartbeatDetails) this.ends[consumer] = timeout.lastHeartbeatDetails as SensorEnd;
        if (!this.consumers.consideredCancelled) this.stirred = true;
      } else if (!isCancellation(error)) {
        // Retries have no end: this is a failure that nothing but a person can put right.
        this.stopped = errorText(rootCause(error));
        this.stirred = true;
      }
    } finally {
      this.running--;
    }
  }

  private draw(): void {
    const { trigger } = this;
    if (!trigger) return;
    const { state, why, reports } = this.state;
    const lines = [`${MARKS[state]} ${state}${why === undefined ? '' : `: ${why}`}`, ...reports.map(describeReport)];
    setCurrentDetails(`Starts runs of ${this.plan.dagId}: ${describeTrigger(trigger)}\n\n\`\`\`text\n${lines.join('\n')}\n\`\`\``);
  }
}

const MARKS = { running: '▶', paused: '‖', stopped: '✘' } as const;

function words({ by, reason }: OperatorRequest): string {
  return `by ${by}${reason === undefined ? '' : `: ${reason}`}`;
}

function describeReport({ consumer, counts, rate, lag, lastStart, problem }: SensorReport): string {
  const { events, matches, started, known, invalid, lost, quiet = 0 } = counts;
  const parts = [
    `consumer ${consumer}:`,
    `${events} events (${rate.toFixed(1)}/s${lag === undefined ? '' : `, ${lag} behind`})`,
    `${matches} matches, ${started} runs started${known > 0 ? `, ${known} known already` : ''}${quiet > 0 ? `, ${quiet} dropped by cooldown` : ''}`,
    `${invalid} invalid${lost > 0 ? `, ${lost} removed by the source before they were read` : ''}`,
    ...(lastStart ? [`last start ${lastStart.run} at ${lastStart.at}`] : []),
    ...(problem === undefined ? [] : [`! ${problem}`]),
  ];
  return parts.join('\n  ');
}

function timeoutOf(error: unknown): TimeoutFailure | undefined {
  return error instanceof ActivityFailure && error.cause instanceof TimeoutFailure ? error.cause : undefined;
}
