import { Alias, type Document, LineCounter, type Node, parseAllDocuments, Scalar, YAMLMap, YAMLSeq } from 'yaml';
import { findTooDeep } from '../../compiler/read/check-size.ts';
import { findUnclearBreak } from '../../compiler/read/parse.ts';
import type { Json } from '../../workflows/plan/values/json.ts';
import { escapeLine } from '../../workflows/plan/values/printable.ts';

/** A position in a file. Lines and columns count from 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** A value of an imported file, with the place of its key, or of the value itself in a list. */
export interface SourceValue {
  readonly place: Place;
  readonly value: Json;
  /** The entries of a map. */
  readonly fields?: ReadonlyMap<string, SourceValue>;
  /** The elements of a list. */
  readonly items?: readonly SourceValue[];
  /** The number of values in it, including itself; each alias counts with the size of its target. */
  readonly size: number;
}

/** Thrown when a file, or one of its DAGs, cannot be imported; the message says what to do. */
export class ImportError extends Error {
  override readonly name = 'ImportError';
  constructor(
    message: string,
    readonly place: Place,
  ) {
    super(message);
  }
}

/** Limits the recursion of the reader. Airflow's own format nests values two or three times as deep as dag-factory. */
const MAX_DEPTH = 256;
const MAX_CHARACTERS = 8 * 1024 * 1024;
/** Rejects nested aliases that expand to too many values, before they are traversed. */
const MAX_VALUES = 500_000;

/**
 * Parses YAML as dag-factory does (PyYAML's 1.1: `yes` is true, `<<` merges), except that dates stay text. Accepts JSON too.
 * @throws ImportError with the place of the mistake
 */
export function readSource(file: string, text: string): SourceValue {
  const start: Place = { file, line: 1, column: 1 };
  if (text.length > MAX_CHARACTERS) {
    const given = `${text.length.toLocaleString('en')} characters`;
    throw new ImportError(`The file has ${given}; ${MAX_CHARACTERS.toLocaleString('en')} are allowed. Export fewer DAGs at a time.`, start);
  }
  const lines = new LineCounter();
  const placeAt = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { file, line: Math.max(1, line), column: Math.max(1, col) };
  };
  /** The parser has not counted the lines yet. */
  const placeOf = (offset: number): Place => {
    const before = text.slice(0, offset).split('\n');
    return { file, line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
  };
  const unclear = findUnclearBreak(text);
  if (unclear) {
    throw new ImportError(
      `Here stands ${unclear.what}, which ends a line for some programs and not for others: ${unclear.hint}.`,
      placeOf(unclear.offset),
    );
  }
  try {
    const tooDeep = findTooDeep(text, MAX_DEPTH);
    if (tooDeep !== undefined) throw new ImportError(`The file is nested more than ${MAX_DEPTH} levels deep.`, placeOf(tooDeep));
    const documents = parseAllDocuments(text, {
      version: '1.1',
      customTags: (tags) => tags.filter((tag) => typeof tag === 'string' || !PLAIN.has(tag.tag)),
      lineCounter: lines,
      prettyErrors: false,
      logLevel: 'silent',
    });
    const [document, second] = 'empty' in documents ? [] : documents;
    if (!document) throw new ImportError('The file is empty.', start);
    const [error] = [...document.errors].sort((a, b) => a.pos[0] - b.pos[0]);
    if (error) throw new ImportError(`This cannot be read: ${error.message.replace(/\.?$/, '.')}`, placeAt(error.pos[0]));
    if (second) {
      throw new ImportError('The file holds more than one document. Put each into a separate file.', placeAt(second.range[0]));
    }
    return new SourceReader(document, placeAt).read(document.value, document.value);
  } catch (error) {
    // The lexer recurses at document separators.
    if (error instanceof RangeError) throw new ImportError('The file has more documents than can be read.', start);
    throw error;
  }
}

/** YAML 1.1 tags that are ignored: dates stay text, and the reader merges maps itself to keep their places. */
const PLAIN: ReadonlySet<string> = new Set(['tag:yaml.org,2002:timestamp', 'tag:yaml.org,2002:merge']);

class SourceReader {
  private readonly known = new Map<Node, SourceValue>();
  private readonly open = new Set<Node>();

  constructor(
    private readonly document: Document,
    private readonly placeAt: (offset: number) => Place,
  ) {}

  /** @param shown the node whose place the value gets: its key, or itself */
  read(node: Node | null, shown: Node): SourceValue {
    const place = this.placeAt(shown.range?.[0] ?? 0);
    return node === null ? scalarOf(null, place) : { ...this.resolve(node, place), place };
  }

  private resolve(node: Node, place: Place): SourceValue {
    const target = node instanceof Alias ? node.resolve(this.document) : node;
    if (!target) throw new ImportError(`There is no anchor '${node instanceof Alias ? node.source : ''}' before this alias.`, place);
    const known = this.known.get(target);
    if (known) return known;
    if (this.open.has(target)) throw new ImportError('This alias stands inside of what it means.', place);
    this.open.add(target);
    const found = this.convert(target, place);
    this.open.delete(target);
    if (found.size > MAX_VALUES) {
      const allowed = MAX_VALUES.toLocaleString('en');
      throw new ImportError(`With its aliases written out this has more than ${allowed} values. Import a smaller file.`, place);
    }
    this.known.set(target, found);
    return found;
  }

  private convert(node: Node, place: Place): SourceValue {
    if (node instanceof YAMLMap) return this.convertMap(node, place);
    if (node instanceof YAMLSeq) {
      const items = Array.from(node as YAMLSeq<Node>, (item) => this.read(item, item ?? node));
      return { place, value: items.map(({ value }) => value), items, size: sizeOf(items) };
    }
    const value = node instanceof Scalar ? (isLetter(node.source) ? node.source : node.value) : null;
    const plain = typeof value === 'bigint' ? Number(value) : value;
    const known = typeof plain === 'string' || typeof plain === 'number' || typeof plain === 'boolean' || plain === null;
    return scalarOf(known ? plain : String(plain), place);
  }

  private convertMap(map: YAMLMap, place: Place): SourceValue {
    const own = new Map<string, SourceValue>();
    const merged = new Map<string, SourceValue>();
    for (const { key, value } of map.pairs()) {
      const name = key instanceof Scalar ? (key.source ?? String(key.value)) : key.toString();
      const read = this.read(value, key);
      if (name !== '<<') {
        own.set(name, read);
        continue;
      }
      // The first merged map that has a key wins.
      for (const source of read.items ?? [read])
        for (const [each, field] of source.fields ?? []) if (!merged.has(each)) merged.set(each, field);
    }
    return mapOf(new Map([...merged, ...own]), place);
  }
}

/** Booleans of YAML 1.1 that PyYAML reads as text. */
function isLetter(source: string | undefined): source is string {
  return /^[yn]$/i.test(source ?? '');
}

/** Creates a map of `fields`. */
export function mapOf(fields: ReadonlyMap<string, SourceValue>, place: Place): SourceValue {
  const value = Object.fromEntries([...fields].map(([key, each]) => [key, each.value]));
  return { place, value, fields, size: sizeOf([...fields.values()]) };
}

/** Creates a scalar at `place`. */
export function scalarOf(value: string | number | boolean | null, place: Place): SourceValue {
  return { place, value, size: 1 };
}

function sizeOf(values: readonly SourceValue[]): number {
  return values.reduce((sum, { size }) => sum + size, 1);
}

/** Formats `file:line:column`, which editors and terminals turn into a link. */
export function formatPlace({ file, line, column }: Place): string {
  return `${escapeLine(file)}:${line}:${column}`;
}
