import { checkValue } from '../workflows/plan/value-schema.ts';
import { isMap, type Json, type JsonObject } from '../workflows/plan/json.ts';
import type { ParamPlan } from '../workflows/plan/plan.ts';
import type { Source } from './source.ts';

/** The parameters of a pipeline; a bare value is a default of its own type. Mistakes are in `source`. */
export function resolveParams(source: Source, value: JsonObject): Readonly<Record<string, ParamPlan>> {
  const isScheduled = isMap(value.schedule) || typeof value.schedule_interval === 'string';
  const declared = Object.entries(isMap(value.params) ? value.params : {});
  return Object.fromEntries(
    declared.flatMap(([name, given]): [string, ParamPlan][] => {
      if (given === undefined) return [];
      if (!isMap(given)) return [[name, { schema: { type: typeOf(given) }, default: given }]];
      const { default: fallback, ...schema } = given;
      const path = ['params', name];
      if (fallback !== undefined && !source.isReported(path)) {
        for (const mistake of checkValue(schema, fallback, name)) {
          source.report('SL503', [...path, 'default'], `The default does not fit the parameter's own schema: ${mistake}`);
        }
      }
      if (fallback === undefined && isScheduled) {
        source.report(
          'SL202',
          path,
          `'default' is missing in '${name}': the clock gives a run no parameters.`,
          'give it a default, or take the schedule away',
        );
      }
      return [[name, { schema, ...(fallback !== undefined && { default: fallback }) }]];
    }),
  );
}

function typeOf(value: Json): string {
  if (value === null) return 'null';
  if (Number.isSafeInteger(value)) return 'integer';
  return typeof value;
}
