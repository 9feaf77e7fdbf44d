import { parseExactJson } from '../workflows/plan/values/exact-json.ts';
import type { Json, JsonObject } from '../workflows/plan/values/json.ts';
import type { Plan } from '../workflows/plan/plan.ts';
import { resolveRunParams } from '../workflows/plan/runs/run-params.ts';
import { CommandError } from './command-context.ts';

/**
 * Parses run parameters from the command line, `name=value` each. Parameters declared as text are taken literally; all others are JSON:
 * `days=7`, `full=true`, `regions=["eu"]`.
 * @throws CommandError with a sentence for each parameter that is unknown, missing or invalid
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

/** Text that is not JSON stays text; the type check of the parameter decides whether that is valid. */
function readJson(text: string): Json {
  try {
    return parseExactJson(text);
  } catch {
    return text;
  }
}

/** Collects an option that can be repeated. */
export function collect(value: string, earlier: readonly string[] = []): string[] {
  return [...earlier, value];
}
