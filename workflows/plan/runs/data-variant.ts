import { canonicalJson, type Json, type JsonObject } from '../values/json.ts';
import type { RunInput } from './run.ts';
import type { DataVariant } from '../tasks/task-input.ts';

/**
 * What distinguishes the data of a run from other data of its interval: parameters that differ from the defaults, and the event that
 * started it. Defaults are omitted, so that a new parameter with a default does not change the identity of existing data.
 * @param params of the run, including the plan's defaults
 * @param pipelineRunId the id of the run
 * @returns undefined for a run with default parameters and no event
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
