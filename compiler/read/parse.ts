import { Composer, type Document, visit, type YAMLError, YAMLMap } from 'yaml';
import type { JsonObject } from '../../workflows/plan/values/json.ts';
import { expandedExcess, readTokens } from './check-size.ts';
import type { Code } from '../mistakes/codes.ts';
import { type AliasMistake, mergeKeys, readAliases, unknownAliases } from './merge-keys.ts';
import { type Source, YAML_OPTIONS } from './source.ts';
import { errorText } from '../../workflows/plan/values/error-text.ts';

/** Maximum size of a file: bytes on disk, characters in memory. */
export const MAX_BYTES = 1024 * 1024;
/** Limit of the YAML parser: uses of an anchor, times the aliases in it. */
const MAX_ALIASES = 100;

/** What a kind of file contains, for messages. */
export interface FileKind {
  /** The keys that it begins with, for example. */
  readonly start: string;
  readonly empty: string;
}

const PIPELINE: FileKind = { start: 'start with `dag_id: …`', empty: 'a pipeline has at least dag_id, schedule_interval and tasks' };

/**
 * Parses YAML 1.2, and stores positions in `source`.
 * @param kind default: a pipeline
 * @returns the file's value without keys that only hold anchors, or undefined if it is not one valid map; mistakes are in
 *   `source.diagnostics`
 */
export function parse(source: Source, kind: FileKind = PIPELINE): JsonObject | undefined {
  const { text } = source;
  if (text.length > MAX_BYTES) {
    source.reportAt(
      'SL103',
      0,
      1,
      `The file has ${text.length.toLocaleString('en')} characters; a pipeline may have at most ${MAX_BYTES.toLocaleString('en')}.`,
      'keep data out of pipelines: put it into a table or S3',
    );
    return undefined;
  }
  const unclear = findUnclearBreak(text);
  if (unclear) {
    source.reportAt('SL107', unclear.offset, 1, `This is ${unclear.what}: only some programs treat it as a line end.`, unclear.hint);
    return undefined;
  }
  const tokens = readTokens(text);
  if ('offset' in tokens) {
    source.reportAt('SL104', tokens.offset, 1, tokens.message, 'keep data out of pipelines: put it into a table or S3');
    return undefined;
  }
  const [document, second] = new Composer(YAML_OPTIONS).compose(tokens);
  if (!document) {
    source.reportAt('SL105', 0, 1, 'The file is empty.', kind.empty);
    return undefined;
  }
  source.document = document;
  for (const error of document.errors) if (error.code === 'DUPLICATE_KEY') reportYaml(source, document, error);
  const isBroken = reportBreaks(source, document);
  warnOfComments(source);
  if (isBroken || document.errors.length > 0) return undefined;
  if (second) {
    source.reportAt('SL105', second.range[0], 3, 'The file contains more than one document.', 'put each pipeline into a separate file');
    return undefined;
  }
  if (!(document.value instanceof YAMLMap)) {
    source.report('SL105', [], 'The file is not a map of keys.', kind.start);
    return undefined;
  }
  const mistakes = mergeKeys(document, text);
  if (mistakes.length > 0) return reportAliases(source, mistakes);
  const value = expand(source, document);
  return value && withoutAnchorKeys(value);
}

/** Whether a top-level key only holds anchors, as in Docker Compose. */
export const ANCHOR_KEY = /^x-/;

function withoutAnchorKeys(value: JsonObject): JsonObject {
  const keys = Object.keys(value);
  if (!keys.some((key) => ANCHOR_KEY.test(key))) return value;
  return Object.fromEntries(Object.entries(value).filter(([key]) => !ANCHOR_KEY.test(key)));
}

function reportAliases(source: Source, mistakes: readonly AliasMistake[]): undefined {
  for (const { code, node, message, hint } of mistakes) {
    const [from, to] = node.range ?? [0, 1];
    source.reportAt(code, from, code === 'SL104' ? 1 : to - from, message, hint);
  }
}

/** The value of a document; undefined after reporting that its aliases are invalid or expand too much. */
function expand(source: Source, document: Document): JsonObject | undefined {
  let value: unknown;
  let excess: string | undefined;
  try {
    value = document.toJS({ maxAliasCount: MAX_ALIASES });
    excess = expandedExcess(value);
  } catch (error) {
    const mistakes = unknownAliases(readAliases(document));
    if (mistakes.length > 0) return reportAliases(source, mistakes);
    excess = `The file's aliases cannot be expanded: ${errorText(error)}.`;
  }
  if (excess === undefined) return value as JsonObject;
  const offset = offsetOfAlias(document);
  source.reportAt('SL104', offset, 1, excess, 'write the value instead of the alias');
  return undefined;
}

