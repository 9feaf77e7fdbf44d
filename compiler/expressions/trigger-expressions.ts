import type { Shape } from '../../workflows/plan/expressions/shape.ts';
import type { TemplatePlace } from '../../workflows/plan/expressions/template-place.ts';
import type { ParamPlan } from '../../workflows/plan/plan.ts';
import { AGGREGATE_SHAPES } from '../../workflows/plan/trigger.ts';
import { isMap, type Json, type JsonObject } from '../../workflows/plan/values/json.ts';
import { checkGiven } from '../check/check-starts.ts';
import type { Path, Source } from '../read/source.ts';
import { aggregateOf } from '../resolve/resolve-triggers.ts';
import type { ExpressionChecks } from './expression-checks.ts';
import type { ExpressionScope } from './expression-scope.ts';
import type { ExpressionContext, ExpressionScopes } from './expression-scopes.ts';
import { findTemplates } from './find-templates.ts';

/**
 * Checks the expressions of triggers.
 * @returns the locations of expressions in the parameters that each trigger passes to runs, by the trigger's position
 */
export function checkTriggers(
  source: Source,
  value: JsonObject,
  {
    checks,
    scopes,
    context,
  }: { readonly checks: ExpressionChecks; readonly scopes: ExpressionScopes; readonly context: ExpressionContext },
): ReadonlyMap<number, readonly TemplatePlace[]> {
  const { triggers } = value;
  const templates = new Map<number, TemplatePlace[]>();
  for (const [index, trigger] of (Array.isArray(triggers) ? (triggers as readonly Json[]) : []).entries()) {
    if (!isMap(trigger)) continue;
    const path = ['triggers', index];
    const properties: Readonly<Record<string, unknown>> = context.triggers.get(String(trigger.type))?.params.properties ?? {};
    const scope = { ...scopes.everywhere(), outputs: new Map<string, Shape>(), event: scopes.eventOf(trigger, 'single') };
    const items =
      isMap(trigger.mode) && isMap(trigger.mode.window)
        ? checkAggregates(checks, trigger.mode.window, [...path, 'mode', 'window'], scope)
        : {};
    const places: TemplatePlace[] = [];
    for (const [key, part] of Object.entries(trigger)) {
      const declared = properties[key];
      const schema = isMap(declared) && declared.runParams === true ? { ...declared, ...paramsSchema(context.params) } : declared;
      for (const template of findTemplates(part, schema, [...path, key], 'none')) {
        const checked = checks.found(template, template.schema.reads === 'aggregates' ? { ...scope, items } : scope);
        // Only the parameters of runs contain templates; the other keys are for the sensor and contain no braces.
        if (checked && template.kind === 'value') places.push({ path: template.path.slice(path.length + 1), kind: template.kind });
      }
    }
    if (places.length > 0) templates.set(index, places);
    checkGiven(source, { given: trigger.params, path, dagId: String(value.dag_id), params: context.params });
  }
  return templates;
}

/** Checks the aggregates of a window over each event. @returns their types, by name */
function checkAggregates(checks: ExpressionChecks, { aggregates }: JsonObject, path: Path, scope: ExpressionScope): Record<string, Shape> {
  const named = Object.entries(isMap(aggregates) ? aggregates : {});
  for (const [name, text] of named) {
    const [, before = '', of = ''] = /^(\s*[a-z]+\s*\()(.*)\)\s*$/s.exec(String(text)) ?? [];
    // Pad with blanks, so that mistakes have the right position.
    if (of.trim() !== '') checks.bare({ path: [...path, 'aggregates', name], text: `${' '.repeat(before.length)}${of} ` }, scope);
  }
  return Object.fromEntries(
    named.map(([name, text]): [string, Shape] => {
      const aggregate = aggregateOf(text);
      return [name, aggregate ? AGGREGATE_SHAPES[aggregate.kind] : 'dyn'];
    }),
  );
}

/** The schema of a run's parameters. */
export function paramsSchema(params: Readonly<Record<string, ParamPlan>>): JsonObject {
  return { type: 'object', properties: Object.fromEntries(Object.entries(params).map(([name, { schema }]) => [name, schema])) };
}
