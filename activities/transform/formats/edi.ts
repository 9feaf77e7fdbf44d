import type { JsonObject } from '../../../workflows/plan/values/json.ts';
import { FileBroken, MAX_RECORD_CHARACTERS, type SourceRecord } from './source-record.ts';

export interface Edi {
  /** The tag of the segment that begins a record. Absent: each message is a record. */
  readonly record_segment?: string;
  /** Absent: those that the file declares (UNA, ISA), else EDIFACT's. */
  readonly separators?: Partial<Separators>;
}

/** One character each; an empty `release` means that there is none. */
export interface Separators {
  readonly segment: string;
  readonly element: string;
  readonly component: string;
  readonly release: string;
}

const EDIFACT: Separators = { segment: "'", element: '+', component: ':', release: '?' };
/** The fixed length of X12's first segment, with its end. */
const ISA_LENGTH = 106;
/** Length of EDIFACT's UNA. */
const UNA_LENGTH = 9;

/** Tags that begin and end what a file contains, in EDIFACT and X12. */
const MESSAGE_STARTS: ReadonlySet<string> = new Set(['UNH', 'ST']);
const MESSAGE_ENDS: ReadonlySet<string> = new Set(['UNT', 'SE']);
/** A tag has 2 or 3 letters and digits. */
const TAG = /^[A-Z][A-Z0-9]{1,2}$/;
const FILE_STARTS: Readonly<Record<string, string>> = { UNB: 'UNZ', ISA: 'IEA' };

/** A segment: a list of elements, each a list of components. The tag is element 0, so that the others have the numbers of EDI's manuals. */
type Segment = readonly (readonly string[])[];

/**
 * Reads EDI files of segments, elements and components, such as EDIFACT and X12. A record is a map from tags to their segments:
 * `record.LIN[0][3][0]` is the first component of the third element of its first LIN. `record.header` has the segments before the records
 * of its message. The number of segments that a message declares is checked, and that the file is complete.
 */
export async function* readEdi(text: AsyncIterable<string>, edi: Edi): AsyncGenerator<readonly SourceRecord[]> {
  const records = new EdiRecords(edi.record_segment);
  let rest = '';
  let separators: Separators | undefined;
  const take = (isLast: boolean): readonly SourceRecord[] => {
    if (!separators) {
      const start = rest.trimStart();
      if (start.length < ISA_LENGTH && !isLast) return [];
      separators = { ...separatorsOf(start), ...edi.separators };
      rest = start.startsWith('UNA') ? start.slice(UNA_LENGTH) : start;
    }
    const { segments, left } = split(rest, separators);
    rest = left;
    if (rest.length > MAX_RECORD_CHARACTERS)
      throw new FileBroken(`a segment has more than ${MAX_RECORD_CHARACTERS.toLocaleString('en')} characters: check \`separators\``);
    return segments.flatMap((segment) => records.add(segment));
  };
  for await (const chunk of text) {
    rest += chunk;
    yield take(false);
  }
  yield take(true);
  if (rest.trim() !== '') throw new FileBroken(`it is cut short: its last segment '${rest.trim().slice(0, 40)}' has no end`);
  yield records.end();
}

function separatorsOf(start: string): Separators {
  if (start.startsWith('UNA') && start.length >= UNA_LENGTH) {
    const [component = '', element = '', , release = '', , segment = ''] = start.slice(3);
    return { component, element, segment, release: release === ' ' ? '' : release };
  }
  if (start.startsWith('ISA') && start.length >= ISA_LENGTH)
    return { element: start[3] ?? '', component: start[104] ?? '', segment: start[105] ?? '', release: '' };
  return EDIFACT;
}

