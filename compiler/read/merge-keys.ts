import { Alias, type Document, isNode, type Node, type Pair, Scalar, visit, YAMLMap, YAMLSeq } from 'yaml';
import { MAX_VALUES, tooManyValues } from './check-size.ts';
import type { Code } from '../mistakes/codes.ts';

/** An invalid alias or merge. */
export interface AliasMistake {
  readonly code: Code;
  readonly node: Node;
  readonly message: string;
  readonly hint: string;
}

/**
 * Applies YAML's merge keys (`<<: *defaults`, `<<: [*a, *b]`) to the syntax tree. Keys of the map itself take precedence, then those of the
 * maps listed first. A merged key remains the original node, so that mistakes in it have the right position.
 * @returns what cannot be merged; the tree is unusable then
 */
export function mergeKeys(document: Document, text: string): AliasMistake[] {
  if (!text.includes('<<') || document.errors.length > 0) return [];
  const aliases = readAliases(document);
  const unknown = unknownAliases(aliases);
  if (unknown.length > 0) return unknown;
  const merger = new Merger(aliases.targets);
  merger.merge(document.value);
  return merger.mistakes;
}

/** Reports aliases that are not preceded by their anchors. */
export function unknownAliases({ unknown, anchors }: Aliases): AliasMistake[] {
  return unknown.map((node) => ({
    code: 'SL112',
    node,
    message: `No anchor '&${node.source}' precedes this alias.`,
    hint: anchors.has(node.source)
      ? 'move the anchor up: it must precede its aliases'
      : `write \`&${node.source}\` before the value; put a text that starts with * in quotes`,
  }));
}

interface Aliases {
  /** The target node of each alias. */
  readonly targets: ReadonlyMap<Alias, Anchored>;
  readonly unknown: readonly Alias[];
  readonly anchors: ReadonlySet<string>;
}

type Anchored = Exclude<Node, Alias>;

export function readAliases(document: Document): Aliases {
  const anchored = new Map<string, Anchored>();
  const targets = new Map<Alias, Anchored>();
  const unknown: Alias[] = [];
  visit(document, {
    Node(_key, node) {
      if (!(node instanceof Alias)) {
        if (node.anchor !== undefined) anchored.set(node.anchor, node);
        return;
      }
      const target = anchored.get(node.source);
      if (target) targets.set(node, target);
      else unknown.push(node);
    },
  });
  return { targets, unknown, anchors: new Set(anchored.keys()) };
}

class Merger {
  readonly mistakes: AliasMistake[] = [];
  private readonly open = new Set<Node>();
  /** The number of values in each list and map, with aliases expanded. */
  private readonly sizes = new Map<Node, number>();

  constructor(private readonly targets: ReadonlyMap<Alias, Anchored>) {
    // A merge repeats anchors further down. Unique names keep each alias tied to its target.
    for (const [index, target] of [...new Set(targets.values())].entries()) target.anchor = `${index}`;
    for (const [alias, { anchor = '' }] of targets) alias.source = anchor;
  }

  /** @returns the number of values in the node, with aliases expanded */
  merge(node: unknown): number {
    if (node instanceof Alias) return this.merge(this.targets.get(node));
    if (!(node instanceof YAMLMap || node instanceof YAMLSeq) || this.open.has(node)) return 1;
    const known = this.sizes.get(node);
    if (known !== undefined) return known;
    this.open.add(node);
    const values = (): unknown[] =>
      node instanceof YAMLMap ? Array.from((node as YAMLMap).pairs(), ({ value }) => value) : [...(node as YAMLSeq)];
    const merged = values().map((value) => this.merge(value));
    const hasMerges = node instanceof YAMLMap && [...node.pairs()].some(isMerge);
    if (hasMerges) this.mergeInto(node as YAMLMap);
    const size = (hasMerges ? values().map((value) => this.merge(value)) : merged).reduce((sum, each) => sum + each, 1);
    if (size > MAX_VALUES && this.mistakes.length === 0)
      this.mistakes.push({ code: 'SL104', node, message: tooManyValues(), hint: 'write the merged keys instead' });
    this.open.delete(node);
    this.sizes.set(node, size);
    return size;
  }

  private mergeInto(map: YAMLMap): void {
    const written = [...map.values];
    const own = new Set(written.flatMap(([key, pair]) => (isMerge(pair) ? [] : [key])));
    map.values.clear();
    for (const [key, pair] of written) {
      if (!isMerge(pair)) {
        map.values.set(key, pair);
        continue;
      }
      for (const source of this.mapsIn(pair))
        for (const [each, merged] of source.values) if (!own.has(each) && !map.values.has(each)) map.values.set(each, merged);
    }
  }

  /** The maps that a merge key refers to. */
  private mapsIn({ key, value }: Pair): YAMLMap[] {
    const named = this.meaningOf(value);
    const isListed = named instanceof YAMLSeq;
    return (isListed ? [...(named as YAMLSeq)] : [value]).flatMap((each: unknown): YAMLMap[] => {
      const map = this.meaningOf(each);
      if (map instanceof YAMLMap && !this.open.has(map)) return [map as YAMLMap];
      // For a list behind an alias, report the alias, because that is what the file merges.
      const shown = isListed && value instanceof Alias ? value : each;
      const node = isNode(shown) && shown.range?.[0] !== shown.range?.[1] ? shown : (key as Scalar);
      this.mistakes.push(
        map instanceof YAMLMap
          ? {
              code: 'SL112',
              node,
              message: 'This merge is inside of the map that it merges.',
              hint: 'merge a map that is defined above',
            }
          : {
              code: 'SL112',
              node,
              message: `\`<<\` merges the keys of maps, but this is ${kindOf(map)}.`,
              hint: 'name a map, `<<: *defaults`, or several, `<<: [*a, *b]`',
            },
      );
      return [];
    });
  }

  private meaningOf(node: unknown): unknown {
    return node instanceof Alias ? this.targets.get(node) : node;
  }
}

function isMerge({ key }: Pair): boolean {
  return key instanceof Scalar && key.value === '<<' && key.type === 'PLAIN';
}

function kindOf(node: unknown): string {
  if (node instanceof YAMLSeq) return 'a list';
  const value: unknown = node instanceof Scalar ? node.value : null;
  return value === null ? 'empty' : `'${String(value).slice(0, 60)}'`;
}
