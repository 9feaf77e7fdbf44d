/** A Jinja expression. */
export type JinjaNode =
  | { readonly kind: 'literal'; readonly value: string | number | boolean | null }
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'field'; readonly of: JinjaNode; readonly name: string }
  | { readonly kind: 'item'; readonly of: JinjaNode; readonly index: JinjaNode }
  | { readonly kind: 'call'; readonly of: JinjaNode; readonly arguments: Arguments }
  | { readonly kind: 'filter'; readonly of: JinjaNode; readonly name: string; readonly arguments: Arguments }
  | { readonly kind: 'not' | 'negative'; readonly of: JinjaNode }
  | { readonly kind: 'operation'; readonly operator: string; readonly left: JinjaNode; readonly right: JinjaNode }
  | { readonly kind: 'choice'; readonly condition: JinjaNode; readonly then: JinjaNode; readonly otherwise: JinjaNode };

/** The arguments of a call: positional and named. */
export interface Arguments {
  readonly inOrder: readonly JinjaNode[];
  readonly byName: ReadonlyMap<string, JinjaNode>;
}

/** Thrown for Jinja that has no equivalent in Sluice. */
export class NoEquivalent extends Error {}

const TOKEN = /\s*(?:(\d+(?:\.\d+)?)|("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|([A-Za-z_]\w*)|(==|!=|<=|>=|\/\/|\*\*|[-+*/%~<>()[\].,|=]))/y;
/** Operators by precedence, lowest first. */
const LEVELS: readonly (readonly string[])[] = [['or'], ['and'], ['==', '!=', '<', '<=', '>', '>='], ['~'], ['+', '-'], ['*']];
const MAX_DEPTH = 50;

/**
 * Parses a Jinja expression, limited to the syntax that can have an equivalent in Sluice.
 * @throws NoEquivalent for all other syntax
 */
export function parseJinja(text: string): JinjaNode {
  return new JinjaParser(tokensOf(text)).whole();
}

function tokensOf(text: string): string[] {
  const tokens: string[] = [];
  TOKEN.lastIndex = 0;
  while (text.slice(TOKEN.lastIndex).trim() !== '') {
    const match = TOKEN.exec(text);
    if (!match) throw new NoEquivalent();
    tokens.push(match[0].trim());
  }
  return tokens;
}

class JinjaParser {
  private at = 0;
  private depth = 0;

  constructor(private readonly tokens: readonly string[]) {}

  whole(): JinjaNode {
    const node = this.expression();
    if (this.at < this.tokens.length) throw new NoEquivalent();
    return node;
  }

  private expression(): JinjaNode {
    if (++this.depth > MAX_DEPTH) throw new NoEquivalent();
    const then = this.operation(0);
    let node = then;
    if (this.take('if')) {
      const condition = this.operation(0);
      const otherwise: JinjaNode = this.take('else') ? this.expression() : { kind: 'literal', value: '' };
      node = { kind: 'choice', condition, then, otherwise };
    }
    this.depth--;
    return node;
  }

  private operation(level: number): JinjaNode {
    const operators = LEVELS[level];
    if (!operators) return this.unary();
    if (level === 2 && this.take('not')) return { kind: 'not', of: this.operation(level) };
    let left = this.operation(level + 1);
    for (let operator = this.take(...operators); operator !== undefined; operator = this.take(...operators)) {
      left = { kind: 'operation', operator, left, right: this.operation(level + 1) };
    }
    return left;
  }

  private unary(): JinjaNode {
    if (this.take('-')) return { kind: 'negative', of: this.unary() };
    if (this.take('+')) return this.unary();
    let node = this.postfix(this.primary());
    while (this.take('|')) {
      const name = this.word();
      node = this.postfix({ kind: 'filter', of: node, name, arguments: this.take('(') ? this.arguments() : NO_ARGUMENTS });
    }
    return node;
  }

  private postfix(start: JinjaNode): JinjaNode {
    let node = start;
    for (;;) {
      if (this.take('.')) node = { kind: 'field', of: node, name: this.word() };
      else if (this.take('[')) {
        node = { kind: 'item', of: node, index: this.expression() };
        this.expect(']');
      } else if (this.take('(')) node = { kind: 'call', of: node, arguments: this.arguments() };
      else return node;
    }
  }

  private primary(): JinjaNode {
    const token = this.tokens[this.at++] ?? '';
    if (token === '(') {
      const node = this.expression();
      this.expect(')');
      return node;
    }
    if (/^\d/.test(token)) return { kind: 'literal', value: Number(token) };
    if (/^["']/.test(token))
      return { kind: 'literal', value: token.slice(1, -1).replace(/\\(.)/g, (_, letter: string) => ESCAPES[letter] ?? letter) };
    if (Object.hasOwn(CONSTANTS, token)) return { kind: 'literal', value: CONSTANTS[token] ?? null };
    if (!/^[A-Za-z_]/.test(token) || RESERVED.has(token)) throw new NoEquivalent();
    return { kind: 'name', name: token };
  }

  private arguments(): Arguments {
    const inOrder: JinjaNode[] = [];
    const byName = new Map<string, JinjaNode>();
    while (!this.take(')')) {
      const name = this.tokens[this.at + 1] === '=' ? this.word() : undefined;
      if (name === undefined) inOrder.push(this.expression());
      else {
        this.expect('=');
        byName.set(name, this.expression());
      }
      if (this.tokens[this.at] !== ')') this.expect(',');
    }
    return { inOrder, byName };
  }

  private word(): string {
    const token = this.tokens[this.at++] ?? '';
    if (!/^[A-Za-z_]/.test(token)) throw new NoEquivalent();
    return token;
  }

  private take(...expected: readonly string[]): string | undefined {
    const token = this.tokens[this.at];
    if (token === undefined || !expected.includes(token)) return undefined;
    this.at++;
    return token;
  }

  private expect(expected: string): void {
    if (this.take(expected) === undefined) throw new NoEquivalent();
  }
}

const NO_ARGUMENTS: Arguments = { inOrder: [], byName: new Map() };
const CONSTANTS: Readonly<Record<string, boolean | null>> = { true: true, True: true, false: false, False: false, none: null, None: null };
const RESERVED: ReadonlySet<string> = new Set(['if', 'else', 'and', 'or', 'not', 'in', 'is']);
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t' };

/** Stops the conversion of an expression. */
export function noEqual(): never {
  throw new NoEquivalent();
}

/** Splits `a.b['c']` into its parts; undefined if the node is not such a path. */
export function pathOf(node: JinjaNode | undefined): string[] | undefined {
  if (node?.kind === 'name') return [node.name];
  if (node?.kind === 'field') return pathOf(node.of)?.concat(node.name);
  if (node?.kind === 'item' && node.index.kind === 'literal' && typeof node.index.value === 'string') {
    return pathOf(node.of)?.concat(node.index.value);
  }
  return undefined;
}
