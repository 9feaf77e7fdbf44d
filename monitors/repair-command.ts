import { isMap } from '../workflows/plan/values/json.ts';
import { allTasks, type Plan } from '../workflows/plan/plan.ts';

/**
 * How to make the target of a comparison what its source is: the command, where a parameter of the pipeline says what a mismatch leads to; else
 * what to change in its file before.
 * @param task the comparison @returns undefined where nothing repairs it: groups and counts are no rows, and data sets never change
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
