import type { TaskType } from '../../activities/define-task.ts';
import { PLATFORM_FAULTS, TIMEOUT_FAULTS, USER_FAULTS } from '../../activities/run/failure-types.ts';
import { isMap, type Json, type JsonObject } from '../../workflows/plan/values/json.ts';
import { didYouMean } from '../mistakes/diagnostic.ts';
import type { Path, Source } from '../read/source.ts';
import { defaultArgs, type TaskNode } from '../resolve/task-node.ts';

const COMMON = [...USER_FAULTS, ...PLATFORM_FAULTS, ...TIMEOUT_FAULTS];

/** Reports rules of `retry_policy` for failures that do not exist, because they would never apply. */
export function checkRetryPolicies(
  source: Source,
  value: JsonObject,
  nodes: readonly TaskNode[],
  types: ReadonlyMap<string, TaskType>,
): void {
  const own = [...types.values()].flatMap(({ errors = [] }) => errors);
  for (const { keys, path } of defaultArgs(value)) check(source, keys.retry_policy, [...path, 'retry_policy'], [...COMMON, ...own]);
  for (const { keys, path, type } of nodes) check(source, keys.retry_policy, [...path, 'retry_policy'], failuresOf(types.get(type ?? '')));
}

/** The failures that a task's rules can name. For a run that a task started, only a timeout is known. */
function failuresOf(type: TaskType | undefined): readonly string[] {
  return type?.type === 'run_pipeline' ? ['execution_timeout'] : [...COMMON, ...(type?.errors ?? [])];
}

function check(source: Source, policy: Json | undefined, path: Path, known: readonly string[]): void {
  if (!Array.isArray(policy)) return;
  for (const [index, rule] of (policy as readonly Json[]).entries()) {
    if (!isMap(rule) || typeof rule.on !== 'string' || known.includes(rule.on)) continue;
    source.report(
      'SL204',
      [...path, index, 'on'],
      `Unknown failure type '${rule.on}'.`,
      didYouMean(rule.on, known) ?? `types: ${known.join(', ')}`,
    );
  }
}