/** The offset of an alias inside its own target, or else of the first alias. */
function offsetOfAlias(document: Document): number {
  let first: number | undefined;
  let inside: number | undefined;
  visit(document, {
    Alias(_key, alias, ancestors) {
      const at = alias.range?.[0];
      first ??= at;
      const isInside = ancestors.some((ancestor) => 'anchor' in ancestor && ancestor.anchor === alias.source);
      if (isInside) inside ??= at;
    },
  });
  return inside ?? first ?? 0;
}

/**
 * Reports all syntax errors. After an error the parser guesses, and most of its further errors follow from the first. So this replaces the
 * broken value by a word, and parses again.
 * @returns whether there are any
 */
function reportBreaks(source: Source, document: Document): boolean {
  let text = source.text;
  let current: Document | undefined = document;
  let last = -1;
  for (let found = 0; found < MAX_BREAKS; found++) {
    const [error] = (current?.errors ?? []).filter(({ code }) => code !== 'DUPLICATE_KEY').sort((a, b) => a.pos[0] - b.pos[0]);
    const braces = current && unquotedBraces(text, current, error);
    if (!current || (!error && braces === undefined)) return found > 0;
    const at = braces ?? error?.pos[0] ?? 0;
    // An error at the same position again is not a new error.
    if (at <= last) return true;
    last = at;
    const value = valueAt(text, at) ?? flowValueAt(text, at);
    const line = value ?? flowLineAt(text, at);
    if (braces !== undefined) {
      source.reportAt('SL106', braces, 2, 'An expression needs quotes here.', 'put quotes around the whole value: "{{ … }}"');
    } else if (error) reportYaml(source, current, error, value && error.code !== 'BAD_INDENT' ? quoted(value.written) : undefined);
    if (!line) return true;
    text = text.slice(0, line.start) + 'x'.repeat(line.written.length) + text.slice(line.start + line.written.length);
    const tokens = readTokens(text);
    current = 'offset' in tokens ? undefined : new Composer(YAML_OPTIONS).compose(tokens)[0];
  }
  return true;
}

/** Warns of messages that a comment cuts short: `message: We are #1`. */
function warnOfComments(source: Source): void {
  for (const { index, 1: before = '', 2: rest = '' } of source.text.matchAll(MESSAGE_WITH_COMMENT)) {
    const value = source.text.slice(source.text.indexOf(':', index) + 1, index + before.length + rest.length).trim();
    source.reportAt('SL111', index + before.length, rest.length, 'The text ends here: what follows is a comment.', quoted(value));
  }
}

