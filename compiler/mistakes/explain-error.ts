import type { ErrorObject } from 'ajv';
import { DURATION_HELP, parseDuration } from '../../workflows/plan/values/duration.ts';
import { schemaTypeInWords } from '../../workflows/plan/values/schema-type-words.ts';
import { isMap, type Json } from '../../workflows/plan/values/json.ts';
import { parseDay } from '../../workflows/plan/timetable/moment.ts';
import { didYouMean, nearest } from './diagnostic.ts';
import { FOREIGN_HABITS, FOREIGN_VALUES } from './foreign-habits.ts';
import { foreignKey } from './foreign-keys.ts';
import { ANCHOR_KEY } from '../read/parse.ts';
import type { JsonSchema } from '../schema/json-schema.ts';
import { flowText } from '../schema/shown-example.ts';
import { COMMON_TASK_KEYS } from '../schema/task-keys.ts';
import type { Path, Source } from '../read/source.ts';

/** What was checked: a whole file, or one task or trigger in it. */
export interface Place {
  readonly kind: 'pipeline' | 'task' | 'trigger';
  readonly path: Path;
  /** The task type or the kind of trigger. */
  readonly type?: string;
  /** Task types that have a key which this one does not. */
  elsewhere?(key: string): readonly string[];
  /** Examples of the key at a path below this place, as YAML. */
  examples(inner: Path): readonly string[];
}

/** Reports what ajv refused, in the analyst's words. */
export function explainError(source: Source, error: ErrorObject, place: Place): void {
  const inner = pathOf(error.instancePath);
  const path = [...place.path, ...inner];
  const where = `'${nameOf(inner) ?? place.kind}'`;
  const params = error.params as Record<string, unknown>;
  const given = showValue(error.data);
  switch (error.keyword) {
    case 'additionalProperties':
      return unknownKey(source, [...path, String(params.additionalProperty)], error, place, inner);
    case 'propertyNames':
      return source.reportKey(
        'SL205',
        [...path, String(params.propertyName)],
        `'${String(params.propertyName)}' is not a name that can be used here.`,
        'small letters, digits and _, beginning with a letter',
      );
    case 'required': {
      const missing = String(params.missingProperty);
      if (source.isReported([...path, missing])) return;
      const { formerly } = propertiesOf(error)[missing] ?? {};
      if (isMistyped(missing, error.data, Object.keys(propertiesOf(error)), formerly)) return; // reported where the wrong word stands
      if (formerly !== undefined && isMap(error.data) && formerly in error.data) {
        const old = error.data[formerly];
        const value = typeof old === 'object' ? JSON.stringify(old) : source.textAt([...path, formerly]);
        return source.reportKey(
          'SL202',
          [...path, formerly],
          `'${missing}' is missing in this ${place.kind}; '${formerly}' is a key that every ${place.kind} has, and means something else.`,
          `write \`${missing}: ${value}\` instead of \`${formerly}: ${value}\``,
        );
      }
      const inThis = inner.length === 0 && place.kind !== 'pipeline' ? ` in this ${place.kind}` : '';
      return source.reportInside('SL202', path, `'${missing}' is missing${inThis}.`, exampleOf(error, missing));
    }
    case 'type':
      return source.report(
        'SL203',
        path,
        `${where} must be ${schemaTypeInWords(params.type as string | readonly string[])}, not ${typeof error.data === 'number' ? `'${source.textAt(path)}'` : given}.`,
        unitHint(error, inner.at(-1)) ??
          typeHint(error, params.type, source.textAt(path)) ??
          // A value of its own is plain from its type; another one would only be changed data.
          ([params.type].flat().some((type) => type === 'array' || type === 'object') ? exampleHint(place, inner) : undefined),
      );
    case 'enum':
      return notAllowed(source, path, where, error, params.allowedValues as readonly unknown[]);
    case 'anyOf': {
      // A closed set of values, as TypeBox writes it.
      const allowed = (error.schema as readonly { const?: unknown }[]).map((branch) => branch.const);
      if (!allowed.includes(undefined)) return notAllowed(source, path, where, error, allowed);
      if (source.isReported(path)) return; // a branch has said what is wrong
      return source.report('SL203', path, `${where} must be ${formsInWords(error.schema)}, not ${given}.`, exampleHint(place, inner));
    }
    case 'pattern':
    case 'format':
      return source.report('SL205', path, `${where} is ${given}${formOf(error)}.`, unitHint(error, inner.at(-1)));
    case 'minimum':
    case 'maximum':
    case 'exclusiveMinimum':
    case 'exclusiveMaximum':
    case 'minLength':
    case 'maxLength':
    case 'minItems':
    case 'maxItems':
    case 'minProperties':
    case 'uniqueItems':
      return source.report('SL206', path, `${where} must ${LIMITS[error.keyword](Number(params.limit))}; given: ${given}.`);
    default:
      // `oneOf` and the like only repeat what the branch itself has reported.
      if (!['oneOf', 'allOf', 'if', 'const', 'discriminator'].includes(error.keyword)) {
        source.report('SL205', path, `${where} is ${given}, which is not of a form that is allowed here.`, exampleHint(place, inner));
      }
  }
}

