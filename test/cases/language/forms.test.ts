import assert from 'node:assert/strict';
import { Ajv } from 'ajv';
import { describe, it } from 'mocha';
import { parse, stringify } from 'yaml';
import { CATALOG } from '../../../activities/catalog.ts';
import type { Diagnostic } from '../../../compiler/mistakes/diagnostic.ts';
import { COMMON_TASK_KEYS } from '../../../compiler/schema/task-keys.ts';
import { TRIGGERS } from '../../../sensors/catalog.ts';
import { TEXT_FORMATS } from '../../../workflows/plan/values/text-formats.ts';
import { compiler } from '../../support/compiler.ts';
import { IS_QUICK } from '../../support/random-cases.ts';

type Schema = Readonly<Record<string, unknown>>;
type Path = readonly (string | number)[];

const { schema } = compiler;
const definitions = schema.definitions as Readonly<Record<string, Schema>>;
const ajv = new Ajv({ strict: false, formats: TEXT_FORMATS });
ajv.addSchema(schema, 'pipeline');

/** A short run tries every fourth key. */
const QUICK_SHARE = 4;

/** Values of every kind; what a key takes is left out of those that are tried at it. */
const VALUES: readonly unknown[] = ['some words', 5, [1, ['x']], { some_key: 1 }, null, true];

