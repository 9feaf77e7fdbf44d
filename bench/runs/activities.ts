import type { TaskInput } from '../../workflows/plan/tasks/task-input.ts';

/** Tasks that do nothing, of one item or, for ours, of a batch of items; and `work_batch`, as one would write it by hand. */
export const benchActivities = {
  work: async (input?: TaskInput): Promise<null | null[]> => input?.batch?.map(() => null) ?? null,
  work_batch: async (items: readonly number[]): Promise<null[]> => items.map(() => null),
};
