import { canonicalJson, type Json, type JsonObject } from '../values/json.ts';
import type { RunInput } from './run.ts';
import type { DataVariant } from '../tasks/task-input.ts';

/**
 * What makes the data of a run different from other data of its interval: parameters other than the defaults, and the event that started it.
 * Defaults are left out, so that a new parameter with a default does not turn the same data into different data.
 * @param params of the run, with the defaults of the plan
 * @param pipelineRunId the run's own id
 * @returns undefined for the data that the pipeline makes when nothing is given
 */
export function dataVariant(
  { plan, event, rerunOf }: Pick<RunInput, 'plan' | 'event' | 'rerunOf'>,
  params: JsonObject,
  pipelineRunId: string,
): DataVariant | undefined {
  const given = Object.entries(params).filter(([name, value]) => !isSame(value, plan.params?.[name]?.default));
  if (given.length === 0 && !event) return undefined;
  return {
    ...(given.length > 0 && { params: Object.fromEntries(given) }),
    ...(event && { event: rerunOf?.original ?? rerunOf?.pipelineRunId ?? pipelineRunId }),
  };
}

function isSame(value: Json | undefined, fallback: Json | undefined): boolean {
  return fallback !== undefined && canonicalJson(value) === canonicalJson(fallback);
}
