import type { ASTNode } from './cel.ts';

/** A range in an expression, in UTF-16 units. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/** A name with the fields that are read from it: `outputs.extract.rows` is `['outputs', 'extract', 'rows']`. */
export interface Reference extends Range {
  readonly path: readonly string[];
}

/** A call of a function. */
export interface Call extends Range {
  readonly name: string;
  /** The arguments, without a method's receiver; undefined for arguments that are not text literals. */
  readonly literals: readonly (string | undefined)[];
}

/** Facts about an expression that follow from its syntax alone. */
export interface SyntaxFacts {
  readonly references: readonly Reference[];
  /** Function calls, with their names and literal arguments. */
  readonly calls: readonly Call[];
  readonly nodes: number;
  /** The nesting depth of `map`, `filter`, `all` and `exists`. */
  readonly loops: number;
}

const LOOPS: ReadonlySet<string> = new Set(['map', 'filter', 'all', 'exists', 'exists_one']);

/** Walks a syntax tree. Loop variables are not references. */
export function syntaxFacts(root: ASTNode): SyntaxFacts {
  const references: Reference[] = [];
  const calls: Call[] = [];
  let nodes = 0;
  let loops = 0;

  const walk = (node: ASTNode, bound: readonly string[], depth: number): void => {
    nodes++;
    loops = Math.max(loops, depth);
    const path = pathOf(node);
    if (path) {
      const [name = ''] = path;
      if (!bound.includes(name)) references.push({ path, start: firstOf(node).range.start, end: node.range.end });
      return;
    }
    switch (node.op) {
      case 'rcall': {
        const [name, receiver, args] = node.args;
        calls.push({ name, start: node.range.start, end: node.range.end, literals: args.map(literalOf) });
        walk(receiver, bound, depth);
        const [variable, ...rest] = args;
        if (LOOPS.has(name) && variable?.op === 'id') {
          for (const argument of rest) walk(argument, [...bound, variable.args], depth + 1);
        } else {
          for (const argument of args) walk(argument, bound, depth);
        }
        return;
      }
      case 'call': {
        const [name, args] = node.args;
        calls.push({ name, start: node.range.start, end: node.range.end, literals: args.map(literalOf) });
        for (const argument of args) walk(argument, bound, depth);
        return;
      }
      default:
        for (const child of childrenOf(node)) walk(child, bound, depth);
    }
  };
  walk(root, [], 0);
  return { references, calls, nodes, loops };
}

function literalOf(node: ASTNode): string | undefined {
  return node.op === 'value' && typeof node.args === 'string' ? node.args : undefined;
}

/** `a.b["c"]` as a path, or undefined if the node contains more than names. */
function pathOf(node: ASTNode): string[] | undefined {
  if (node.op === 'id') return [node.args];
  if (node.op === '.') {
    const [object, field] = node.args;
    const path = pathOf(object);
    return path && [...path, field];
  }
  if (node.op === '[]') {
    const [object, index] = node.args;
    const path = index.op === 'value' && typeof index.args === 'string' ? pathOf(object) : undefined;
    return path && [...path, String(index.args)];
  }
  return undefined;
}

function firstOf(node: ASTNode): ASTNode {
  return node.op === '.' || node.op === '[]' ? firstOf(node.args[0]) : node;
}

function childrenOf(node: ASTNode): ASTNode[] {
  const found: ASTNode[] = [];
  const collect = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(collect);
    else if (typeof value === 'object' && value !== null && 'op' in value && 'range' in value) found.push(value as ASTNode);
  };
  collect(node.args);
  return found;
}
