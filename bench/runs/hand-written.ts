import { executeChild, ParentClosePolicy, proxyActivities } from '@temporalio/workflow';
import type { Plan } from '../../workflows/plan/plan.ts';
import type { DataInterval } from '../../workflows/plan/timetable/schedule.ts';
import type { TaskInput } from '../../workflows/plan/tasks/task-input.ts';

/** What an engineer would write without Sluice: the same activities and options in plain code. */
const { work, work_batch: workBatch } = proxyActivities<{
  work(input?: TaskInput): Promise<null>;
  work_batch(items: readonly number[]): Promise<null[]>;
}>({
  startToCloseTimeout: '1h',
  heartbeatTimeout: '15s',
  retry: { maximumAttempts: 4 },
});

export async function Chain(length: number): Promise<void> {
  for (let task = 0; task < length; task++) await work();
}

export async function FanOut(width: number): Promise<void> {
  await Promise.all(Array.from({ length: width }, () => work()));
}

/** What Sluice records in the history of a run for display and search. */
export interface Recorded {
  readonly plan: Plan;
  readonly interval: DataInterval;
}

/** The chain, with the same records as in Sluice. */
export async function RecordedChain(length: number, recorded: Recorded): Promise<void> {
  for (let task = 0; task < length; task++) await recordedWork(task, recorded);
}

/** The fan-out, with the same records as in Sluice. */
export async function RecordedFanOut(width: number, recorded: Recorded): Promise<void> {
  await Promise.all(Array.from({ length: width }, (_, task) => recordedWork(task, recorded)));
}

function recordedWork(task: number, { interval }: Recorded): Promise<null> {
  const name = `t${task}`;
  return work.executeWithOptions({ activityId: name, summary: `${name}: does nothing` }, [{ params: {}, interval }]);
}

/** A list that exceeds one history: children of 500 items, four at a time, each with a window of 100. */
export async function Mapped(count: number): Promise<null[]> {
  const results: null[][] = [];
  await inWindow(Math.ceil(count / 500), 4, async (part) => {
    results[part] = await executeChild(MappedPart, {
      args: [Math.min(500, count - part * 500)],
      parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
    });
  });
  return results.flat();
}

export async function MappedPart(count: number): Promise<null[]> {
  const results: null[] = [];
  await inWindow(count, 100, async (item) => {
    results[item] = await work();
  });
  return results;
}

/** The same, with a hundred items per activity. */
export async function Batched(count: number): Promise<null[]> {
  const batches = Array.from({ length: count / 100 }, (_, batch) => Array.from({ length: 100 }, (__, item) => batch * 100 + item));
  return (await Promise.all(batches.map((batch) => workBatch(batch)))).flat();
}

async function inWindow(count: number, window: number, each: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let index = next++; index < count; index = next++) await each(index);
  };
  await Promise.all(Array.from({ length: Math.min(window, count) }, worker));
}
