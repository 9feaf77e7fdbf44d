import { Alias, type Document, isNode, LineCounter, type Node, type Pair, parseDocument, type Range, Scalar, YAMLMap, YAMLSeq } from 'yaml';
import { type Code, WARNINGS } from '../mistakes/codes.ts';
import type { Diagnostic } from '../mistakes/diagnostic.ts';
import { mergeKeys } from './merge-keys.ts';

/** The way to a place in a document: keys and indices. */
export type Path = readonly (string | number)[];

/** How pipelines are read. */
export const YAML_OPTIONS = { version: '1.2', prettyErrors: false, uniqueKeys: true, logLevel: 'error' } as const;

/** A file is shown with so many mistakes and warnings. */
const MAX_DIAGNOSTICS = 500;
/** Of longer lines, in characters, only the part around a mistake goes with it. */
const MAX_LINE = 2_000;

/** A text whose lines can be shown. */
class TextFile {
  private counted: LineCounter | undefined;

  constructor(
    readonly file: string,
    readonly text: string,
  ) {}

  /** Where lines begin. Counted here and not by the parser, so that what is refused before it is parsed has a place too. */
  get lines(): LineCounter {
    if (this.counted) return this.counted;
    const lines = (this.counted = new LineCounter());
    lines.addNewLine(0);
    for (let at = this.text.indexOf('\n'); at >= 0; at = this.text.indexOf('\n', at + 1)) lines.addNewLine(at + 1);
    return lines;
  }
}

/** A value that stands in another file, whose name stands at `at`. */
interface Included {
  readonly at: Path;
  readonly in: TextFile;
}

/** A YAML file while it is compiled: it knows where everything stands, and collects what is wrong. */
export class Source {
  readonly diagnostics: Diagnostic[] = [];
  private parsed: Document | undefined;
  /** Paths that have been reported: what follows from the same mistake stays quiet. */
  private readonly reported: string[] = [];
  private readonly told = new Set<string>();
  /** Values that stand in other files, by their paths. */
  private readonly included = new Map<string, Included>();
  private readonly own: TextFile;

  constructor(
    /** As it is shown in messages. */
    readonly file: string,
    readonly text: string,
  ) {
    this.own = new TextFile(file, text);
  }

  /** Says that the value at `path` is a text that stands in another file, whose name stands at `at`. */
  include(path: Path, at: Path, { file, text }: { readonly file: string; readonly text: string }): void {
    this.included.set(keyOf(path), { at, in: new TextFile(file, text) });
  }

  /** All texts that the pipeline is made of: its file, and those that it names. */
  get texts(): readonly string[] {
    return [this.text, ...Array.from(this.included.values(), (each) => each.in.text)];
  }

  /** The path as it is written: where a value stands in another file, the path of that file's name. */
  writtenAt(path: Path): Path {
    return this.included.get(keyOf(path))?.at ?? path;
  }

  /** Says that nothing stands at `path` because of a mistake that is told: it is not missing. */
  expectNone(path: Path): void {
    this.reported.push(keyOf(path));
  }

  /** The syntax tree: it knows where everything stands. Large: see `forget`. */
  get document(): Document {
    if (this.parsed) return this.parsed;
    const document = parseDocument(this.text, YAML_OPTIONS);
    mergeKeys(document, this.text);
    return (this.parsed = document);
  }

  set document(document: Document) {
    this.parsed = document;
  }

  /** Lets the syntax tree go; it is made again if something is still to be reported. Of ten thousand files hardly one needs it twice. */
  forget(): void {
    this.parsed = undefined;
  }

  /** How many mistakes make the file bad. */
  get errors(): number {
    return this.diagnostics.reduce((sum, { severity }) => sum + (severity === 'error' ? 1 : 0), 0);
  }

  /** Whether there are as many mistakes as are shown: whoever reports many may stop. */
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
    // A warning less changes nothing; a mistake that is not shown must not make the file good.
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
    // What an alias or a merge repeats is wrong at one place.
    const told = `${code} ${file} ${offset} ${message}`;
    if (this.told.has(told)) return;
    this.told.add(told);
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

  /** Reports the value at `path`, or its nearest ancestor that stands in the file. */
  report(code: Code, path: Path, message: string, hint?: string): void {
    this.reported.push(keyOf(path));
    const [from, to] = this.valueRange(path);
    this.reportAt(code, from, to - from, message, hint);
  }

  /** Reports the key at the end of `path`. */
  reportKey(code: Code, path: Path, message: string, hint?: string): void {
    this.reported.push(keyOf(path));
    const [from, to] = this.pairAt(this.writtenAt(path))?.key.range ?? this.valueRange(path);
    this.reportAt(code, from, to - from, message, hint);
  }

  /** Reports that something is missing in the map at `path`: at its `name`, else its first key, or where the map itself is named. */
  reportInside(code: Code, path: Path, message: string, hint?: string): void {
    const node = this.nodeAt(path);
    const pairs = node instanceof YAMLMap ? [...node.pairs()] : [];
    const shown = pairs.find((pair) => isKey(pair, 'name'))?.value ?? pairs[0]?.key;
    const [from, to] = shown?.range ?? this.valueRange(path);
    this.reportAt(code, from, to - from, message, hint);
  }

  /** Reports a part of the text at `path`, `from` and `to` being places in its value; all of it where YAML writes the value otherwise. */
  reportPart(code: Code, path: Path, from: number, to: number, message: string, hint?: string): void {
    this.reported.push(keyOf(path));
    const included = this.included.get(keyOf(path));
    if (included) return this.reportIn(included.in, code, from, to - from, message, hint);
    const [start, end] = this.valueRange(path);
    const node = this.nodeAt(path);
    const value = node instanceof Scalar && typeof node.value === 'string' ? node.value : '';
    const at = this.text.slice(start, end).indexOf(value.split('\n')[0] ?? '');
    const verbatim = value !== '' && at >= 0 && this.text.slice(start + at, start + at + to) === value.slice(0, to);
    if (verbatim) this.reportAt(code, start + at + from, to - from, message, hint);
    else this.reportAt(code, start, end - start, message, hint);
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

  /** Where the value at `path` stands, or its nearest ancestor that does; both count from 1. */
  placeOf(path: Path): { readonly line: number; readonly column: number } {
    const { line, col } = this.own.lines.linePos(this.valueRange(path)[0]);
    return { line, column: col };
  }

  /** What stands in the file at `path`. */
  textAt(path: Path): string {
    return this.text.slice(...this.valueRange(path));
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

  private valueRange(given: Path): [number, number] {
    const path = this.writtenAt(given);
    for (let length = path.length; length >= 0; length--) {
      const node = this.nodeAt(path.slice(0, length));
      const range: Range | null | undefined = node?.range;
      if (!range) continue;
      // An empty value has no text of its own: its key is shown. So is a map's or a list's, whose text may fill the screen.
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

function keyOf(path: Path): string {
  return path.map((step) => `/${step}`).join('') + '/';
}
