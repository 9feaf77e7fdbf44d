import { parseExactJson } from '../../workflows/plan/values/exact-json.ts';
import { isMap, type Json, type JsonObject } from '../../workflows/plan/values/json.ts';
import { durationText, readDuration } from './durations.ts';
import { adaptName } from './names.ts';
import { splitCommand } from './split-command.ts';

/** The result of converting an operator argument: task keys, with the reason if they differ; or nothing, with the reason. */
export type Converted = { readonly keys: JsonObject; readonly why?: string } | { readonly lost: string };

/** Converts an argument to task keys. Expressions in the value are already translated. `dagName` maps a DAG id to a pipeline name. */
export type Convert = (value: Json, dagName: (id: string) => string) => Converted;

const isTexts = (value: Json): value is string[] => Array.isArray(value) && value.every((each) => typeof each === 'string');

export const text =
  (key: string): Convert =>
  (value) =>
    typeof value === 'string' || typeof value === 'number' ? { keys: { [key]: String(value) } } : { lost: 'is not a text' };

export const map =
  (key: string): Convert =>
  (value) =>
    isMap(value) ? { keys: { [key]: value } } : { lost: 'is not a map of names to values' };

export const texts =
  (key: string): Convert =>
  (value) =>
    Array.isArray(value) ? { keys: { [key]: value.map(String) } } : { lost: 'is not a list' };

export const wholeNumber =
  (key: string): Convert =>
  (value) =>
    Number.isSafeInteger(Number(value)) && Number(value) > 0 ? { keys: { [key]: Number(value) } } : { lost: 'is not a whole number' };

export const duration =
  (key: string): Convert =>
  (value) => {
    const ms = readDuration(value);
    return ms === undefined ? { lost: 'is not a duration' } : { keys: { [key]: durationText(ms) } };
  };

/** A duration, which may be negative. */
export const signedDuration =
  (key: string): Convert =>
  (value) => {
    const ms = typeof value === 'number' ? value * 1000 : readDuration(value);
    if (ms === undefined || ms % 1000 !== 0) return { lost: 'is not a duration in whole seconds' };
    return { keys: ms === 0 ? {} : { [key]: `${ms < 0 ? '-' : ''}${durationText(Math.abs(ms))}` } };
  };

/** One task of another pipeline. */
export const taskOfOther =
  (key: string): Convert =>
  (value) => {
    const ids = [value].flat();
    const [id] = ids;
    if (ids.length !== 1 || typeof id !== 'string' || id.includes('{{'))
      return { lost: 'names several tasks: write a task that waits for each' };
    const parts = id.split('.');
    const name = parts.map((part, index) => adaptName(part, index < parts.length - 1 ? 'group' : 'task')).join('.');
    return { keys: { [key]: name }, ...(name !== id && { why: `the task '${id}' is '${name}' here` }) };
  };

export const connection =
  (key: string): Convert =>
  (value) => {
    if (typeof value !== 'string' || value.includes('{{')) return { lost: 'is not the name of a connection' };
    const name = adaptName(value, 'connection');
    return {
      keys: { [key]: name },
      ...(name !== value && { why: `connections are named in lowercase letters: '${value}' is '${name}' here` }),
    };
  };

export const pipeline =
  (key: string): Convert =>
  (value, dagName) =>
    typeof value === 'string' && !value.includes('{{')
      ? { keys: { [key]: dagName(value) } }
      : { lost: 'must be known before a run starts: name the pipeline' };

export const statement =
  (key: string): Convert =>
  (value) => {
    const sql = isTexts(value) ? value.map((each) => each.trim().replace(/;$/, '')).join(';\n') : value;
    if (typeof sql !== 'string') return { lost: 'is not SQL text' };
    if (/^\S+\.sql\s*$/.test(sql))
      return {
        lost: `names a file: put it into the folder of pipelines, with expressions for its Jinja, and write sql_file: ${sql.trim()}`,
      };
    if (/%\(\w+\)s/.test(sql)) return { lost: 'has parameters of its driver: write expressions in their place' };
    return { keys: { [key]: sql.trim() } };
  };

