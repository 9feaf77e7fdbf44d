import { isMap } from '../workflows/plan/values/json.ts';
import { allTasks, type Plan } from '../workflows/plan/plan.ts';

/**
 * Explains how to make the target of a comparison equal to its source: with a command, if a pipeline parameter controls the reaction to a
 * mismatch; otherwise with the edit to make first.
 * @param task the comparison @returns undefined if it cannot be repaired: groups and counts are not rows, and datasets are immutable
 */
export function repairCommand(plan: Plan, task: string, pipelineRunId: string): string | undefined {
  const {
    compare = 'row',
    target,
    on_mismatch: onMismatch,
    report_to: reportTo,
  } = allTasks(plan).find(({ name }) => name === task)?.params ?? {};
  if (compare !== 'row' || !isMap(target) || target.table === undefined) return undefined;
  const rerun = `sluice rerun ${pipelineRunId} --from ${task}`;
  const param = /^\{\{\s*params\.([a-z][a-z0-9_]*)\s*\}\}$/.exec(String(onMismatch))?.[1];
  const allowed = param === undefined ? undefined : plan.params?.[param]?.schema.enum;
  const isAllowed = !Array.isArray(allowed) || (allowed as readonly unknown[]).includes('repair');
  if (param !== undefined && isAllowed && reportTo !== undefined) return `${rerun} --param ${param}=repair`;
  const keys = ['`on_mismatch: repair`', ...(reportTo === undefined ? ['`report_to`'] : [])].join(' and ');
  return `give ${task} ${keys} in the file of ${plan.dagId}, then ${rerun} --definition latest`;
}
