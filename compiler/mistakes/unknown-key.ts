import type { ErrorObject } from 'ajv';
import { ANCHOR_KEY } from '../read/parse.ts';
import type { Path, Source } from '../read/source.ts';
import { SCHEDULE_KEYS } from '../schema/schedule-keys.ts';
import { COMMON_TASK_KEYS } from '../schema/task-keys.ts';
import { didYouMean, nearest } from './diagnostic.ts';
import { FOREIGN_HABITS } from './foreign-habits.ts';
import { foreignKey } from './foreign-keys.ts';
import { exampleHint, type Place, placeName } from './place.ts';
import { propertiesOf, type PropertySchema } from './properties.ts';

/** Reports an unknown key, with the key most likely meant. */
export function reportUnknownKey(source: Source, path: Path, error: ErrorObject, place: Place, inner: Path): void {
  const key = String(path.at(-1));
  const properties = propertiesOf(error);
  const allowed = Object.keys(properties);
  const given = Object.keys(error.data ?? {});
  const ours =
    currentName(key, properties) ??
    foreignKey(key, allowed, given) ??
    foreignKey(inSnakeCase(key), allowed, given) ??
    ourSpelling(key, allowed);
  const twin = ours === undefined ? foreignKey(key, allowed) : undefined;
  const hint =
    ours !== undefined
      ? `use '${ours}'`
      : twin !== undefined
        ? `that is '${twin}' here, which is set too: remove one`
        : (anchorHint(key, place, inner) ??
          connectionHint(key, properties) ??
          habitHint(key, inner) ??
          habitHint(inSnakeCase(key), inner) ??
          (inner.length === 0 && place.kind === 'task' ? ofPipeline(key) : undefined) ??
          (inner.at(-1) === 'default_args' ? ofOneTask(key) : undefined) ??
          didYouMean(key, allowed) ??
          (inner.length === 0 && place.kind !== 'file' ? belongsTo(key, place) : undefined) ??
          [`allowed: ${allowed.join(', ')}`, ...(inner.length > 0 ? [exampleHint(place, inner) ?? []].flat() : [])].join('; '));
  source.reportKey('SL201', path, `Unknown key '${key}'${placeName(place, inner)}.`, hint);
}

/** The current name of a key that an earlier release called `key`. */
function currentName(key: string, properties: Readonly<Record<string, PropertySchema>>): string | undefined {
  return Object.keys(properties).find((name) => properties[name]?.formerly === key);
}

/** `dependsOn`, `depends-on` and `Depends_On` are `depends_on` here. */
function ourSpelling(key: string, allowed: readonly string[]): string | undefined {
  return allowed.find((each) => each === inSnakeCase(key));
}

function inSnakeCase(key: string): string {
  return key
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replaceAll('-', '_')
    .toLowerCase();
}

/** Suggests the top of the file for keys that hold anchors, which start with `x-`. */
function anchorHint(key: string, { kind }: Place, inner: Path): string | undefined {
  if (ANCHOR_KEY.test(key))
    return 'keys that start with x- are only allowed at the top level of the file, where they hold anchors and are ignored';
  const isTop = kind === 'pipeline' && inner.length === 0;
  return isTop && /^(?:[._]|[xX][-_])./.test(key)
    ? `a key that only holds anchors must start with x-: x-${key.replace(/^(?:[xX][-_]|[._])/, '')}`
    : undefined;
}

/** Other systems name the key of a connection by its type, such as `gcp_conn_id`. */
function connectionHint(key: string, properties: Readonly<Record<string, PropertySchema>>): string | undefined {
  if (!/(?:^|_)conn(?:ection)?(?:_?(?:id|name))?$/i.test(key)) return undefined;
  const keys = Object.keys(properties).filter((name) => properties[name]?.connection);
  return keys.length === 0 ? undefined : `use ${keys.map((name) => `'${name}'`).join(' or ')}`;
}

/** Keys of the pipeline that have no meaning in a task. */
function ofPipeline(key: string): string | undefined {
  return PIPELINE_ONLY.has(key) ? `'${key}' is a key of the pipeline: put it at the top of the file` : undefined;
}

/** Keys of `default_args` in Airflow that belong to the pipeline or to single tasks here. */
function ofOneTask(key: string): string | undefined {
  if (PIPELINE_ONLY.has(key)) return ofPipeline(key);
  return COMMON_TASK_KEYS.has(key) || /(?:^|_)conn_id$/.test(key) ? `'${key}' belongs to each task: write it there` : undefined;
}

const PIPELINE_ONLY: ReadonlySet<string> = new Set(
  Object.keys({ ...SCHEDULE_KEYS, description: 0, tags: 0, doc_md: 0, inlets: 0, outlets: 0, triggers: 0, alerts: 0, critical: 0 }).concat(
    'on_failure',
    'on_success',
    'finally',
    'default_args',
  ),
);

/** A hint for keys of other systems. Deeper in a file the same word may have another meaning. */
function habitHint(key: string, inner: Path): string | undefined {
  const isShallow = inner.length === 0 || inner.at(-1) === 'default_args';
  if (!isShallow) return undefined;
  // dag-factory names the functions of callbacks and their files.
  const name = key.replace(/_callback_(?:name|file)$/, '_callback');
  return Object.hasOwn(FOREIGN_HABITS, name) ? FOREIGN_HABITS[name] : undefined;
}

/** Where the key would be valid: in a task, or in another task type. */
function belongsTo(key: string, { kind, type, elsewhere }: Place): string | undefined {
  if (kind === 'pipeline') return COMMON_TASK_KEYS.has(key) ? `'${key}' belongs to a task or to default_args` : undefined;
  const types = elsewhere?.(key) ?? [];
  return types.length > 0 ? `'${key}' belongs to ${types.join(', ')}, not to ${type}` : undefined;
}

/** Whether an unknown key of `data` was most likely meant to be `missing`. */
export function isMistyped(missing: string, data: unknown, allowed: readonly string[], formerly?: string): boolean {
  return Object.keys(data ?? {}).some(
    (key) =>
      !allowed.includes(key) &&
      (key === formerly || foreignKey(key, allowed) === missing || inSnakeCase(key) === missing || nearest(key, allowed) === missing),
  );
}
