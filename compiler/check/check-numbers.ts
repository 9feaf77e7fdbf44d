import { type Node, Scalar, visit, type visitor } from 'yaml';
import { Decimal } from '../../workflows/plan/values/decimal.ts';
import { isMap, isNumberText, type Json, type JsonObject } from '../../workflows/plan/values/json.ts';
import { ANCHOR_KEY } from '../read/parse.ts';
import type { Path, Source } from '../read/source.ts';

/** Whether a file may have a number with leading zeros, which parsing drops, such as 02142. Only those few files are checked further. */
const LEADING_ZERO = /(?:^|[\s:,[{-])[-+]?0\d/m;
/** A numeric key whose form differs from how JavaScript writes it. */
const NUMBER_KEY = /(?:^|[\s{,?])[-+]?(?:0\d|0[xo]|\d+\.|\.\d|\d+[eE])[\w.+-]*\s*:/m;

/**
 * Restores the text of bare parameter defaults with leading zeros: a postal code 02142 is not a number. Reports defaults that would lose
 * other details, such as the version 1.10.
 * @returns the file's value
 */
export function keepDefaults(source: Source, value: JsonObject): JsonObject {
  if (!isMap(value.params)) return value;
  const hasZeros = LEADING_ZERO.test(source.text);
  const isUsual = !hasZeros && !UNUSUAL.test(source.text);
  const params = Object.entries(value.params).map(([name, given]): [string, Json | undefined] => {
    const path = ['params', name];
    if (isMap(given)) {
      for (const key of ['default', 'enum']) checkWritten(source, given[key], [...path, key], given);
      return [name, given];
    }
    if (typeof given !== 'number' || (Number.isSafeInteger(given) && isUsual)) return [name, given];
    const text = source.textAt(path);
    if (/^[-+]?0\d+$/.test(text)) return [name, text];
    checkText(source, given, path, `{type: number, default: ${text}}`);
    return [name, given];
  });
  return { ...value, params: Object.fromEntries(params) };
}

/** Reports numbers whose text is lost in a default, in `enum` or in what a run is given, unless the schema says that numbers are meant. */
export function checkWritten(source: Source, part: Json | undefined, path: Path, schema: JsonObject): void {
  if ([schema.type].flat().some((type) => type === 'number' || type === 'integer')) return;
  const inner = (schemas: Json | undefined, key: string | number): JsonObject => {
    const own = typeof key === 'string' && isMap(schemas) ? schemas[key] : schemas;
    return isMap(own) ? own : {};
  };
  if (typeof part === 'number') {
    if (schema.type === undefined) checkText(source, part, path);
  } else if (Array.isArray(part)) {
    const items = path.at(-1) === 'enum' ? schema : inner(schema.items, 0);
    for (const [index, each] of (part as readonly Json[]).entries()) checkWritten(source, each, [...path, index], items);
  } else if (isMap(part)) {
    for (const [key, each] of Object.entries(part)) checkWritten(source, each, [...path, key], inner(schema.properties, key));
  }
}

/** Reports a number that is not written as JavaScript writes it, such as the version 1.10. @param asNumber how to write it as a number */
function checkText(source: Source, given: number, path: Path, asNumber = String(given)): void {
  const text = source.textAt(path);
  if (text === String(given) || isTooLong(text, given) || /^[-+]?0\d+$/.test(text)) return;
  source.report(
    'SL210',
    path,
    `\`${text}\` is read as the number ${given}; the original text is lost.`,
    `as text it is "${text}"; as a number it is ${asNumber}`,
  );
}

/** Whether a file may have an integer in an unusual form: 1.0, 1e3, 0x1F, +5. */
const UNUSUAL = /\d\.(?:0|(?!\d))|\d[eE][-+\d]|0[xo]|\+\d/;

/** Reports numbers that changed when they were parsed, because the YAML parser uses JavaScript numbers. */
export function checkNumbers(source: Source, value: JsonObject): void {
  const hasZeros = LEADING_ZERO.test(source.text);
  const check = (part: Json | undefined, path: Path): void => {
    if (typeof part === 'number') checkNumber(source, part, path, hasZeros);
    else if (Array.isArray(part)) for (const [index, each] of (part as readonly Json[]).entries()) check(each, [...path, index]);
    else if (isMap(part))
      for (const [key, each] of Object.entries(part)) if (typeof each === 'object' || typeof each === 'number') check(each, [...path, key]);
  };
  check(value, []);
  if (NUMBER_KEY.test(source.text)) checkKeys(source);
}

function checkNumber(source: Source, value: number, path: Path, hasZeros: boolean): void {
  const isWhole = Number.isSafeInteger(value);
  // Items are often versions or codes, which tasks read as text.
  if (path.some((step, index) => step === 'over' && path[index - 1] === 'expand')) checkText(source, value, path);
  if ((isWhole && !hasZeros) || source.isReported(path)) return;
  const text = source.textAt(path);
  if (isWhole) {
    if (!/^[-+]?0\d+$/.test(text)) return;
    source.report('SL210', path, `\`${text}\` is read as the number ${value}: its zeros are lost.`, `put it in quotes: "${text}"`);
  } else if (/^[-+]?\d+$/.test(text)) {
    source.report(
      'SL210',
      path,
      'This whole number is too large to be stored exactly.',
      'put it in quotes; in expressions, int(…) converts it to a number',
    );
  } else if (isTooLong(text, value)) {
    source.report(
      'SL210',
      path,
      `This number cannot be stored exactly: it would become ${value}.`,
      'put it in quotes; SQL converts the text to a number',
    );
  }
}

/** Reports numeric keys, because keys are text: `switch` compares its cases as text. Anchored values count where an alias uses them. */
function checkKeys(source: Source): void {
  const seen = new Set<Node>();
  const visitor: visitor = {
    Pair(_, { key }, path) {
      if (!(key instanceof Scalar)) return undefined;
      if (path.length === 2 && typeof key.value === 'string' && ANCHOR_KEY.test(key.value)) return visit.SKIP;
      if (typeof key.value !== 'number' || !key.range) return undefined;
      const text = source.text.slice(key.range[0], key.range[1]);
      if (text !== String(key.value))
        source.reportAt('SL210', key.range[0], text.length, `The key \`${text}\` is read as ${key.value}.`, `put it in quotes: "${text}"`);
      return undefined;
    },
    Alias(_, alias) {
      const target = alias.resolve(source.document);
      if (!target || seen.has(target)) return;
      seen.add(target);
      visit(target, visitor);
    },
  };
  visit(source.document, visitor);
}

/** Whether no double represents the written value. */
function isTooLong(text: string, value: number): boolean {
  // YAML allows numbers that JSON does not, such as .5, 0x1F or .inf. None of them needs more digits than a double has.
  return isNumberText(text) && !(Number.isFinite(value) && Decimal.of(text).compare(Decimal.of(value)) === 0);
}