/** Words that only a validator of JSON Schema uses. */
const VALIDATOR_WORDS =
  /\b(NOT|array|object|integer|boolean|anyOf|oneOf|allOf|schema|items|properties|property|fewer|keyword|undefined|should|pattern|must (?:match|pass|be [<>=]))\b|\[object|\\d|\^\[/;

function resolved(part: unknown): Schema {
  const given = part as Schema;
  return typeof given.$ref === 'string' ? { ...resolved(definitions[given.$ref.replace('#/definitions/', '')]), ...given } : given;
}

/** A file with `value` at `path`. */
function put(file: unknown, path: Path, value: unknown): unknown {
  const [step, ...rest] = path;
  if (step === undefined) return value;
  if (typeof step === 'number') {
    const list = Array.isArray(file) ? [...(file as unknown[])] : [];
    list[step] = put(list[step], rest, value);
    return list;
  }
  const map = typeof file === 'object' && file !== null && !Array.isArray(file) ? file : {};
  return { ...map, [step]: put((map as Record<string, unknown>)[step], rest, value) };
}

/** Whether a value fits a schema of the file. */
const validators = new Map<unknown, ReturnType<Ajv['compile']>>();
function isFit(part: Schema, value: unknown): boolean {
  let check = validators.get(part);
  if (!check) {
    const text = JSON.stringify(part).replaceAll('"#/definitions/', '"pipeline#/definitions/');
    validators.set(part, (check = ajv.compile(JSON.parse(text) as Schema)));
  }
  return check(value) === true;
}

const DEEPEST = 5;

interface Key {
  /** Of the value in the file. */
  readonly path: Path;
  readonly schema: Schema;
  /** A file in which everything but this key is right. */
  readonly file: unknown;
}

/** Every key below one, where its own example has room for it. */
function keysBelow(file: unknown, path: Path, part: Schema): Key[] {
  // The schema of schemas holds itself.
  if (path.length > DEEPEST) return [];
  const { properties, items, anyOf } = part;
  const inner: Key[] = [];
  for (const branch of Array.isArray(anyOf) ? (anyOf as Schema[]) : []) inner.push(...keysBelow(file, path, resolved(branch)));
  for (const [name, given] of Object.entries((properties as Record<string, Schema> | undefined) ?? {})) {
    const key = resolved(given);
    if (key.const !== undefined) continue;
    const at = [...path, name];
    inner.push({ path: at, schema: key, file });
    const [example] = (key.examples as unknown[] | undefined) ?? [];
    if (typeof example === 'object' && !isTaskList(given)) inner.push(...keysBelow(put(file, at, example), at, key));
  }
  if (items !== undefined && !('oneOf' in resolved(items))) {
    const at = [...path, 0];
    const item = resolved(items);
    const [example] = (item.examples as unknown[] | undefined) ?? [];
    inner.push({ path: at, schema: item, file });
    inner.push(...keysBelow(example === undefined ? file : put(file, path, [example]), at, item));
  }
  return inner;
}

/** Tasks in lists are tried as tasks. */
function isTaskList(given: Schema): boolean {
  return JSON.stringify(given).includes('#/definitions/task"');
}

/** Keys of the file whose inner keys are tried in tasks and triggers. */
const DEEPER: ReadonlySet<unknown> = new Set(['triggers', 'default_args', 'sla']);

const BASE = { dag_id: 'x', tasks: [{ name: 'a', type: 'empty' }] };

const PLACES: readonly (readonly [title: string, keys: () => Key[]])[] = [
  ['the file', () => keysBelow(BASE, [], { properties: schema.properties }).filter(({ path }) => path.length < 2 || !DEEPER.has(path[0]))],
  ...CATALOG.map(({ type, example }): [string, () => Key[]] => [
    `a ${type} task`,
    () =>
      keysBelow({ dag_id: 'x', tasks: [example] }, ['tasks', 0], definitions[`task_${type}`] ?? {}).filter(
        ({ path }) => type === 'empty' || !COMMON_TASK_KEYS.has(String(path[2])),
      ),
  ]),
  ...TRIGGERS.map(({ type, example }): [string, () => Key[]] => [
    `a ${type} trigger`,
    () => keysBelow({ ...BASE, triggers: [example] }, ['triggers', 0], definitions[`trigger_${type}`] ?? {}),
  ]),
];

function compile(file: unknown): readonly Diagnostic[] {
  return compiler.compile({ file: 'x.yaml', text: stringify(file, { aliasDuplicateObjects: false }) }).diagnostics;
}

/** What must hold of the message about `value` at a key; a sentence for what does not. */
function faultsOf({ path, schema: part, file }: Key, value: unknown): string[] {
  const told = compile(put(file, path, value)).filter(({ code }) => /^SL(20[1-9]|50)/.test(code));
  const shown = `${path.join('.')}: ${JSON.stringify(value)}`;
  if (told.length === 0) return [`${shown} is taken`];
  const text = told.map(({ message, hint }) => `${message} | ${hint ?? ''}`).join('\n');
  const faults: string[] = [];
  const bare = text.replace(/`[^`]*`|'[^']*'|allowed: .*/g, '');
  if (VALIDATOR_WORDS.test(bare)) faults.push(`${shown} is told in words of a validator: ${text}`);
  const examples = [...text.matchAll(/for example ((?:`[^`]+`(?: or )?)+)/g)].flatMap(([, each = '']) =>
    [...each.matchAll(/`([^`]+)`/g)].map(([, one = '']) => one),
  );
  const types = [part.type ?? []].flat();
  const isTop = told.some(({ code, message }) => code === 'SL203' && message.startsWith(`'${String(path.at(-1))}' must be`));
  if ((types.includes('array') || types.includes('object')) && isTop && examples.length === 0 && !/write (it as )?a list: [`[]/.test(text))
    faults.push(`${shown} shows no example: ${text}`);
  for (const example of examples) {
    const given = parse(example) as unknown;
    const [[name, inner] = []] = Object.entries(typeof given === 'object' && given !== null ? given : {});
    const at = path.findLastIndex((step) => step === name);
    if (at < 0) continue; // of a key that is missing
    const again = compile(put(file, path.slice(0, at + 1), inner)).filter(({ code }) => /^SL20[1-7]/.test(code));
    if (again.length > 0)
      faults.push(`${shown} shows an example that is wrong, \`${example}\`: ${again.map(({ message }) => message).join(' ')}`);
  }
  return faults;
}

describe('a value of the wrong kind is reported in plain words, with a form that is right', () => {
  for (const [place, keys] of PLACES) {
    it(`at each key of ${place}`, function () {
      this.timeout('60s');
      const faults = new Set<string>();
      let tried = 0;
      for (const [index, key] of keys().entries()) {
        if (IS_QUICK && index % QUICK_SHARE !== 0) continue;
        const wrong = VALUES.filter((value) => !isFit(key.schema, value));
        // A short run tries one value at a key: all of them, in turn.
        for (const value of IS_QUICK ? wrong.slice((index / QUICK_SHARE) % wrong.length).slice(0, 1) : wrong) {
          tried++;
          for (const fault of faultsOf(key, value)) faults.add(fault);
        }
      }
      assert.ok(tried > 0, 'no key was tried');
      assert.equal([...faults].join('\n'), '');
    });
  }
});
