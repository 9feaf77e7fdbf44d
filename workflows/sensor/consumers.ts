import { ActivityFailure, ApplicationFailure, TimeoutFailure } from '@temporalio/common';
import { ActivityCancellationType, CancellationScope, isCancellation, patched, scheduleActivity, workflowInfo } from '@temporalio/workflow';
import { describeTrigger } from '../plan/describe.ts';
import type { Plan } from '../plan/plan.ts';
import { NO_COUNTS, sensorActivity, type SensorCall, type SensorEnd, sensorQueue } from '../plan/sensor.ts';
import { errorText, rootCause } from '../plan/values/error-text.ts';
import type { TriggerPlan } from '../plan/trigger.ts';

/** Input of consumers besides their positions. */
interface ConsumerInput {
  readonly plan: Plan;
  readonly trigger: TriggerPlan;
  readonly since: string;
}

/** The consumers of a sensor: activities that run until they are cancelled, and then return their positions. */
export class Consumers {
  private scope = new CancellationScope();
  private running = 0;

  /**
   * @param positions how far each has come, by number
   * @param onEnd is called when a consumer ends without being stopped; `failure`: a reason that only a person can fix
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

  /** Asks all consumers to stop. `haveStopped` returns true when they have. */
  stop(): void {
    this.scope.cancel();
  }

  /** Call after a stop: consumers started from now on get a new scope. */
  renew(): void {
    this.scope = new CancellationScope();
  }

  /**
   * Waits until the consumers have stopped, and then moves their positions.
   * @param to `earliest`, `latest` or a time
   * @throws the source's error
   */
  async move(input: ConsumerInput, to: string): Promise<void> {
    const { trigger } = input;
    this.positions = await Promise.all(
      this.calls(input).map((call) =>
        scheduleActivity<SensorEnd>(`${sensorActivity(trigger.type)}_reset`, [call, to], {
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
        scheduleActivity<SensorEnd>(sensorActivity(trigger.type), [call], {
          activityId: trigger.parallelism === 1 ? trigger.name : `${trigger.name}[${consumer}]`,
          summary: describeTrigger(trigger),
          taskQueue: sensorQueue(workflowInfo().taskQueue),
          startToCloseTimeout: '3650 days',
          heartbeatTimeout: '10s',
          // The consumer stops on its own and returns its position.
          cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
          retry: { initialInterval: '1s', backoffCoefficient: 1.5, maximumInterval: '5s' },
        }),
      );
    } catch (error) {
      const timeout = timeoutOf(error);
      if (timeout && patched('dead-consumers-go-on')) {
        // The server does not retry if the worker died during a stop. Continue from the last heartbeat.
        if (timeout.lastHeartbeatDetails) this.positions[consumer] = timeout.lastHeartbeatDetails as SensorEnd;
        if (!this.scope.consideredCancelled) this.onEnd();
      } else if (wasNotRetriedDuringStop(error) && patched('failures-during-a-stop')) {
        this.positions[consumer] = positionIn(error) ?? call.from;
      } else if (!isCancellation(error)) {
        // Retries are unlimited, so this is a failure that only a person can fix.
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

/** Whether the attempt failed while the consumer was asked to stop: the server retries any other failure that a retry may fix. */
function wasNotRetriedDuringStop(error: unknown): error is ActivityFailure {
  return error instanceof ActivityFailure && error.retryState === 'CANCEL_REQUESTED';
}

/** The position of a consumer whose worker shut down. */
function positionIn({ cause }: ActivityFailure): SensorEnd | undefined {
  return cause instanceof ApplicationFailure && cause.type === 'WorkerShutdown' ? (cause.details?.[0] as SensorEnd | undefined) : undefined;
}
