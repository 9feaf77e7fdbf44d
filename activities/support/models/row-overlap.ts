/** The rows that an extract reads, as far as its task declares them. */
export interface RowSource {
  /** The table name, as SQL. */
  readonly table?: string;
  /** A SELECT in place of the table. */
  readonly query?: string;
  /** A condition, as SQL; may still contain expressions as `{{ … }}`. */
  readonly where?: string;
  /** The column must lie in `[start, end)`, ISO 8601. */
  readonly incremental?: { readonly column: string; readonly start: string; readonly end: string };
}

type Operator = '<' | '<=' | '=' | '>=' | '>' | '<>';

/** A value in a condition. A symbol is an expression with an unknown value: the same text means the same value. */
type Value =
  { readonly kind: 'number' | 'utc' | 'local'; readonly value: number } | { readonly kind: 'text' | 'symbol'; readonly value: string };

/** One of several conditions joined by AND. */
type Condition =
  | { readonly kind: 'bound'; readonly on: string; readonly isColumn: boolean; readonly operator: Operator; readonly value: Value }
  | { readonly kind: 'other'; readonly text: string };

type Bound = Extract<Condition, { kind: 'bound' }>;

/**
 * Whether two extracts of one database share rows.
 * @returns `some`: they do, or one includes all rows of the other; `none`: their conditions exclude each other, or they read different
 * tables; `unknown`: it does not follow from their declarations
 */
export function overlapOf(a: RowSource, b: RowSource): 'some' | 'none' | 'unknown' {
  const [one, other] = [plainSource(a), plainSource(b)];
  if (!one || !other) {
    if (words(a.query ?? '') === words(b.query ?? '') && a.table === b.table)
      return words(a.where ?? '') === words(b.where ?? '') ? 'some' : 'unknown';
    return 'unknown';
  }
  if (!isSameTable(one.table, other.table)) return 'none';
  if (one.conditions.some((each) => other.conditions.some((another) => excludes(each, another)))) return 'none';
  if (implies(one.conditions, other.conditions) || implies(other.conditions, one.conditions)) return 'some';
  return reachAlike(one.conditions, other.conditions) ? 'some' : 'unknown';
}

/** `SELECT … FROM table WHERE …`, without clauses that drop rows or join tables. */
const PLAIN_QUERY =
  /^select\s+(?!distinct\b)(?:(?!\b(?:from|select)\b)[^()])+?\s+from\s+((?:"[^"]+"|\w+)(?:\.(?:"[^"]+"|\w+))?)(?:\s+where\s+(.*))?$/is;
const LEAVES_OUT = /\b(join|group|having|limit|offset|fetch|union|intersect|except|window|tablesample|select|with)\b|--|\/\*/i;

