import type { Json, JsonObject } from '../values/json.ts';
import type { Plan } from '../plan.ts';
import { checkValue, VALUE_FORMATS } from '../values/value-schema.ts';

/**
 * The parameters of a run: the given values, else the plan's defaults; and a message for each invalid parameter.
 * @param formats the checks for text formats
 */
export function resolveRunParams(
  { params = {}, dagId }: Pick<Plan, 'params' | 'dagId'>,
  given: JsonObject,
  formats = VALUE_FORMATS,
): { params: JsonObject; mistakes: string[] } {
  const resolved: Record<string, Json> = {};
  const mistakes: string[] = [];
  for (const [name, { schema, default: fallback }] of Object.entries(params)) {
    const value = given[name] ?? fallback;
    if (value === undefined) {
      mistakes.push(`'${name}' must be given.`);
      continue;
    }
    resolved[name] = value;
    mistakes.push(...checkValue(schema, value, name, formats));
  }
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(params, name))
      mistakes.push(`'${dagId}' declares no parameter '${name}'; declared: ${Object.keys(params).join(', ') || 'none'}.`);
  }
  return { params: resolved, mistakes };
}