function notAllowed(source: Source, path: Path, where: string, error: ErrorObject, allowed: readonly unknown[]): void {
  const foreign = FOREIGN_VALUES[String(path.at(-1))]?.[String(error.data)];
  const hint = foreign === undefined ? didYouMean(String(error.data), allowed.map(String)) : `the word here is '${foreign}'`;
  source.report('SL204', path, `${where} is ${showValue(error.data)}; allowed: ${allowed.join(', ')}.`, hint);
}

function unknownKey(source: Source, path: Path, error: ErrorObject, place: Place, inner: Path): void {
  const key = String(path.at(-1));
  const properties = propertiesOf(error);
  const allowed = Object.keys(properties);
  const ours = currentName(key, properties) ?? foreignKey(key, allowed);
  const hint =
    ours !== undefined
      ? `the word here is '${ours}'`
      : (anchorHint(key, place, inner) ??
        connectionHint(key, properties) ??
        habitHint(key, inner) ??
        didYouMean(key, allowed) ??
        (inner.length === 0 ? belongsTo(key, place) : undefined) ??
        [`allowed: ${allowed.join(', ')}`, ...(inner.length > 0 ? [exampleHint(place, inner) ?? []].flat() : [])].join('; '));
  source.reportKey('SL201', path, `Unknown key '${key}'${placeName(place, inner)}.`, hint);
}

/** What a key is called that an earlier release called `key`. */
function currentName(key: string, properties: Readonly<Record<string, PropertySchema>>): string | undefined {
  return Object.keys(properties).find((name) => properties[name]?.formerly === key);
}

/** Keys that hold anchors stand at the top of a file, and begin with `x-`. */
function anchorHint(key: string, { kind }: Place, inner: Path): string | undefined {
  if (ANCHOR_KEY.test(key)) return 'keys that begin with x- stand at the top of the file; there they are ignored, and hold anchors';
  const isTop = kind === 'pipeline' && inner.length === 0;
  return isTop && /^(?:[._]|[xX][-_])./.test(key)
    ? `a key that only holds anchors begins with x-: x-${key.replace(/^(?:[xX][-_]|[._])/, '')}`
    : undefined;
}

/** Other systems name a connection by its kind, such as `gcp_conn_id`. */
function connectionHint(key: string, properties: Readonly<Record<string, PropertySchema>>): string | undefined {
  if (!/(?:^|_)conn(?:ection)?(?:_?(?:id|name))?$/i.test(key)) return undefined;
  const keys = Object.keys(properties).filter((name) => properties[name]?.connection);
  return keys.length === 0 ? undefined : `the word here is ${keys.map((name) => `'${name}'`).join(' or ')}`;
}

