import { randomUUID } from 'node:crypto';
import { type Client, WorkflowFailedError } from '@temporalio/client';
import { TimeoutFailure } from '@temporalio/common';
import type { Plan } from '../../workflows/plan/plan.ts';
import { sensorQueue } from '../../workflows/plan/sensor.ts';
import { activitiesOf, type QueueAnswer, WORKER_CHECK_WORKFLOW, type WorkerCheckInput } from '../../workflows/plan/worker-check.ts';
import type { DeploymentChanges } from './changes.ts';

/** Time for the last answers after the wait, in milliseconds. */
const END_MS = 10_000;
/** The type of a task queue for activities, in Temporal's API. */
const ACTIVITY_QUEUE = 2;

/**
 * Withholds the changes that need workers which are not there. First asks the workers whether they know the task types and triggers of the
 * plans that would be created or updated, and waits for those that do not. Writes nothing if no change needs a worker.
 * @param waitMs how long to wait, in milliseconds; 0: only for the answers of workers that are there
 */
export async function withholdWithoutWorkers(
  client: Client,
  taskQueue: string,
  changes: DeploymentChanges,
  waitMs: number,
): Promise<DeploymentChanges> {
  const due = [...changes.pipelines, ...changes.sensors].filter(needsWorkers);
  const answers = await askWorkers(client, taskQueue, new Set(due.flatMap(({ plan }) => plan ?? [])), waitMs);
  if (answers.every(({ missing }) => missing.length === 0)) return changes;
  const withhold = <C extends DueChange>(change: C): C => {
    const withheld = needsWorkers(change) && change.plan ? whyWithheld(change.plan, taskQueue, answers) : undefined;
    return withheld === undefined ? change : { ...change, withheld };
  };
  return { pipelines: changes.pipelines.map(withhold), sensors: changes.sensors.map(withhold) };
}

/** Whether a worker has polled a task queue in the last minutes. */
async function isPolled(client: Client, taskQueue: string): Promise<boolean> {
  const { pollers } = await client.workflowService.describeTaskQueue({
    namespace: client.options.namespace,
    taskQueue: { name: taskQueue },
    taskQueueType: ACTIVITY_QUEUE,
  });
  return pollers.length > 0;
}

interface DueChange {
  readonly action: string;
  readonly plan?: Plan;
  readonly withheld?: string;
}

function needsWorkers({ action, plan, withheld }: DueChange): boolean {
  return plan !== undefined && withheld === undefined && (action === 'create' || action === 'update' || action === 'start');
}

async function askWorkers(client: Client, taskQueue: string, plans: ReadonlySet<Plan>, waitMs: number): Promise<readonly QueueAnswer[]> {
  const needed = new Map<string, Set<string>>();
  for (const plan of plans) {
    for (const [queue, activities] of activitiesOf(plan, taskQueue)) {
      const all = needed.get(queue) ?? new Set();
      for (const each of activities) all.add(each);
      needed.set(queue, all);
    }
  }
  if (needed.size === 0) return [];
  const queues = [...needed].map(([queue, activities]) => ({ queue, activities: [...activities].sort() }));
  const silent = queues.map(({ queue, activities }): QueueAnswer => ({ queue, missing: activities, isPolled: false }));
  if (waitMs === 0 && !(await isPolled(client, taskQueue))) return silent;
  try {
    return await client.workflow.execute<(input: WorkerCheckInput) => Promise<readonly QueueAnswer[]>>(WORKER_CHECK_WORKFLOW, {
      workflowId: `worker-check/${taskQueue}/${randomUUID()}`,
      taskQueue,
      args: [{ queues, waitMs }],
      // Ends the check if no worker takes it.
      workflowExecutionTimeout: waitMs + END_MS,
      staticSummary: 'Asks the workers which task types and triggers they know',
    });
  } catch (error) {
    // Workers of earlier releases cannot answer either.
    if (!(error instanceof WorkflowFailedError && error.cause instanceof TimeoutFailure)) throw error;
    return silent;
  }
}

/** Why a plan cannot be applied. @returns undefined if the workers know all that it needs */
function whyWithheld(plan: Plan, taskQueue: string, answers: readonly QueueAnswer[]): string | undefined {
  const needed = activitiesOf(plan, taskQueue);
  const reasons = answers.flatMap(({ queue, missing, isPolled: isThere }) => {
    const unknown = missing.filter((each) => needed.get(queue)?.has(each));
    if (unknown.length === 0) return [];
    const isOfSensors = queue === sensorQueue(taskQueue);
    const names = unknown.map((each) => `'${isOfSensors ? each.replace(/_sensor$/, '') : each}'`).join(', ');
    const what = `the ${isOfSensors ? 'trigger' : 'task'} type${unknown.length === 1 ? '' : 's'} ${names}`;
    return [
      isThere
        ? `no worker of the task queue '${queue}' knows ${what}`
        : `no worker of this release polls the task queue '${queue}' for ${what}`,
    ];
  });
  return reasons.length === 0 ? undefined : `${reasons.join('; ')}. Deploy the workers first, or apply it anyway with \`--no-wait\``;
}
