import type { TaskInput } from '../../workflows/plan/tasks/task-input.ts';

/** Tasks that do nothing, for one item or, in Sluice, a batch of items; and `work_batch`, its hand-written equivalent. */
export const benchActivities = {
  work: async (input?: TaskInput): Promise<null | null[]> => input?.batch?.map(() => null) ?? null,
  work_batch: async (items: readonly number[]): Promise<null[]> => items.map(() => null),
};
