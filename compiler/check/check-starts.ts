import { isTemplate } from '../../workflows/plan/expressions/template.ts';
import { isMap, type Json, type JsonObject } from '../../workflows/plan/values/json.ts';
import type { ParamPlan } from '../../workflows/plan/plan.ts';
import { checkValue } from '../../workflows/plan/values/value-schema.ts';
import { didYouMean } from '../mistakes/diagnostic.ts';
import { declaredParams } from '../resolve/resolve-params.ts';
import type { Path, Source } from '../read/source.ts';
import { taskNodes } from '../resolve/task-node.ts';
import { checkWritten } from './check-numbers.ts';

/**
 * Checks the parameters that `run_pipeline` tasks pass against those that the started pipelines declare. The types of expressions are
 * checked with all other expressions (resolve-expressions.ts).
 * @param declared the files by dag_id
 */
export function checkStarts(source: Source, value: JsonObject, declared: ReadonlyMap<string, JsonObject>): void {
  for (const [index, trigger] of (Array.isArray(value.triggers) ? (value.triggers as readonly Json[]) : []).entries())
    if (isMap(trigger) && trigger.type === 'pipeline') warnOfMisspelled(source, trigger.dag_id, ['triggers', index], declared);
  for (const { type, keys, path } of taskNodes(value)) {
    if (type === 'wait_for_pipeline') {
      warnOfMisspelled(source, keys.dag_id, path, declared);
      checkAwaited(source, keys, path, declared);
    }
    if (type !== 'run_pipeline' || typeof keys.dag_id !== 'string') continue;
    const child = declared.get(keys.dag_id);
    if (child) checkGiven(source, { given: keys.params, path, dagId: keys.dag_id, params: declaredParams(child) });
    else {
      source.report(
        'SL306',
        [...path, 'dag_id'],
        `Pipeline '${keys.dag_id}' does not exist.`,
        didYouMean(keys.dag_id, declared.keys()) ?? `pipelines: ${[...declared.keys()].join(', ')}`,
      );
    }
  }
}

/** Warns of the name of a pipeline that no file defines, but that is nearly one of those defined. Another project may define it. */
function warnOfMisspelled(source: Source, dagId: Json | undefined, path: Path, declared: ReadonlyMap<string, JsonObject>): void {
  if (typeof dagId !== 'string' || declared.has(dagId)) return;
  const hint = didYouMean(dagId, declared.keys());
  if (hint !== undefined) source.report('SL319', [...path, 'dag_id'], `No file defines a pipeline '${dagId}'.`, hint);
}

/** Checks that the awaited task exists in the other pipeline, if its file is known. */
function checkAwaited(source: Source, { dag_id: dagId, task }: JsonObject, path: Path, declared: ReadonlyMap<string, JsonObject>): void {
  const awaited = typeof dagId === 'string' && declared.get(dagId);
  if (!awaited || typeof task !== 'string') return;
  const names = taskNodes(awaited).flatMap(({ name }) => name ?? []);
  if (names.includes(task)) return;
  const inGroup = names.filter((name) => name.endsWith(`.${task}`));
  const hint = inGroup.length === 1 ? `write ${inGroup[0]}` : (didYouMean(task, names) ?? `its tasks: ${names.join(', ')}`);
  source.report('SL302', [...path, 'task'], `'${String(dagId)}' has no task '${task}'.`, hint);
}

interface GivenParams {
  /** The value of the key `params` of the task or trigger at `path`. */
  readonly given: Json | undefined;
  readonly path: Path;
  readonly dagId: string;
  /** The parameters that the pipeline declares. */
  readonly params: Readonly<Record<string, ParamPlan>>;
}

/** Reports parameters that a pipeline does not declare, invalid values, and missing parameters. */
export function checkGiven(source: Source, { given, path, dagId, params }: GivenParams): void {
  if (given !== undefined && !isMap(given)) return; // the schema reports this
  for (const [name, value] of Object.entries(given ?? {})) {
    const at = [...path, 'params', name];
    const param = Object.hasOwn(params, name) ? params[name] : undefined;
    if (!param) {
      const names = Object.keys(params);
      source.reportKey(
        'SL505',
        at,
        `'${dagId}' declares no parameter '${name}'.`,
        didYouMean(name, names) ?? (names.length > 0 ? `declared: ${names.join(', ')}` : `declare it there: params: {${name}: …}`),
      );
    } else if (value !== undefined && !source.isReported(at)) {
      checkWritten(source, value, at, param.schema);
      if (source.isReported(at)) continue;
      const quotes =
        typeof value === 'number' && [param.schema.type].flat().includes('string') ? `put it in quotes: "${source.textAt(at)}"` : undefined;
      for (const mistake of checkKnown(param.schema, value, name)) source.report('SL503', at, mistake, quotes);
    }
  }
  for (const [name, { default: fallback }] of Object.entries(params)) {
    if (fallback === undefined && given?.[name] === undefined)
      source.reportInside('SL202', path, `'${dagId}' requires the parameter '${name}'.`, `add it: params: {${name}: …}`);
  }
}

/** Checks a value without its expressions, whose values are known only in a run. */
function checkKnown(schema: JsonObject, value: Json, name: string): string[] {
  if (typeof value === 'string' && isTemplate(value)) return [];
  if (typeof value !== 'object' || value === null || !JSON.stringify(value).includes('{{')) return checkValue(schema, value, name);
  const { items, properties = {}, ...rest } = schema;
  // A value with expressions cannot be compared with `enum`.
  const outside = { ...rest, enum: undefined };
  if (Array.isArray(value)) {
    const list = value as readonly Json[];
    return [
      ...checkValue(outside, value, name),
      ...(isMap(items) ? list.flatMap((each, index) => checkKnown(items, each, `${name}[${index}]`)) : []),
    ];
  }
  const known = isMap(properties) ? properties : {};
  const open = Object.fromEntries(Object.keys(known).map((key) => [key, {}]));
  return [
    ...checkValue({ ...outside, properties: open }, value, name),
    ...Object.entries(value).flatMap(([key, part]) => {
      const property = Object.hasOwn(known, key) ? known[key] : undefined;
      return isMap(property) && part !== undefined ? checkKnown(property, part, `${name}.${key}`) : [];
    }),
  ];
}