const MESSAGE_WITH_COMMENT = /^([ \t]*(?:- +)*(?:message|prompt) *: +(?!["'|>#])[^\n#]*[^\n# \t])([ \t]+#[^\n\r]*)/gm;

/** Maximum syntax errors to search for in one file. */
const MAX_BREAKS = 20;

/** The plain value on the line of `at`, if a key precedes it; otherwise undefined. */
function valueAt(text: string, at: number): { readonly start: number; readonly written: string } | undefined {
  const line = text.lastIndexOf('\n', at - 1) + 1;
  const end = text.indexOf('\n', at);
  const match = /^([ \t]*(?:- +)*[\w.-]+ *: +)(?!["'|>])(\S.*?)[ \t\r]*$/.exec(text.slice(line, end < 0 ? undefined : end));
  const [, before = '', written = ''] = match ?? [];
  // Skip values that are already replaced, and values that continue on the next line: quotes would not fix those.
  if (written === '' || /^x+$/.test(written) || isOpen(written)) return undefined;
  return { start: line + before.length, written };
}

interface Written {
  readonly start: number;
  readonly written: string;
}

/** The line that contains `at`, from its first non-blank character. */
function lineAt(text: string, at: number): Written {
  const line = text.lastIndexOf('\n', at - 1) + 1;
  const end = text.indexOf('\n', at);
  const [, before = '', written = ''] = /^([ \t]*(?:- +)*)(.*?)[ \t\r]*$/.exec(text.slice(line, end < 0 ? undefined : end)) ?? [];
  return { start: line + before.length, written };
}

/** The plain value around `at` in a one-line map: `{name: a, message: Report: all good}`. */
function flowValueAt(text: string, at: number): Written | undefined {
  const { start, written } = lineAt(text, at);
  if (!/[[{]/.test(written)) return undefined;
  for (const { index, 1: before = '', 2: value = '' } of written.matchAll(/([{,[] *[\w.-]+ *: +)(?!["'|>[{])([^,{}[\]]*[^,{}[\]\s])/g)) {
    const from = start + index + before.length;
    if (from <= at && at <= from + value.length && !/^x+$/.test(value)) return { start: from, written: value };
  }
  return undefined;
}

/** A list or map that fills the line of `at`. It is replaced as a whole, without searching for the broken part. */
function flowLineAt(text: string, at: number): Written | undefined {
  const line = lineAt(text, at);
  return /^[[{].*[\]}]$/.test(line.written) ? line : undefined;
}

/** Whether a list or map starts here but does not end on this line. */
function isOpen(written: string): boolean {
  return /^[[{](?!\{)/.test(written) && !/[\]}]$/.test(written);
}

function quoted(written: string): string {
  const quote = written.includes('"') ? "'" : '"';
  return written.includes(quote) || written.includes('\\') ? 'put the value in quotes' : `put it in quotes: ${quote}${written}${quote}`;
}

/**
 * Finds `{{` without quotes: YAML reads it as a map whose key is a map, or fails on what follows.
 * @returns the offset of the first, or undefined
 */
function unquotedBraces(text: string, document: Document, broken: YAMLError | undefined): number | undefined {
  if (!UNQUOTED.test(text)) return undefined;
  let found: number | undefined;
  visit(document, {
    Pair(_key, { key }) {
      if (!(key instanceof YAMLMap) || !key.range) return undefined;
      const outer = text.lastIndexOf('{', Math.max(0, key.range[0] - 1));
      found = text.slice(outer, key.range[0]).trim() === '{' ? outer : key.range[0];
      return visit.BREAK;
    },
  });
  if (!broken || (found !== undefined && found < broken.pos[0])) return found;
  const line = text.lastIndexOf('\n', broken.pos[0] - 1) + 1;
  const at = /(?:^|[:\-[,]\s+|\s)\{\{/.exec(text.slice(line, text.indexOf('\n', line) + 1 || undefined));
  return at ? line + at.index + at[0].length - 2 : undefined;
}

/** Braces without a quote before them. Some of these are inside quoted text nevertheless. */
const UNQUOTED = /(?:^|[\s{[:,\-?])\{\{/;

/** Where an unclosed quoted text starts. The parser reports the end of the file instead. */
function openingQuote(document: Document, error: YAMLError): number | undefined {
  if (error.code !== 'MISSING_CHAR') return undefined;
  let start: number | undefined;
  visit(document, {
    Scalar(_key, { type, range }) {
      if ((type === 'QUOTE_DOUBLE' || type === 'QUOTE_SINGLE') && range && range[2] >= error.pos[0]) start = range[0];
    },
  });
  return start;
}

function reportYaml(source: Source, document: Document, error: YAMLError, quotes?: string): void {
  const quote = openingQuote(document, error);
  if (quote !== undefined) return source.reportAt('SL100', quote, 1, 'This quote is never closed.', 'close it with the same quote');
  const [code, message, hint] = explain(error, source.text);
  source.reportAt(code, error.pos[0], error.pos[1] - error.pos[0], message, hint ?? quotes);
}

function explain(error: YAMLError, text: string): [Code, string, string?] {
  switch (error.code) {
    case 'DUPLICATE_KEY':
      if (text.startsWith('<<', error.pos[0])) return ['SL101', 'This map has two merge keys.', 'write one, with a list: `<<: [*a, *b]`'];
      return ['SL101', 'This key is repeated in the same map.', 'remove or rename one of them'];
    case 'TAB_AS_INDENT':
      return ['SL102', 'A tab is used for indentation.', 'use spaces, two per level'];
    case 'BAD_INDENT':
      return /^Flow /.test(error.message)
        ? ['SL100', `${error.message}.`, 'write a map or list in brackets on one line, or indent its further lines more than its first']
        : ['SL100', `${error.message}.`];
    default:
      return ['SL100', `${error.message}.`.replace(/\.\.$/, '.')];
  }
}

/**
 * Finds the first character that only some programs treat as a line end. It is invisible, and text after it must not be read differently
 * from how it is displayed. (yaml 3.0.0-2 is affected itself: its lexer never gets past such a character between documents.)
 */
export function findUnclearBreak(text: string): { readonly offset: number; readonly what: string; readonly hint: string } | undefined {
  const found = /\r(?!\n)|[\u2028\u2029]/.exec(text);
  if (!found) return undefined;
  const [character] = found;
  return character === '\r'
    ? { offset: found.index, what: 'a carriage return alone', hint: 'save the file with line feeds (LF)' }
    : {
        offset: found.index,
        what: character === '\u2028' ? 'a line separator (U+2028)' : 'a paragraph separator (U+2029)',
        hint: 'delete it, or write it as an escape between double quotes',
      };
}
