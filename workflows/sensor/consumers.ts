import { ActivityFailure, TimeoutFailure } from '@temporalio/common';
import { ActivityCancellationType, CancellationScope, isCancellation, patched, scheduleActivity, workflowInfo } from '@temporalio/workflow';
import { describeTrigger } from '../plan/describe.ts';
import type { Plan } from '../plan/plan.ts';
import { NO_COUNTS, type SensorCall, type SensorEnd, sensorQueue } from '../plan/sensor.ts';
import { errorText, rootCause } from '../plan/values/error-text.ts';
import type { TriggerPlan } from '../plan/trigger.ts';

/** What consumers are given besides where they stand. */
interface ConsumerInput {
  readonly plan: Plan;
  readonly trigger: TriggerPlan;
  readonly since: string;
}

/** The consumers of a sensor: activities that run until they are cancelled, and say where they stand then. */
export class Consumers {
  private scope = new CancellationScope();
  private running = 0;

  /**
   * @param positions how far each has come, by number
   * @param onEnd is called when one has ended by itself; `failure`: why nothing but a person can put it right
   */
  constructor(
    private positions: SensorEnd[],
    private readonly onEnd: (failure?: string) => void,
  ) {}

  get ends(): readonly SensorEnd[] {
    return this.positions;
  }

  get haveStopped(): boolean {
    return this.running === 0;
  }

  start(input: ConsumerInput): void {
    for (const call of this.calls(input)) void this.consume(call);
  }

  /** Asks all to stop. They have when `haveStopped` says so. */
  stop(): void {
    this.scope.cancel();
  }

  /** After a stop: those that start from now on can be stopped by themselves. */
  renew(): void {
    this.scope = new CancellationScope();
  }

  /**
   * Moves consumers that are asked to stop, when they have.
   * @param to `earliest`, `latest` or a time
   * @throws what the source has answered
   */
  async move(input: ConsumerInput, to: string): Promise<void> {
    const { trigger } = input;
    this.positions = await Promise.all(
      this.calls(input).map((call) =>
        scheduleActivity<SensorEnd>(`${trigger.type}_sensor_reset`, [call, to], {
          taskQueue: sensorQueue(workflowInfo().taskQueue),
          startToCloseTimeout: '2 minutes',
          retry: { maximumAttempts: 3 },
          summary: `moved to ${to}`,
        }),
      ),
    );
  }

  private calls({ plan, trigger, since }: ConsumerInput): SensorCall[] {
    return Array.from({ length: trigger.parallelism }, (_, consumer) => ({
      sensorId: workflowInfo().workflowId,
      plan,
      trigger,
      consumer,
      since,
      from: this.positions[consumer] ?? { counts: NO_COUNTS },
    }));
  }

  private async consume(call: SensorCall): Promise<void> {
    const { trigger, consumer } = call;
    this.running++;
    try {
      this.positions[consumer] = await this.scope.run(() =>
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
        if (timeout.lastHeartbeatDetails) this.positions[consumer] = timeout.lastHeartbeatDetails as SensorEnd;
        if (!this.scope.consideredCancelled) this.onEnd();
      } else if (!isCancellation(error)) {
        // Retries have no end: this is a failure that nothing but a person can put right.
        this.onEnd(errorText(rootCause(error)));
      }
    } finally {
      this.running--;
    }
  }
}

function timeoutOf(error: unknown): TimeoutFailure | undefined {
  return error instanceof ActivityFailure && error.cause instanceof TimeoutFailure ? error.cause : undefined;
}
