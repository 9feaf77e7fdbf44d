import type { Json, JsonObject } from '../../workflows/plan/values/json.ts';
import { VALUE_FORMATS } from '../../workflows/plan/values/value-schema.ts';
import { adaptNames } from './names.ts';
import type { Report } from './report.ts';
import type { SourceValue } from './source-value.ts';

/** JSON Schema keywords that parameters accept in Sluice. */
const KEYWORDS: ReadonlySet<string> = new Set(
  'type title description enum minimum maximum exclusiveMinimum exclusiveMaximum minLength maxLength items minItems maxItems properties required additionalProperties'.split(
    ' ',
  ),
);

/** Keys around the keywords. */
const FRAME: ReadonlySet<string> = new Set(['__class', '__type__', '__args__', 'default', 'value', 'schema', 'source']);

/**
 * Converts the parameters of a DAG from any format: bare defaults, `Param` of dag-factory, the REST API or the serialized DAG.
 * @returns `names`: our names by the DAG's names; `keys`: the `params` key of the pipeline, absent when there are none
 */
export function convertParams(
  field: SourceValue | undefined,
  report: Report,
): { readonly names: ReadonlyMap<string, string>; readonly keys?: JsonObject } {
  const params = field?.fields ?? pairs(field);
  const names = adaptNames(params.keys(), 'param');
  const keys = [...params].map(([name, param]): [string, Json] => {
    const ours = names.get(name) ?? name;
    if (ours === name) report.kept(`params.${name}`, param.place);
    else report.changed(`params.${name}`, `is called '${ours}': lowercase letters, digits and _`, param.place);
    return [ours, convertParam(param, `params.${name}`, report)];
  });
  return { names, ...(keys.length > 0 && { keys: Object.fromEntries(keys) }) };
}

/** Airflow 2.9 and later serialize parameters as a list of pairs. */
function pairs(field: SourceValue | undefined): ReadonlyMap<string, SourceValue> {
  const entries = (field?.items ?? []).flatMap(({ items = [] }): [string, SourceValue][] => {
    const [name, param] = items;
    return typeof name?.value === 'string' && param ? [[name.value, param]] : [];
  });
  return new Map(entries);
}

function convertParam(param: SourceValue, what: string, report: Report): Json {
  const { fields, value } = param;
  if (!fields && !Array.isArray(value)) return value;
  const isParam = fields?.has('__class') || /\bParam$/.test(String(fields?.get('__type__')?.value ?? ''));
  if (!fields || !isParam) return { default: value };
  const own = fields.get('schema')?.fields ?? new Map([...fields].filter(([keyword]) => !FRAME.has(keyword)));
  const description = fields.get('description');
  const described = new Map([...(description && description.value !== null ? [['description', description] as const] : []), ...own]);
  const given = fields.get('default') ?? fields.get('value') ?? fields.get('__args__')?.items?.[0];
  const kept: Record<string, Json> = {};
  for (const [keyword, each] of described) {
    const isKnown = KEYWORDS.has(keyword) || (keyword === 'format' && Object.hasOwn(VALUE_FORMATS, String(each.value)));
    if (isKnown) kept[keyword] = each.value;
    else report.notKept(`${what}.${keyword}`, 'is not among what a schema takes here', each.place);
  }
  const bare = given && (typeof given.value !== 'object' || given.value === null) && Object.keys(kept).length === 0;
  return bare ? given.value : { ...kept, ...(given && { default: given.value }) };
}
