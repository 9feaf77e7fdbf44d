import { checkValue } from '../../workflows/plan/values/value-schema.ts';
import { isMap, type Json, type JsonObject } from '../../workflows/plan/values/json.ts';
import { isTemplate } from '../../workflows/plan/expressions/template.ts';
import { parseMoment } from '../../workflows/plan/timetable/moment.ts';
import type { ParamPlan } from '../../workflows/plan/plan.ts';
import type { Path, Source } from '../read/source.ts';

/** A date, with or without a time. */
const DAY = /^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2})?(?:Z|[+-]\d{2}:\d{2})?)?$/;

/** The parameters that a pipeline declares, even if they have mistakes. A bare value is a default of its own type. */
export function declaredParams(value: JsonObject): Readonly<Record<string, ParamPlan>> {
  const declared = Object.entries(isMap(value.params) ? value.params : {});
  return Object.fromEntries(
    declared.flatMap(([name, given]): [string, ParamPlan][] => {
      if (given === undefined) return [];
      if (!isMap(given)) return [[name, { schema: { type: typeOf(given) }, default: given }]];
      const { default: fallback, ...schema } = given;
      return [[name, { schema, ...(fallback !== undefined && { default: fallback }) }]];
    }),
  );
}

/** The parameters of a pipeline; a bare value is a default of its own type. Mistakes are in `source`. */
export function resolveParams(source: Source, value: JsonObject): Readonly<Record<string, ParamPlan>> {
  const isScheduled = isMap(value.schedule) || typeof value.schedule_interval === 'string' || Array.isArray(value.schedule_interval);
  for (const [name, given] of Object.entries(isMap(value.params) ? value.params : {})) {
    if (given === undefined) continue;
    if (typeof given === 'string' && DAY.test(given) && parseMoment(given, 'UTC') === undefined) {
      source.report('SL205', ['params', name], `'${given}' is a day or a time that does not exist.`);
    }
    const path = ['params', name];
    checkPlain(source, name, isMap(given) ? [...path, 'default'] : path, isMap(given) ? given.default : given);
    if (!isMap(given)) continue;
    const { default: fallback, ...schema } = given;
    if (fallback !== undefined && !source.isReported(path)) {
      for (const mistake of checkValue(schema, fallback, name)) {
        source.report(
          'SL503',
          [...path, 'default'],
          `The default does not match the schema of the parameter: ${mistake}`,
          quotesHint(schema, fallback, source.textAt([...path, 'default'])),
        );
      }
    }
    if (fallback === undefined && isScheduled) {
      source.report(
        'SL202',
        path,
        `'default' is missing in '${name}': scheduled runs are given no parameters.`,
        'add a default, or remove the schedule',
      );
    }
  }
  return declaredParams(value);
}

/** Reports expressions in a default, because tasks would receive them unevaluated. */
function checkPlain(source: Source, name: string, path: Path, value: Json | undefined): void {
  if (typeof value === 'string') {
    if (!isTemplate(value)) return;
    source.report(
      'SL508',
      path,
      `The default of '${name}' does not accept expressions: its value must be known before a run starts.`,
      `write the expression where a task reads params.${name}, or remove the default and pass a value to each run`,
    );
  } else if (Array.isArray(value))
    for (const [index, each] of (value as readonly Json[]).entries()) checkPlain(source, name, [...path, index], each);
  else if (isMap(value)) for (const [key, each] of Object.entries(value)) checkPlain(source, name, [...path, key], each);
}

/** Suggests quotes for a number that was meant as text, keeping its written form. */
function quotesHint({ type }: JsonObject, given: Json, text: string): string | undefined {
  return typeof given === 'number' && [type].flat().includes('string') ? `put it in quotes: "${text}"` : undefined;
}

function typeOf(value: Json): string {
  if (value === null) return 'null';
  if (Number.isSafeInteger(value)) return 'integer';
  return typeof value;
}