export const argv: Convert = (value) => {
  if (typeof value !== 'string') return { lost: 'is not a text' };
  if (/^\S+\.(?:sh|bash)$/.test(value))
    return { lost: 'names a script that Airflow reads as a template: make a program of it, and call that' };
  const split = splitCommand(value);
  if ('shell' in split)
    return { lost: `has ${split.shell}, and Sluice runs programs without a shell: put it into a script, and call that` };
  const splits = split.words.some((word) => word.includes('{{ params.'));
  return { keys: { argv: [...split.words] }, ...(splits && { why: 'a parameter is always one argument, even if it contains spaces' }) };
};

/** A path relative to the address of a connection. */
export const path: Convert = (value) => {
  if (typeof value !== 'string') return { lost: 'is not a path' };
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(value))
    return { lost: 'is a whole address: put its host into a connection, and name that in conn_id' };
  return { keys: { path: value.startsWith('/') ? value : `/${value}` } };
};

/** An object in S3, whose name may have the wildcard `*`. */
export const objectKey: Convert = (value) => {
  if (typeof value !== 'string') return { lost: 'is not a single key' };
  if (/[[?]/.test(value.replace(/\{\{.*?\}\}/g, ''))) return { lost: 'has other wildcards than *' };
  const uri = /^s3:\/\/([^/]+)\/(.+)$/.exec(value);
  return { keys: uri ? { bucket: uri[1] ?? '', key: uri[2] ?? '' } : { key: value.replace(/^\/+/, '') } };
};

export const prefix: Convert = (value) =>
  typeof value === 'string' && value !== ''
    ? { keys: { s3_key: value.replace(/^\/+/, '') }, why: 'here it is a prefix: files and their manifest lie below it' }
    : { lost: 'is not a key' };

export const number =
  (key: string): Convert =>
  (value) => {
    const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
    return typeof number === 'number' && Number.isFinite(number) ? { keys: { [key]: number } } : { lost: 'is not a number' };
  };

/** Compares values that look like numbers as numbers, like Airflow. */
export const numberOrText =
  (key: string): Convert =>
  (value, dagName) =>
    typeof value === 'string' && Number.isNaN(Number(value || 'none')) ? { keys: { [key]: value } } : number(key)(value, dagName);

/** A percentage, such as `10%`. */
export const percent =
  (key: string): Convert =>
  (value) =>
    typeof value === 'number' ? { keys: { [key]: `${Number((value * 100).toPrecision(12))}%` } } : { lost: 'is not a number' };

/** A map whose values are text. */
export const textMap =
  (key: string): Convert =>
  (value) =>
    isMap(value)
      ? { keys: { [key]: Object.fromEntries(Object.entries(value).map(([name, each]) => [name, String(each)])) } }
      : { lost: 'is not a map of names to values' };

export const truth =
  (key: string): Convert =>
  (value) =>
    typeof value === 'boolean' ? { keys: { [key]: value } } : { lost: 'is neither true nor false' };

/** The body of a request. */
export const jsonBody: Convert = (value) => {
  const read = readJson(value);
  return 'lost' in read ? read : { keys: { body: read.json }, ...(isMap(value) && { why: 'it is sent as JSON' }) };
};

/** A message that is written as JSON. */
export const jsonMessage =
  (key: string): Convert =>
  (value) => {
    if (Array.isArray(value)) return { lost: 'is a list of messages: write a task for each' };
    const read = readJson(value);
    return 'lost' in read ? read : { keys: { [key]: read.json } };
  };

/** The value of a JSON text; other values are kept. */
function readJson(value: Json): { readonly json: Json } | { readonly lost: string } {
  if (typeof value !== 'string') return { json: value };
  try {
    const json = JSON.parse(value) as Json;
    if (JSON.stringify(parseExactJson(value)) === JSON.stringify(json)) return { json };
    return { lost: 'has a number with more digits than are kept here' };
  } catch {
    return { lost: 'is not JSON' };
  }
}

/** Options of Redshift's COPY. File format options are dropped: the dataset defines the format. */
export const copyOptions: Convert = (value) => {
  const options = [value].flat().map((each) => String(each).trim());
  const own = options.filter(
    (each) => !/^(?:FORMAT|CSV|GZIP|ZSTD|BZIP2|LZOP|PARQUET|JSON|AVRO|ORC|DELIMITER|IGNOREHEADER|QUOTE|ENCODING)\b/i.test(each),
  );
  const why = 'the dataset defines the file format';
  return {
    keys: own.length > 0 ? { copy_options: own.map((each) => each.toUpperCase()) } : {},
    ...(own.length < options.length && { why }),
  };
};
