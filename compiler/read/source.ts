import { Alias, type Document, isNode, type Node, type Pair, parseDocument, type Range, Scalar, YAMLMap, YAMLSeq } from 'yaml';
import { type Code, WARNINGS } from '../mistakes/codes.ts';
import type { Diagnostic } from '../mistakes/diagnostic.ts';
import { mergeKeys } from './merge-keys.ts';
import { TextFile } from './text-file.ts';

/** The path to a value in a document: keys and indices. */
export type Path = readonly (string | number)[];

/** Parser options for pipelines. */
export const YAML_OPTIONS = { version: '1.2', prettyErrors: false, uniqueKeys: true, logLevel: 'error' } as const;

/** Maximum mistakes and warnings per file. */
const MAX_DIAGNOSTICS = 500;
/** Longer lines are cut around the mistake. In characters. */
const MAX_LINE = 2_000;

/** A value from another file; `at` is the path of the key that names the file. */
interface Included {
  readonly at: Path;
  readonly in: TextFile;
}

/** A YAML file during compilation: knows the position of each value, and collects mistakes. */
export class Source {
  readonly diagnostics: Diagnostic[] = [];
  private parsed: Document | undefined;
  /** Paths that have been reported. Consequences of the same mistake are not reported. */
  private readonly reported: string[] = [];
  /** The diagnostics, to report each once. */
  private readonly identities = new Set<string>();
  /** Values from other files, by path. */
  private readonly included = new Map<string, Included>();
  /** The files that values are inherited from, by path. */
  private readonly origins = new Map<string, Source>();
  private readonly own: TextFile;

  constructor(
    /** The file name as messages show it. */
    readonly file: string,
    readonly text: string,
  ) {
    this.own = new TextFile(file, text);
  }

  /** Records that the value at `path` comes from another file, which the key at `at` names. */
  include(path: Path, at: Path, { file, text }: { readonly file: string; readonly text: string }): void {
    this.included.set(keyOf(path), { at, in: new TextFile(file, text) });
  }

  /** Records that the value at `path` is inherited: it is not in this file, but at the same path in `from`. */
  inherit(path: Path, from: Source): void {
    this.origins.set(keyOf(path), from);
  }

  /** Takes over the mistakes in a file that this one inherits from. */
  adopt({ diagnostics }: Source): void {
    for (const each of diagnostics) {
      if (this.isFull) return;
      this.identities.add(identityOf(each));
      this.diagnostics.push(each);
    }
  }

  /** The source whose file has the value at `path`. */
  private originOf(path: Path): Source {
    if (this.origins.size === 0) return this;
    for (let length = path.length; length > 0; length--) {
      const origin = this.origins.get(keyOf(path.slice(0, length)));
      if (origin) return origin;
    }
    return this;
  }

  /** All texts of the pipeline: its file, the files that it names, and those that it inherits from. */
  get texts(): readonly string[] {
    return [
      this.text,
      ...Array.from(this.included.values(), (each) => each.in.text),
      ...Array.from(this.origins.values(), ({ text }) => text),
    ];
  }

  /** The path as written: for a value from another file, the path of the key that names the file. */
  writtenAt(path: Path): Path {
    return this.included.get(keyOf(path))?.at ?? path;
  }

  /** Records that the value at `path` is absent because of a reported mistake, so that it does not count as missing. */
  expectNone(path: Path): void {
    this.reported.push(keyOf(path));
  }

  /** The syntax tree, which has all positions. Large: see `forget`. */
  get document(): Document {
    if (this.parsed) return this.parsed;
    const document = parseDocument(this.text, YAML_OPTIONS);
    mergeKeys(document, this.text);
    return (this.parsed = document);
  }

  set document(document: Document) {
    this.parsed = document;
  }

  /** Releases the syntax tree. It is parsed again if another mistake is reported, which is rare. */
  forget(): void {
    this.parsed = undefined;
  }

  /** The number of mistakes, without warnings. */
  get errors(): number {
    return this.diagnostics.reduce((sum, { severity }) => sum + (severity === 'error' ? 1 : 0), 0);
  }