/** What to do where other systems have a key. Deeper in a file a word has meanings of its own. */
function habitHint(key: string, inner: Path): string | undefined {
  const isShallow = inner.length === 0 || inner.at(-1) === 'default_args';
  return isShallow && Object.hasOwn(FOREIGN_HABITS, key) ? FOREIGN_HABITS[key] : undefined;
}

/** Where a key would have been right: in a task, or in another task type. */
function belongsTo(key: string, { kind, type, elsewhere }: Place): string | undefined {
  if (kind === 'pipeline') return COMMON_TASK_KEYS.has(key) ? `'${key}' belongs to a task or to default_args` : undefined;
  const types = elsewhere?.(key) ?? [];
  return types.length > 0 ? `'${key}' belongs to ${types.join(', ')}, not to ${type}` : undefined;
}

/** Whether one of the keys of `data` is not allowed and was most likely meant to be `missing`. */
export function isMistyped(missing: string, data: unknown, allowed: readonly string[], formerly?: string): boolean {
  return Object.keys(data ?? {}).some(
    (key) => !allowed.includes(key) && (key === formerly || foreignKey(key, allowed) === missing || nearest(key, allowed) === missing),
  );
}

interface PropertySchema {
  readonly examples?: readonly unknown[];
  readonly formerly?: string;
  /** Whether it names a connection. */
  readonly connection?: boolean;
}

function propertiesOf(error: ErrorObject): Record<string, PropertySchema> {
  return (error.parentSchema as { properties?: Record<string, PropertySchema> }).properties ?? {};
}

function pathOf(pointer: string): Path {
  return pointer
    .split('/')
    .slice(1)
    .map((step) => step.replace(/~1/g, '/').replace(/~0/g, '~'))
    .map((step) => (/^\d+$/.test(step) ? Number(step) : step));
}

function placeName({ kind, type }: Place, inner: Path): string {
  if (inner.length > 0) return ` in '${inner.filter((step) => typeof step === 'string').join('.')}'`;
  return kind === 'pipeline' ? '' : ` in a ${kind} of type ${type ?? '?'}`;
}

/** A value as messages show it. */
export function showValue(value: unknown): string {
  if (value === null) return 'empty';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a map';
  const text = String(value);
  return `'${text.length > 60 ? `${text.slice(0, 59)}…` : text}'`;
}

/** A number at the place of a duration, or one with spaces, as it is written here. Where Airflow has the key too, a number is seconds. */
function unitHint({ parentSchema, data }: ErrorObject, key: string | number | undefined): string | undefined {
  if ((parentSchema as { format?: string } | undefined)?.format !== 'duration') return undefined;
  const text = String(data);
  if (/^\d{1,8}$/.test(text) && Number(text) > 0) {
    return /(?:timeout|delay|poke_interval)$/.test(String(key))
      ? `write ${exactDuration(Number(text))} for ${text} seconds`
      : `add a unit: ${text}s, ${text}m, ${text}h or ${text}d`;
  }
  const joined = text.replace(/\s+/g, '');
  return joined !== text && parseDuration(joined) !== undefined ? `write ${joined}` : undefined;
}

/** Seconds in the largest units, with nothing lost: 3600 is 1h, 5400 is 1h30m. */
function exactDuration(seconds: number): string {
  const parts: readonly (readonly [number, string])[] = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor((seconds % 86_400) / 3600), 'h'],
    [Math.floor((seconds % 3600) / 60), 'm'],
    [seconds % 60, 's'],
  ];
  return parts.flatMap(([amount, unit]) => (amount > 0 ? [`${amount}${unit}`] : [])).join('');
}

/** @param text as the value stands in the file: a hint must not change it, and 007 is read as 7 */
function typeHint({ data, parentSchema }: ErrorObject, type: unknown, text: string): string | undefined {
  if (type === 'string' && (typeof data === 'number' || typeof data === 'boolean')) return `put it in quotes: "${text}"`;
  if (type === 'array' && isMap(data) && parentSchema?.title === 'Tasks')
    return 'write a list: `- name: …` for each; `sluice import` converts files of Airflow and dag-factory';
  const items = parentSchema?.items as unknown;
  if (type === 'array' && typeof data === 'string' && isMap(items) && items.type === 'string')
    return `write it as a list: [${PLAIN_WORDS.test(data) ? data : JSON.stringify(data)}]`;
  if ((type === 'integer' || type === 'number') && typeof data === 'string' && /^(?:0|[1-9]\d{0,14})$/.test(data))
    return `leave the quotes out: ${data}`;
  return undefined;
}

