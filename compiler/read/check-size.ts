import { type CST, lex, Parser } from 'yaml';
import type { Json } from '../../workflows/plan/values/json.ts';

/** Real pipelines are a few levels deep. The limit makes recursion safe. */
const MAX_DEPTH = 64;
/** Maximum texts, symbols and blanks. Later steps take microseconds for each. */
const MAX_LEXEMES = 500_000;
/** Maximum keys per map: the YAML parser compares each with all others. The largest real maps are parameters. */
const MAX_KEYS = 1_000;
/** Maximum aliases and misplaced symbols: aliases are resolved one by one, and each syntax error stores its position. */
const MAX_MARKS = 1_000;
/** Maximum texts, numbers, lists and maps, including those that aliases repeat. */
export const MAX_VALUES = 200_000;

/** Layout tokens of valid files, which cost little. */
const LAYOUT: ReadonlySet<string> = new Set([
  'space',
  'newline',
  'comment',
  'doc-start',
  'doc-end',
  'seq-item-ind',
  'explicit-key-ind',
  'map-value-ind',
  'flow-map-end',
  'flow-seq-end',
  'comma',
  'block-scalar-header',
]);

/** A limit that a file exceeds, and where. */
export interface Excess {
  readonly offset: number;
  readonly message: string;
}

/** The tokens of a file's first two documents. A pipeline has one. */
export type Tokens = readonly CST.Token[];

/**
 * Splits a file into tokens in linear time, without recursion, and checks its size before slower steps.
 * @returns its tokens, or where it exceeds a limit
 */
export function readTokens(text: string): Tokens | Excess {
  let lexemes: readonly string[];
  try {
    lexemes = lex(text);
  } catch (error) {
    // The lexer recurses at document markers.
    if (error instanceof RangeError) return { offset: 0, message: 'The file has too many documents.' };
    throw error;
  }
  if (lexemes.length > MAX_LEXEMES) return { offset: 0, message: `The file has more than ${count(MAX_LEXEMES)} words and symbols.` };
  const tokens = parseLexemes(lexemes, MAX_DEPTH);
  if ('offset' in tokens) return tooDeep(tokens.offset);
  const second = tokens.findIndex(
    (token, index) => token.type === 'document' && tokens.findIndex(({ type }) => type === 'document') < index,
  );
  const read = second < 0 ? tokens : tokens.slice(0, second + 1);
  return findExcess(read) ?? read;
}

/** @returns the tokens, or the first list or map that is nested more than `maxDepth` levels deep */
function parseLexemes(lexemes: readonly string[], maxDepth: number): CST.Token[] | CST.Token {
  const parser = new Parser();
  for (const lexeme of lexemes) {
    parser.next(lexeme);
    if (parser.stack.length <= maxDepth) continue;
    const tooDeep = parser.stack.filter((token) => 'items' in token)[maxDepth];
    if (tooDeep) return tooDeep;
  }
  return parser.end();
}

/**
 * Finds the first list or map that is nested more than `maxDepth` levels deep. Takes linear time and does not recurse, unlike the document
 * parser.
 * @returns its offset in characters
 * @throws RangeError for a file with more documents than the lexer can read
 */
export function findTooDeep(text: string, maxDepth: number): number | undefined {
  const tokens = parseLexemes(lex(text), maxDepth);
  return 'offset' in tokens ? tokens.offset : undefined;
}

function findExcess(tokens: Tokens): Excess | undefined {
  const waiting: { readonly token: CST.Token; readonly depth: number }[] = [...tokens].reverse().map((token) => ({ token, depth: 0 }));
  let marks = 0;
  const countMarks = (around: readonly CST.SourceToken[] = []): void => {
    let commas = 0;
    for (const { type } of around) if (!LAYOUT.has(type) || (type === 'comma' && ++commas > 1)) marks++;
  };
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const { token, depth } = next;
    if (token.type === 'alias' || token.type === 'error') marks++;
    if ('end' in token) countMarks(token.end);
    if (token.type === 'document') {
      countMarks(token.start);
      if (token.value) waiting.push({ token: token.value, depth });
    }
    if ('items' in token) {
      if (depth >= MAX_DEPTH) return tooDeep(token.offset);
      const isMap = token.type === 'block-map' || (token.type === 'flow-collection' && token.start.source === '{');
      if (isMap && token.items.length > MAX_KEYS) {
        return { offset: token.offset, message: `This map has ${count(token.items.length)} keys; a map may have ${count(MAX_KEYS)}.` };
      }
      for (const { start, key, sep, value } of [...token.items].reverse()) {
        countMarks(start);
        countMarks(sep);
        if (value) waiting.push({ token: value, depth: depth + 1 });
        if (key) waiting.push({ token: key, depth: depth + 1 });
      }
    }
    if (marks > MAX_MARKS) {
      return {
        offset: token.offset,
        message: `The file has more than ${count(MAX_MARKS)} aliases, anchors, tags and misplaced symbols.`,
      };
    }
  }
  return undefined;
}

/**
 * Checks the size of a file after its aliases are expanded: an alias may contain itself, or expand to too many values.
 * @returns what is wrong, as a sentence
 */
export function expandedExcess(value: unknown): string | undefined {
  const waiting: { readonly value: unknown; readonly depth: number }[] = [{ value, depth: 0 }];
  let seen = 0;
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    if (++seen > MAX_VALUES) return tooManyValues();
    if (typeof next.value !== 'object' || next.value === null) continue;
    if (next.depth > MAX_DEPTH) return 'An alias refers to a value that contains it: the file would be infinite.';
    for (const part of Object.values(next.value as Readonly<Record<string, Json>>)) waiting.push({ value: part, depth: next.depth + 1 });
  }
  return undefined;
}

/** The message for a file with more than `MAX_VALUES` values. */
export function tooManyValues(): string {
  return `With expanded aliases, the file has more than ${count(MAX_VALUES)} values.`;
}

function tooDeep(offset: number): Excess {
  return { offset, message: `The file is nested more than ${MAX_DEPTH} levels deep.` };
}

function count(number: number): string {
  return number.toLocaleString('en');
}