  /** Whether the maximum number of mistakes is reached, so that further checks can stop. */
  get isFull(): boolean {
    return this.diagnostics.length >= MAX_DIAGNOSTICS;
  }

  /**
   * Runs a step of the compiler. An exception becomes an internal error of this file and does not affect other files.
   * @returns what `step` does; undefined after a fault
   */
  isolate<T>(step: () => T): T | undefined {
    try {
      return step();
    } catch (error) {
      const { message, stack = '' } = error instanceof Error ? error : new Error(String(error));
      const place = /\n\s+(at .*)/.exec(stack)?.[1] ?? '';
      this.push('SL110', 0, 1, `Internal error of Sluice in this file: ${message} (${place})`, 'please report it');
      return undefined;
    }
  }

  /** Reports at a character offset. */
  reportAt(code: Code, offset: number, length: number, message: string, hint?: string): void {
    this.reportIn(this.own, code, offset, length, message, hint);
  }

  private reportIn(file: TextFile, code: Code, offset: number, length: number, message: string, hint: string | undefined): void {
    if (!this.isFull) return this.push(code, offset, length, message, hint, file);
    // A dropped warning changes nothing, but a dropped mistake must still make the file invalid.
    if (WARNINGS.has(code) || this.diagnostics.at(-1)?.code === 'SL109') return;
    const tooMany = `There are more than ${MAX_DIAGNOSTICS} mistakes and warnings; the rest are not shown.`;
    this.push('SL109', offset, length, tooMany, undefined, file);
  }

  private push(code: Code, offset: number, length: number, message: string, hint?: string, { file, text, lines } = this.own): void {
    const { line, col } = lines.linePos(Math.min(offset, text.length));
    const start = lines.lineStarts[line - 1] ?? 0;
    const end = text.indexOf('\n', start);
    const wholeLine = text.slice(start, end < 0 ? undefined : end).replace(/\r$/, '');
    const lineFrom = wholeLine.length > MAX_LINE ? Math.max(0, col - 1 - MAX_LINE / 2) : 0;
    const sourceLine = wholeLine.slice(lineFrom, lineFrom + MAX_LINE);
    // A value that aliases or merges repeat is reported once.
    const identity = identityOf({ code, file, line, column: col, message });
    if (this.identities.has(identity)) return;
    this.identities.add(identity);
    this.diagnostics.push({
      code,
      severity: WARNINGS.has(code) ? 'warning' : 'error',
      message,
      ...(hint !== undefined && { hint }),
      file,
      line: Math.max(1, line),
      column: Math.max(1, col),
      length: Math.max(1, Math.min(length, wholeLine.length - col + 1)),
      sourceLine,
      ...(lineFrom > 0 && { lineFrom }),
    });
  }

  /** Reports the value at `path`, or its nearest ancestor in the file. */
  report(code: Code, path: Path, message: string, hint?: string): void {
    this.reported.push(keyOf(path));
    const origin = this.originOf(path);
    const [from, to] = origin.valueRange(this.writtenAt(path));
    this.reportIn(origin.own, code, from, to - from, message, hint);
  }

  /** Reports the key at the end of `path`. */
  reportKey(code: Code, path: Path, message: string, hint?: string): void {
    this.reported.push(keyOf(path));
    const origin = this.originOf(path);
    const written = this.writtenAt(path);
    const [from, to] = origin.pairAt(written)?.key.range ?? origin.valueRange(written);
    this.reportIn(origin.own, code, from, to - from, message, hint);
  }

  /** Reports a missing key of the map at `path`: at its `name`, else at its first key, or else at the key of the map. */
  reportInside(code: Code, path: Path, message: string, hint?: string): void {
    const origin = this.originOf(path);
    const node = origin.nodeAt(path);
    const pairs = node instanceof YAMLMap ? [...node.pairs()] : [];
    const shown = pairs.find((pair) => isKey(pair, 'name'))?.value ?? pairs[0]?.key;
    const [from, to] = shown?.range ?? origin.valueRange(this.writtenAt(path));
    this.reportIn(origin.own, code, from, to - from, message, hint);
  }