/** Words that stand in a list without quotes. */
const PLAIN_WORDS = /^[A-Za-z_][\w.-]*(?:, *[A-Za-z_][\w.-]*)*$/;

function exampleOf(error: ErrorObject, key: string): string | undefined {
  const example = propertiesOf(error)[key]?.examples?.[0];
  return example === undefined ? undefined : `for example \`${key}: ${flowText(example as Json)}\``;
}

/** What limits ask for, in words. */
const LIMITS = {
  minimum: (limit) => `be at least ${limit}`,
  maximum: (limit) => `be at most ${limit}`,
  exclusiveMinimum: (limit) => `be more than ${limit}`,
  exclusiveMaximum: (limit) => `be less than ${limit}`,
  minLength: (limit) => (limit === 1 ? 'not be empty' : `have at least ${limit} characters`),
  maxLength: (limit) => `have at most ${limit} characters`,
  minItems: (limit) => (limit === 1 ? 'not be empty' : `have at least ${limit} elements`),
  maxItems: (limit) => `have at most ${limit} elements`,
  minProperties: (limit) => (limit === 1 ? 'not be empty' : `have at least ${limit} keys`),
  uniqueItems: () => 'have no element twice',
} satisfies Record<string, (limit: number) => string>;

/** The key that a path ends at: `rows[0]` for an element of a list. */
function nameOf(inner: Path): string | undefined {
  const at = inner.findLastIndex((step) => typeof step === 'string');
  const indexes = inner.slice(at + 1).map((step) => `[${step}]`);
  return at < 0 ? undefined : `${inner[at] ?? ''}${indexes.join('')}`;
}

/** The kinds of values that the branches of a choice allow. */
function formsInWords(branches: unknown): string {
  const words = (branches as readonly JsonSchema[]).flatMap(({ const: only, type, $ref, anyOf }): string[] => {
    if (only !== undefined) return [`'${String(only)}'`];
    if (Array.isArray(anyOf)) return [formsInWords(anyOf)];
    return [type === undefined ? ($ref === undefined ? 'another value' : 'a map') : schemaTypeInWords(type as string | readonly string[])];
  });
  return [...new Set(words)].join(' or ');
}

function exampleHint({ examples }: Place, inner: Path): string | undefined {
  const shown = examples(inner).map((each) => `\`${each}\``);
  return shown.length === 0 ? undefined : `for example ${shown.join(' or ')}`;
}

/** Whether a text begins like a day, of those that the calendar does not have. */
function isNoDay(text: string): boolean {
  const [day] = /^\d{4}-\d{2}-\d{2}/.exec(text) ?? [];
  return day !== undefined && parseDay(day) === undefined;
}

function formOf(error: ErrorObject): string {
  const params = error.params as { format?: string; pattern?: string };
  switch (params.format) {
    case 'duration':
      return `, which is not ${DURATION_HELP}`;
    case 'time-zone':
      return ', which is not a time zone such as UTC or Europe/Berlin';
    case 'iso-date':
      return isNoDay(String(error.data))
        ? ', a day that the calendar does not have'
        : ', which is not a date such as 2024-01-31 or 2024-01-31T06:00';
    case 'uri':
      return ', which is not an address such as s3://raw-data/sales';
    case 'path':
      return ", which holds a part '.' or '..', or a control character: write the path that is meant";
    default:
  }
  const schema = error.parentSchema as { form?: string; examples?: readonly unknown[] } | undefined;
  const example = schema?.examples?.[0];
  return `; it must be ${schema?.form ?? `of the form ${params.pattern ?? params.format}`}${example === undefined ? '' : `, such as ${String(example)}`}`;
}
