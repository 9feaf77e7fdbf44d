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
    for (const [index, each] of (Array.isArray(schema.enum) ? (schema.enum as readonly Json[]) : []).entries()) {
      const at = [...path, 'enum', index];
      if (source.isReported(at)) continue;
      for (const mistake of checkValue({ type: schema.type }, each, name))
        source.report(
          'SL503',
          at,
          `A value of 'enum' does not match the type of the parameter: ${mistake}`,
          quotesHint(schema, each, source.textAt(at)),
        );
    }
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

/** Suggests quotes for a number that was meant as text, keeping its written form, and none for a text that was meant as another value. */
function quotesHint({ type }: JsonObject, given: Json, text: string): string | undefined {
  const types = [type].flat();
  if (typeof given === 'number' && types.includes('string')) return `put it in quotes: "${text}"`;
  const isNumber = (types.includes('integer') || types.includes('number')) && /^"(?:0|[1-9]\d{0,14})"$/.test(JSON.stringify(given));
  const isTruth = types.includes('boolean') && (given === 'true' || given === 'false');
  return isNumber || isTruth ? `leave the quotes out: ${String(given)}` : undefined;
}

function typeOf(value: Json): string {
  if (value === null) return 'null';
  if (Number.isSafeInteger(value)) return 'integer';
  return typeof value;
}
