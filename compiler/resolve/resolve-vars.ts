import { isMap, type Json, type JsonObject } from '../../workflows/plan/values/json.ts';
import { nearest } from '../mistakes/diagnostic.ts';
import type { PipelineEnvironment } from '../read/environments.ts';
import type { Path, Source } from '../read/source.ts';
import type { FillIn } from './fill-in.ts';

/** `{{ vars.name }}` alone in its braces. Expressions that are evaluated in a run cannot read variables. */
const VARIABLE = /\{\{\s*vars\.([A-Za-z_][A-Za-z0-9_]*)\s*\}\}/g;
const ONLY_VARIABLE = new RegExp(`^${VARIABLE.source}$`);

/**
 * Replaces `{{ vars.name }}` in all texts of a file by the values of the environment. A text that contains nothing else takes the value's
 * type. This happens before all other steps, so schedules, connections and names can differ between environments.
 * @param environment absent: none is chosen
 * @param environments the names of the available environments
 */
export function resolveVars(
  source: Source,
  value: JsonObject,
  environment: PipelineEnvironment | undefined,
  environments: readonly string[],
  filledIn: FillIn[],
): JsonObject {
  if (!source.texts.some((text) => text.includes('vars.'))) return value;
  const valueOf = (name: string, path: Path): string | number | boolean => {
    const found = environment?.vars.get(name);
    if (found === undefined) {
      source.report('SL114', path, whyUndefined(name, environment), hintFor(name, environment, environments));
    } else if (environment && !filledIn.some(({ what }) => what === `vars.${name}`)) {
      filledIn.push({ what: `vars.${name}`, value: String(found), why: environment.file });
    }
    // Use the name as the value, so that later steps report nothing else about it.
    return found ?? name;
  };
  const resolve = (each: Json, path: Path): Json => {
    if (Array.isArray(each)) return each.map((item: Json, index) => resolve(item, [...path, index]));
    if (isMap(each)) return Object.fromEntries(Object.entries(each).map(([key, item]) => [key, resolve(item as Json, [...path, key])]));
    if (typeof each !== 'string' || !each.includes('vars.')) return each;
    const [only, name] = ONLY_VARIABLE.exec(each.trim()) ?? [];
    if (only !== undefined && name !== undefined) return valueOf(name, path);
    return each.replace(VARIABLE, (_, key: string) => String(valueOf(key, path)));
  };
  return resolve(value, []) as JsonObject;
}

function whyUndefined(name: string, environment: PipelineEnvironment | undefined): string {
  return environment
    ? `The environment '${environment.name}' does not define '${name}'.`
    : `'vars.${name}' needs an environment, and none is chosen.`;
}

function hintFor(name: string, environment: PipelineEnvironment | undefined, environments: readonly string[]): string {
  if (environment) {
    const near = nearest(name, environment.vars.keys());
    return near === undefined ? `define it under \`vars\` in ${environment.file}` : `did you mean '${near}'?`;
  }
  if (environments.length === 0) return `write environments/dev.yaml with \`vars: {${name}: …}\`, and choose it: --env dev`;
  return `choose one: --env ${environments.join(', --env ')}; or set SLUICE_ENV`;
}
