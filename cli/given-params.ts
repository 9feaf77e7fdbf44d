import { parseExactJson } from '../workflows/plan/values/exact-json.ts';
import type { Json, JsonObject } from '../workflows/plan/values/json.ts';
import type { Plan } from '../workflows/plan/plan.ts';
import { resolveRunParams } from '../workflows/plan/runs/run-params.ts';
import { CommandError } from './command-context.ts';

/**
 * The parameters of a run as they are given on the command line, `name=value` each. What the pipeline declares as text is taken as it
 * stands; everything else is JSON: `days=7`, `full=true`, `regions=["eu"]`.
 * @throws CommandError with a sentence for each that is unknown, missing or does not fit
 */
export function givenParams(plan: Pick<Plan, 'params' | 'dagId'>, pairs: readonly string[]): JsonObject {
  const given = Object.fromEntries(
    pairs.map((pair): [string, Json] => {
      const [, name, text] = /^([^=]+)=(.*)$/s.exec(pair) ?? [];
      if (name === undefined || text === undefined) throw new CommandError(`'${pair}' is not of the form name=value.`);
      return [name, plan.params?.[name]?.schema.type === 'string' ? text : readJson(text)];
    }),
  );
  const { mistakes } = resolveRunParams(plan, given);
  if (mistakes.length > 0) throw new CommandError(`${mistakes.join('\n')}\nPass parameters as --param name=value.`);
  return given;
}

/** What is no JSON is text: the check of the parameter's type says whether it may be. */
function readJson(text: string): Json {
  try {
    return parseExactJson(text);
  } catch {
    return text;
  }
}

/** Collects an option that can be given several times. */
export function collect(value: string, earlier: readonly string[] = []): string[] {
  return [...earlier, value];
}
