import type { Plan } from '../../workflows/plan/plan.ts';

/** The name of the trigger in `sensorPlan`. */
export const TRIGGER = 'changes';

/** A pipeline with one empty task, started by a high score in the topic. */
export function sensorPlan(dagId: string, topic: string): Plan {
  return {
    format: 1,
    dagId,
    hash: dagId,
    tags: [],
    schedule: null,
    tasks: [
      {
        name: 'a',
        // Does nothing.
        type: 'wait_until',
        summary: '',
        dependsOn: [],
        triggerRule: 'all_success',
        params: { time: '2000-01-01T00:00:00Z' },
        retry: { maximumAttempts: 1, initialDelayMs: 1_000, backoff: 1, maximumDelayMs: 1_000 },
        executionTimeoutMs: 60_000,
        heartbeatTimeoutMs: 15_000,
        allowFailure: false,
      },
    ],
    triggers: [
      {
        name: TRIGGER,
        type: 'kafka',
        when: 'event.behavior_change_score > 0.7',
        mode: { kind: 'each' },
        onInvalid: 'dead_letter',
        parallelism: 1,
        source: { topic },
      },
    ],
  };
}

/** A record of this topic. */
export function recordOf(score: number): { readonly value: string } {
  return { value: JSON.stringify({ event_type: 'product_view', user_id: '12345', product_id: '89101', behavior_change_score: score }) };
}