function split(text: string, separators: Separators): { readonly segments: Segment[]; readonly left: string } {
  const { segment: segmentEnd, element, component, release } = separators;
  const segments: Segment[] = [];
  let start = 0;
  let elements: string[][] = [['']];
  const append = (character: string): void => {
    const last = elements.at(-1) ?? [];
    last[last.length - 1] += character;
  };
  for (let at = 0; at < text.length; at++) {
    const character = text[at] ?? '';
    if (release !== '' && character === release) {
      if (at + 1 === text.length) break;
      append(text[++at] ?? '');
    } else if (character === segmentEnd) {
      if (elements.length > 1 || elements[0]?.join('') !== '') segments.push(elements);
      elements = [['']];
      start = at + 1;
    } else if (character === element) elements.push(['']);
    else if (character === component) elements.at(-1)?.push('');
    // Line ends between segments only make a file readable.
    else if (at > start || !/\s/.test(character)) append(character);
    else start = at + 1;
  }
  return { segments, left: text.slice(start) };
}

/** Groups segments into records. */
class EdiRecords {
  /** The segments before the first message. */
  private fileHeader: Record<string, Segment[]> = {};
  private header: Record<string, Segment[]> = {};
  private current: Record<string, Segment[]> | undefined;
  private size = 0;
  private message: { readonly tag: string; segments: number } | undefined;
  private readonly unended: string[] = [];
  private hasMessages = false;
  private records = 0;

  constructor(private readonly recordSegment: string | undefined) {}

  add(segment: Segment): SourceRecord[] {
    const tag = segment[0]?.[0] ?? '';
    if (!TAG.test(tag)) throw new FileBroken(`'${tag.slice(0, 40)}' is not the tag of a segment: check \`separators\``);
    const found: SourceRecord[] = [];
    if (this.message) this.message.segments += 1;
    const fileEnd = FILE_STARTS[tag];
    if (fileEnd !== undefined) this.unended.push(fileEnd);
    else if (tag === this.unended.at(-1)) this.unended.pop();
    if (MESSAGE_STARTS.has(tag)) {
      found.push(...this.close());
      if (!this.hasMessages) this.fileHeader = this.header;
      this.hasMessages = true;
      this.header = Object.fromEntries(Object.entries(this.fileHeader).map(([each, segments]) => [each, [...segments]]));
      this.message = { tag, segments: 1 };
      if (this.recordSegment === undefined) this.current = {};
    }
    if (tag === this.recordSegment) {
      found.push(...this.close());
      this.current = {};
    }
    if (MESSAGE_ENDS.has(tag)) {
      this.endMessage(tag, Number(segment[1]?.[0]));
      return [...found, ...this.close()];
    }
    this.keep(tag, segment);
    return found;
  }

  end(): SourceRecord[] {
    const missing = this.message ? 'the end of a message' : this.unended.at(-1);
    if (missing !== undefined) throw new FileBroken(`it is cut short: ${missing} is missing`);
    const last = this.close();
    if (this.records === 0 && this.recordSegment === undefined)
      throw new FileBroken('it has no message (UNH or ST): name the segment that begins a record in `record_segment`');
    return last;
  }

  private endMessage(tag: string, declared: number): void {
    const { segments = 0 } = this.message ?? {};
    this.message = undefined;
    if (declared === segments) return;
    throw new FileBroken(`a message declares ${declared} segments in ${tag}, and has ${segments}: a part is missing or was added`);
  }

  private keep(tag: string, segment: Segment): void {
    const into = this.current ?? this.header;
    this.size += segment.flat().reduce((sum, component) => sum + component.length + 1, 0);
    if (this.size > MAX_RECORD_CHARACTERS)
      throw new FileBroken(`a record has more than ${MAX_RECORD_CHARACTERS.toLocaleString('en')} characters: check \`record_segment\``);
    (into[tag] ??= []).push(segment);
  }

  private close(): SourceRecord[] {
    const { current } = this;
    this.current = undefined;
    this.size = 0;
    if (current === undefined) return [];
    this.records += 1;
    return [{ value: { header: this.header as JsonObject, ...current } }];
  }
}
