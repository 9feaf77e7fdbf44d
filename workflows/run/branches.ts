import type { TaskPlan } from '../plan/plan.ts';

/**
 * The tasks that a switch skips when its value is `value`: those of the other cases. A task that also depends on a task of the chosen case
 * is not skipped, as in Airflow.
 */
export function branchesNotTaken({ switch: branches }: TaskPlan, value: string, tasks: readonly TaskPlan[]): string[] {
  if (!branches) return [];
  const taken = Object.hasOwn(branches.cases, value) ? (branches.cases[value] ?? []) : branches.default;
  const kept = new Set(taken);
  // Tasks are listed after their dependencies, so one pass finds all followers.
  for (const task of tasks) if (task.dependsOn.some((name) => kept.has(name))) kept.add(task.name);
  return [...new Set([...Object.values(branches.cases).flat(), ...branches.default])].filter((name) => !kept.has(name));
}
