import { readSql, type SqlToken } from './read-sql.ts';
import type { TemplatePart } from './template.ts';

/** The SQL around an expression. */
export interface SqlContext {
  /** Whether SQL expects a name here, so that a value would be a literal or an error. */
  readonly isName: boolean;
  /** Whether it is an element of a list in brackets: `IN ({{ x }})`. */
  readonly isListed: boolean;
  /** Whether it is an element of the list of IN, also inside of quotes: `IN ('{{ x }}')`. */
  readonly isInList: boolean;
  /** Whether it stands in place of the list of IN, without brackets: `x IN {{ y }}`. */
  readonly isBareIn: boolean;
  /** The preceding word, in lowercase; `by` also for the later columns of ORDER BY, GROUP BY and PARTITION BY. */
  readonly before: string | undefined;
  /** The pieces of the name that contains it: `events_{{ ds_nodash }}`, or `{{ params.schema }}.{{ params.table }}`; else one piece. */
  readonly pieces: readonly TemplatePart[];
}

/** Words that precede a name. */
const BEFORE_NAMES: ReadonlySet<string> = new Set(
  `from join into update table truncate view schema database index sequence references only column constraint analyze vacuum copy as call
  concurrently verbose role user extension procedure function trigger cluster reindex lock`.split(/\s+/),
);
/** Words that end the list after FROM, TRUNCATE or BY. */
const AFTER_LISTS: ReadonlySet<string> = new Set(
  'select where on having limit offset fetch values set returning window union intersect except when then else case and or not in between if rows range'.split(
    ' ',
  ),
);
/** Functions whose arguments can use `FROM` before a value. */
const FUNCTIONS_WITH_FROM: ReadonlySet<string> = new Set(['extract', 'substring', 'trim', 'overlay', 'position']);
const MARK = '\uE000';

/** The context of each expression of an SQL template, in order. */
export function sqlContexts(parts: readonly TemplatePart[]): SqlContext[] {
  const at = new Map<number, TemplatePart>();
  let sql = '';
  for (const part of parts) {
    if (typeof part !== 'string') at.set(sql.length, part);
    sql += typeof part === 'string' ? part : MARK;
  }
  const tokens = readSql(sql, 'standard').filter(({ kind }) => kind !== 'space' && kind !== 'comment');
  const text = (token: SqlToken | undefined): string => (token ? sql.slice(token.start, token.end).toLowerCase() : '');
  return [...at.keys()].map((place): SqlContext => {
    const index = tokens.findIndex(({ start, end }) => start <= place && place < end);
    const [first, last] = nameAround(tokens, index, sql);
    const before = tokens[first - 1];
    const word = before?.kind === 'word' ? text(before) : undefined;
    const isDotted = last > first;
    const isListed = ['(', ',', '['].includes(text(before)) && !isDotted;
    const list = text(before) === ',' ? listWord(tokens, first - 1, text) : undefined;
    const isName =
      isDotted ||
      (word !== undefined && followsWord(tokens, first - 1, text)) ||
      (isListed && isColumnList(tokens, first, text)) ||
      (list !== undefined && list !== 'by');
    const start = tokens[first]?.start ?? place;
    const pieces = piecesOf(sql, start, tokens[last]?.end ?? place + 1, at);
    const open = isListed ? openBracket(tokens, first, text) : undefined;
    const isInList = open !== undefined && text(tokens[open - 1]) === 'in';
    const isBareIn = word === 'in' && functionAround(tokens, first, text) !== 'position';
    return { isName, isListed, isInList, isBareIn, before: word ?? (list === 'by' ? list : undefined), pieces };
  });
}

/** The first and last token of the dotted name that contains the token at `index`. */
function nameAround(tokens: readonly SqlToken[], index: number, sql: string): readonly [number, number] {
  const isDot = (token: SqlToken | undefined): boolean => token !== undefined && sql.slice(token.start, token.end) === '.';
  const isPart = (token: SqlToken | undefined): boolean => token?.kind === 'word' || token?.kind === 'identifier';
  let [first, last] = [index, index];
  if (!isPart(tokens[index])) return [first, last];
  while (isDot(tokens[first - 1]) && isPart(tokens[first - 2])) first -= 2;
  while (isDot(tokens[last + 1]) && isPart(tokens[last + 2])) last += 2;
  return [first, last];
}