/** @returns undefined if a query is more than a table with a condition */
function plainSource({ table, query, where, incremental }: RowSource): { table: string; conditions: Condition[] } | undefined {
  const given = [
    where,
    ...(incremental ? [`${incremental.column} >= '${incremental.start}'`, `${incremental.column} < '${incremental.end}'`] : []),
  ];
  if (query !== undefined) {
    const text = query.replace(/[\s;]+$/, '').replace(/\s+order\s+by\s+[\w\s,."]+$/i, '');
    const [, from, condition] = PLAIN_QUERY.exec(text.trim()) ?? [];
    if (from === undefined || (condition !== undefined && LEAVES_OUT.test(withoutTexts(condition)))) return undefined;
    return { table: from, conditions: [condition, ...given].flatMap(conditionsOf) };
  }
  return table === undefined ? undefined : { table, conditions: given.flatMap(conditionsOf) };
}

function isSameTable(a: string, b: string): boolean {
  const [one, other] = [a, b].map((name) => name.split('.').map(columnName));
  const [schemas, names] = [
    [one?.at(-2), other?.at(-2)],
    [one?.at(-1), other?.at(-1)],
  ];
  return names[0] === names[1] && (schemas[0] === undefined || schemas[1] === undefined || schemas[0] === schemas[1]);
}

function columnName(text: string): string {
  return text.startsWith('"') ? text.slice(1, -1) : text.toLowerCase();
}

/** Splits a condition at its ANDs. */
function conditionsOf(where: string | undefined): Condition[] {
  if (where === undefined) return [];
  if (/--|\/\*|\$\$/.test(withoutTexts(where))) return [{ kind: 'other', text: words(where) }];
  const text = withoutParentheses(where);
  const pieces = splitAt(text, /^and\b/i);
  const joined: string[] = [];
  for (const piece of pieces) {
    const last = joined.at(-1);
    // The AND in `x BETWEEN 1 AND 2` does not separate conditions.
    if (last !== undefined && /\bbetween\b(?!.*\band\b)/is.test(withoutTexts(last))) joined[joined.length - 1] = `${last} and ${piece}`;
    else joined.push(piece);
  }
  if (joined.length > 1) return joined.flatMap(conditionsOf);
  return conditionOf(text);
}

function conditionOf(text: string): Condition[] {
  const other: Condition[] = [{ kind: 'other', text: words(text) }];
  if (splitAt(text, /^or\b/i).length > 1 || /^not\b/i.test(text)) return other;
  const [, on = '', low = '', high = ''] = /^(.+?)\s+between\s+(?!symmetric\b)(.+?)\s+and\s+(.+)$/is.exec(text) ?? [];
  if (on !== '' && !/\bnot$/i.test(on)) return [...boundOf(on, '>=', low), ...boundOf(on, '<=', high)];
  const at = operatorIn(text);
  if (!at) return other;
  const [left, right] = [text.slice(0, at.index), text.slice(at.index + at.length)];
  if (operatorIn(right) || left.trim() === '' || right.trim() === '') return other;
  return isColumn(right) && !isColumn(left) ? boundOf(right, MIRRORED[at.operator], left) : boundOf(left, at.operator, right);
}

const MIRRORED: Readonly<Record<Operator, Operator>> = { '<': '>', '<=': '>=', '=': '=', '>=': '<=', '>': '<', '<>': '<>' };

function boundOf(on: string, operator: Operator, value: string): Condition[] {
  const plain = withoutParentheses(on);
  const name = isColumn(plain) ? columnName(plain.split('.').at(-1)?.trim() ?? '') : words(plain);
  return [{ kind: 'bound', on: name, isColumn: isColumn(plain), operator, value: valueOf(value) }];
}

function isColumn(text: string): boolean {
  return (
    /^\s*(?:"[^"]+"|[a-z_]\w*)(?:\.(?:"[^"]+"|[a-z_]\w*))?\s*$/i.test(text) &&
    !/^\s*(true|false|null|current_\w+|localtime\w*)\s*$/i.test(text)
  );
}

const TIME = /^(\d{4}-\d\d-\d\d)(?:[ T](\d\d:\d\d(?::\d\d(?:\.\d+)?)?))?\s*(z|[+-]\d\d(?::?\d\d)?)?$/i;

function valueOf(given: string): Value {
  const text = withoutParentheses(given)
    .replace(/^(?:timestamptz|timestamp|date)\s+(?=')/i, '')
    .replace(/(?<=['}\d])\s*::\s*[a-z][\w ]*(?:\(\d+\))?$/i, '');
  if (/^[+-]?\d+(\.\d+)?$/.test(text)) return { kind: 'number', value: Number(text) };
  const [, quoted] = /^'((?:[^']|'')*)'$/.exec(text) ?? [];
  if (quoted === undefined) return { kind: 'symbol', value: words(text) };
  if (quoted.includes('{{')) return { kind: 'symbol', value: words(quoted) };
  const [, day, time = '00:00', zone] = TIME.exec(quoted.trim()) ?? [];
  if (day === undefined) return { kind: 'text', value: quoted };
  const offset =
    zone === undefined || /^z$/i.test(zone)
      ? 'Z'
      : zone.replace(/^([+-]\d\d):?(\d\d)?$/, (_, hours: string, minutes = '00') => `${hours}:${minutes}`);
  const value = Date.parse(`${day}T${time}${offset}`);
  if (Number.isNaN(value)) return { kind: 'text', value: quoted };
  return { kind: zone === undefined ? 'local' : 'utc', value };
}

/** @returns undefined if the order is unknown; texts can only be equal or different */
function compare(a: Value, b: Value): number | 'different' | undefined {
  if (a.kind === b.kind && a.value === b.value) return 0;
  if (a.kind === 'text' && b.kind === 'text') return 'different';
  return a.kind === b.kind && typeof a.value === 'number' && typeof b.value === 'number' ? a.value - b.value : undefined;
}

const isUpper = ({ operator }: Bound): boolean => operator === '<' || operator === '<=' || operator === '=';
const isLower = ({ operator }: Bound): boolean => operator === '>' || operator === '>=' || operator === '=';
const includesItsValue = ({ operator }: Bound): boolean => operator.includes('=');

/** Whether no row can meet both conditions. */
function excludes(a: Condition, b: Condition): boolean {
  if (a.kind === 'other' && b.kind === 'other') return isNegation(a.text, b.text) || isNegation(b.text, a.text);
  if (a.kind === 'other' || b.kind === 'other' || a.on !== b.on) return false;
  const order = compare(a.value, b.value);
  if (order === undefined) return false;
  const operators = [a.operator, b.operator];
  if (operators.includes('<>')) return order === 0 && operators.includes('=');
  if (order === 'different') return a.operator === '=' && b.operator === '=';
  if (order === 0) return ((isUpper(a) && isLower(b)) || (isLower(a) && isUpper(b))) && !(includesItsValue(a) && includesItsValue(b));
  return order < 0 ? isUpper(a) && isLower(b) : isLower(a) && isUpper(b);
}

function isNegation(a: string, b: string): boolean {
  return b === `not ${a}` || b === `not (${a})` || (a.endsWith(' is null') && b === `${a.slice(0, -' null'.length)} not null`);
}

/** Whether every row that meets `all` also meets `these`. */
function implies(all: readonly Condition[], these: readonly Condition[]): boolean {
  return these.every((each) => all.some((given) => impliesOne(given, each)));
}

function impliesOne(given: Condition, required: Condition): boolean {
  if (given.kind === 'other' || required.kind === 'other')
    return given.kind === required.kind && JSON.stringify(given) === JSON.stringify(required);
  if (given.on !== required.on) return false;
  const order = compare(given.value, required.value);
  if (order === 0 && given.operator === required.operator) return true;
  if (typeof order !== 'number' || required.operator === '<>') return false;
  const fits = order === 0 ? includesItsValue(required) || !includesItsValue(given) : undefined;
  if (required.operator === '=') return false;
  return isUpper(required) ? isUpper(given) && (fits ?? order < 0) : isLower(given) && (fits ?? order > 0);
}

/** Whether both restrict the same columns to overlapping ranges. */
function reachAlike(a: readonly Condition[], b: readonly Condition[]): boolean {
  const restOf = (conditions: readonly Condition[]): string =>
    JSON.stringify(conditions.flatMap((each) => (each.kind === 'other' ? [each.text] : [])).sort());
  const columnsOf = (conditions: readonly Condition[]): string =>
    JSON.stringify([...new Set(conditions.flatMap((each) => (each.kind === 'bound' ? [each.on] : [])))].sort());
  const bounds = [...a, ...b].flatMap((each) => (each.kind === 'bound' ? [each] : []));
  if (restOf(a) !== restOf(b) || columnsOf(a) !== columnsOf(b) || bounds.some((each) => !each.isColumn || each.operator === '<>'))
    return false;
  return bounds.every((upper) =>
    bounds.every(
      (lower) => upper.on !== lower.on || !isUpper(upper) || !isLower(lower) || typeof compare(upper.value, lower.value) === 'number',
    ),
  );
}

/** Masks the contents of quotes and braces, at the same length. */
function withoutTexts(text: string): string {
  return text.replace(/'(?:[^']|'')*'|"[^"]*"|\{\{.*?\}\}/gs, (found) => '_'.repeat(found.length));
}

function splitAt(text: string, word: RegExp): string[] {
  const plain = withoutTexts(text);
  const pieces: string[] = [];
  let [depth, from] = [0, 0];
  for (let at = 0; at < plain.length; at++) {
    if (plain[at] === '(') depth += 1;
    else if (plain[at] === ')') depth -= 1;
    const [found] = depth === 0 && !/\w/.test(plain[at - 1] ?? ' ') ? (word.exec(plain.slice(at, at + 4)) ?? []) : [];
    if (found === undefined) continue;
    pieces.push(text.slice(from, at).trim());
    from = at + found.length;
    at = from - 1;
  }
  return [...pieces, text.slice(from).trim()];
}

function operatorIn(text: string): { readonly index: number; readonly length: number; readonly operator: Operator } | undefined {
  const plain = withoutTexts(text);
  let depth = 0;
  for (let at = 0; at < plain.length; at++) {
    if (plain[at] === '(') depth += 1;
    else if (plain[at] === ')') depth -= 1;
    const [found] = depth === 0 ? (/^(<=|>=|<>|!=|<|>|=)(?![<>=~|&@])/.exec(plain.slice(at, at + 3)) ?? []) : [];
    if (found === undefined || /[-#@~|&!?<>]/.test(plain[at - 1] ?? ' ')) continue;
    return { index: at, length: found.length, operator: found === '!=' ? '<>' : (found as Operator) };
  }
  return undefined;
}

function withoutParentheses(given: string): string {
  let text = given.trim();
  while (text.startsWith('(') && text.endsWith(')') && isOneGroup(text)) text = text.slice(1, -1).trim();
  return text;
}

function isOneGroup(text: string): boolean {
  let depth = 0;
  return [...withoutTexts(text)].every((character, at) => {
    if (character === '(') depth += 1;
    else if (character === ')') depth -= 1;
    return depth > 0 || at === text.length - 1;
  });
}

/** Normalizes spaces, and letter case outside of quotes. */
function words(text: string): string {
  return text
    .trim()
    .replace(/'(?:[^']|'')*'|"[^"]*"|[^'"]+/g, (part) => (/^['"]/.test(part) ? part : part.toLowerCase().replace(/\s+/g, ' ')))
    .trim();
}
