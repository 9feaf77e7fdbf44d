import type { TaskPlan } from '../plan/plan.ts';

/**
 * The tasks that a switch skips when its value is `value`: those of the cases that were not taken. A task that also comes after one that
 * was taken is not skipped; Airflow's rule for branches.
 */
export function branchesNotTaken({ switch: branches }: TaskPlan, value: string, tasks: readonly TaskPlan[]): string[] {
  if (!branches) return [];
  const taken = Object.hasOwn(branches.cases, value) ? (branches.cases[value] ?? []) : branches.default;
  const kept = new Set(taken);
  // Tasks stand after all they depend on: one pass finds everything that comes after.
  for (const task of tasks) if (task.dependsOn.some((name) => kept.has(name))) kept.add(task.name);
  return [...new Set([...Object.values(branches.cases).flat(), ...branches.default])].filter((name) => !kept.has(name));
}
