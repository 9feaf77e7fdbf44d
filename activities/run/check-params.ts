import { exactJsonText } from '../../workflows/plan/values/exact-json.ts';
import { isExactNumber, isMap, type Json, type JsonObject } from '../../workflows/plan/values/json.ts';
import type { TaskType } from '../define-task.ts';
import { userFault } from './errors.ts';
import { schemaErrors, withDoubles } from './schema-errors.ts';

/**
 * Converts parameters to the types of their schema: a number that no double can represent becomes its text if text is allowed too, as in
 * the `--param` of a job.
 */
export function fitParams(taskType: TaskType, params: JsonObject): JsonObject {
  let fitted: Json = params;
  const errors = schemaErrors(taskType.params, params);
  for (const { steps, path, type } of errors) {
    const takesNumbers = errors.some((each) => each.path === path && (each.type === 'number' || each.type === 'integer'));
    if (type === 'string' && takesNumbers) fitted = replaceAt(fitted, steps, (value) => (isExactNumber(value) ? value.$number : value));
  }
  return fitted as JsonObject;
}

function replaceAt(value: Json, [step, ...rest]: readonly string[], change: (value: Json) => Json): Json {
  if (step === undefined) return change(value);
  if (Array.isArray(value)) return value.map((each: Json, index) => (String(index) === step ? replaceAt(each, rest, change) : each));
  return isMap(value) ? { ...value, [step]: replaceAt(value[step] ?? null, rest, change) } : value;
}

/**
 * Checks parameters against the schema of their task type after expressions are evaluated: the compiler could check only their types, not
 * their formats.
 * @throws ApplicationFailure `InvalidParameters`
 */
export function checkParams(taskType: TaskType, params: JsonObject): void {
  const narrowed = taskType.narrow?.(params);
  const errors = [...schemaErrors(taskType.params, params), ...(narrowed ? schemaErrors(narrowed.params, withDoubles(params)) : [])];
  const found =
    errors.length > 0
      ? errors.map(({ path, message }) => `${path || taskType.type}: ${message}`)
      : (taskType.mistakes?.(params as never) ?? []).map(({ at, message }) => `${at.join('.') || taskType.type}: ${message}`);
  if (found.length === 0) return;
  throw userFault(
    'InvalidParameters',
    `Invalid parameters after evaluating expressions: ${[...new Set(found)].join('; ')}. Given: ${exactJsonText(params).slice(0, 500)}`,
  );
}
