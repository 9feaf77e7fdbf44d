import { exactJsonText } from '../workflows/plan/exact-json.ts';
import type { JsonObject } from '../workflows/plan/json.ts';
import type { TaskType } from './define-task.ts';
import { userFault } from './errors.ts';
import { schemaErrors } from './schema-errors.ts';

/**
 * Holds parameters against the schema of their task type, once expressions have been replaced by values: the compiler could check their
 * types, and not their forms.
 * @throws ApplicationFailure `InvalidParameters`
 */
export function checkParams(taskType: TaskType, params: JsonObject): void {
  const errors = schemaErrors(taskType.params, params);
  const told =
    errors.length > 0
      ? errors.map(({ path, message }) => `${path || taskType.type}: ${message}`)
      : (taskType.mistakes?.(params as never) ?? []).map(({ at, message }) => `${at.join('.') || taskType.type}: ${message}`);
  if (told.length === 0) return;
  throw userFault(
    'InvalidParameters',
    `What the expressions gave does not fit: ${[...new Set(told)].join('; ')}. Given: ${exactJsonText(params).slice(0, 500)}`,
  );
}