function followsWord(tokens: readonly SqlToken[], at: number, text: (token: SqlToken | undefined) => string): boolean {
  const word = text(tokens[at]);
  const before = text(tokens[at - 1]);
  if (word === 'from') {
    const isValue = before === 'distinct' || FUNCTIONS_WITH_FROM.has(functionAround(tokens, at, text));
    // In COPY and UNLOAD, an address follows FROM.
    return !isValue && !['copy', 'unload'].includes(text(tokens[statementStart(tokens, at, text)]));
  }
  if (word === 'set') return true;
  if (word === 'exists') return before === 'if' || before === 'not';
  if (word === 'update') return before !== 'for';
  if (word === 'of') return before === 'partition';
  // `CREATE TABLE a (LIKE b)`; elsewhere LIKE compares.
  if (word === 'like') return before === '(' || before === ',';
  const start = statementStart(tokens, at, text);
  const statement = text(tokens[start]);
  if (word === 'to') return ['rename', 'owner'].includes(before) || statement === 'grant';
  if (word === 'using') return statement === 'merge' || statement === 'delete';
  if (word === 'on') return ['grant', 'revoke'].includes(statement) || (statement === 'create' && isIndex(tokens, start, at, text));
  return BEFORE_NAMES.has(word);
}

/** Whether `CREATE … ON` creates an index or a trigger on a table. Inside a view or table, ON joins. */
function isIndex(tokens: readonly SqlToken[], start: number, at: number, text: (token: SqlToken | undefined) => string): boolean {
  const words = tokens.slice(start, at).map(text);
  return ['index', 'trigger'].some((word) => words.slice(0, 5).includes(word)) && !words.includes('select');
}

/** The word that begins the list of names that continues at a comma: `from` of `FROM a, b`, `by` of `ORDER BY a, b`; else undefined. */
function listWord(tokens: readonly SqlToken[], comma: number, text: (token: SqlToken | undefined) => string): string | undefined {
  let depth = 0;
  for (let index = comma - 1; index >= 0; index--) {
    const word = text(tokens[index]);
    if (word === ')') depth++;
    else if (word === '(' && depth-- === 0) return undefined;
    if (depth > 0) continue;
    if (word === ';' || AFTER_LISTS.has(word)) return undefined;
    if (word === 'by' || (['from', 'truncate', 'table'].includes(word) && followsWord(tokens, index, text))) return word;
  }
  return undefined;
}

function statementStart(tokens: readonly SqlToken[], at: number, text: (token: SqlToken | undefined) => string): number {
  let start = at;
  while (start > 0 && text(tokens[start - 1]) !== ';') start--;
  return start;
}

/** The word before the bracket that encloses a token. */
function functionAround(tokens: readonly SqlToken[], at: number, text: (token: SqlToken | undefined) => string): string {
  const open = openBracket(tokens, at, text);
  return open === undefined ? '' : text(tokens[open - 1]);
}

function openBracket(tokens: readonly SqlToken[], at: number, text: (token: SqlToken | undefined) => string): number | undefined {
  let depth = 0;
  for (let index = at - 1; index >= 0; index--) {
    const symbol = text(tokens[index]);
    if (symbol === ')') depth++;
    else if (symbol === '(' && depth-- === 0) return index;
  }
  return undefined;
}

/** Whether a bracketed list is the column list of `INSERT INTO t (…)`. */
function isColumnList(tokens: readonly SqlToken[], at: number, text: (token: SqlToken | undefined) => string): boolean {
  const open = openBracket(tokens, at, text);
  if (open === undefined) return false;
  let name = open - 1;
  // `ON CONFLICT (a)` and `JOIN t USING (a)`
  if (['conflict', 'using'].includes(text(tokens[name]))) return true;
  while (text(tokens[name - 1]) === '.') name -= 2;
  return text(tokens[name - 1]) === 'into' || text(tokens[name - 1]) === 'copy';
}

function piecesOf(sql: string, start: number, end: number, at: ReadonlyMap<number, TemplatePart>): TemplatePart[] {
  const pieces: TemplatePart[] = [];
  let from = start;
  for (let index = start; index < end; index++) {
    const expression = at.get(index);
    if (!expression) continue;
    if (index > from) pieces.push(sql.slice(from, index));
    pieces.push(expression);
    from = index + 1;
  }
  if (from < end) pieces.push(sql.slice(from, end));
  return pieces;
}
