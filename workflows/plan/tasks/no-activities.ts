/** Task types that are not activities: the interpreter carries them out. */
export const NO_ACTIVITIES = ['approval', 'empty', 'run_pipeline'] as const;
export type NoActivity = (typeof NO_ACTIVITIES)[number];

/** Whether tasks of a type are activities, which need a worker that knows the type. */
export function isActivity(type: string): boolean {
  return !(NO_ACTIVITIES as readonly string[]).includes(type);
}