  /** Reports a part of the text at `path`, from `from` to `to` in its value; the whole text if YAML writes the value differently. */
  reportPart(code: Code, path: Path, from: number, to: number, message: string, hint?: string): void {
    this.reported.push(keyOf(path));
    const included = this.included.get(keyOf(path));
    if (included) return this.reportIn(included.in, code, from, to - from, message, hint);
    const origin = this.originOf(path);
    const { own, text } = origin;
    const [start, end] = origin.valueRange(this.writtenAt(path));
    const node = origin.nodeAt(path);
    const value = node instanceof Scalar && typeof node.value === 'string' ? node.value : '';
    const at = text.slice(start, end).indexOf(value.split('\n')[0] ?? '');
    const verbatim = value !== '' && at >= 0 && text.slice(start + at, start + at + to) === value.slice(0, to);
    if (verbatim) this.reportIn(own, code, start + at + from, to - from, message, hint);
    else this.reportIn(own, code, start, end - start, message, hint);
  }

  /** Whether the value at `path` itself has been reported. */
  hasReported(path: Path): boolean {
    return this.reported.includes(keyOf(path));
  }

  /** Whether something at `path`, above it or below it has been reported. */
  isReported(path: Path): boolean {
    const key = keyOf(path);
    return this.reported.some((each) => key.startsWith(each) || each.startsWith(key));
  }

  /** The position of the value at `path`, or of its nearest ancestor in the file; line and column count from 1. */
  placeOf(path: Path): { readonly line: number; readonly column: number } {
    const origin = this.originOf(path);
    const { line, col } = origin.own.lines.linePos(origin.valueRange(this.writtenAt(path))[0]);
    return { line, column: col };
  }

  /** The text of the value at `path`, as in the file. */
  textAt(path: Path): string {
    const origin = this.originOf(path);
    return origin.text.slice(...origin.valueRange(this.writtenAt(path)));
  }

  private nodeAt(path: Path): Node | undefined {
    let node: Node | Pair | null | undefined = this.document.value;
    for (const step of path) {
      if (node instanceof Alias) node = node.resolve(this.document);
      if (node instanceof YAMLMap) node = pairOf(node, step)?.value;
      else if (node instanceof YAMLSeq) node = node[Number(step)];
      else return undefined;
    }
    return isNode(node) ? node : undefined;
  }

  private pairAt(path: Path): Pair | undefined {
    const map = this.nodeAt(path.slice(0, -1));
    const key = path.at(-1);
    return map instanceof YAMLMap && key !== undefined ? pairOf(map, key) : undefined;
  }

  private valueRange(path: Path): [number, number] {
    for (let length = path.length; length >= 0; length--) {
      const node = this.nodeAt(path.slice(0, length));
      const range: Range | null | undefined = node?.range;
      if (!range) continue;
      // Show the key of an empty value, which has no text, and of a map or list, whose text may fill the screen.
      if (range[0] === range[1] || (node instanceof YAMLMap && length > 0) || node instanceof YAMLSeq) {
        const key = this.pairAt(path.slice(0, length))?.key.range;
        if (key) return [key[0], key[1]];
      }
      return [range[0], range[1]];
    }
    return [0, 1];
  }
}

function pairOf(map: YAMLMap, key: string | number): Pair | undefined {
  for (const pair of map.pairs()) if (isKey(pair, key)) return pair;
  return undefined;
}

function isKey({ key }: Pair, name: string | number): boolean {
  return key instanceof Scalar && String(key.value) === String(name);
}

/** Identifies a mistake, so that it is reported once. */
function identityOf({ code, file, line, column, message }: Pick<Diagnostic, 'code' | 'file' | 'line' | 'column' | 'message'>): string {
  return `${code} ${file}:${line}:${column} ${message}`;
}

function keyOf(path: Path): string {
  return path.map((step) => `/${step}`).join('') + '/';
}
