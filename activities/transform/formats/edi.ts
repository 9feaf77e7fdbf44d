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

/** Tags that begin and end messages, in EDIFACT and X12. */
const MESSAGE_STARTS: ReadonlySet<string> = new Set(['UNH', 'ST']);
const MESSAGE_ENDS: ReadonlySet<string> = new Set(['UNT', 'SE']);
/** The tags around messages, with those that end them: of an interchange, and of a group in it. */
const ENVELOPES: Readonly<Record<string, string>> = { UNB: 'UNZ', ISA: 'IEA', UNG: 'UNE', GS: 'GE' };
const ENVELOPE_ENDS: ReadonlySet<string> = new Set(Object.values(ENVELOPES));
/** A tag has 2 or 3 letters and digits. */
const TAG = /^[A-Z][A-Z0-9]{1,2}$/;

/** A segment: a list of elements, each a list of components. The tag is element 0, so that the others have the numbers of EDI's manuals. */
type Segment = readonly (readonly string[])[];

/**
 * Reads EDI files of segments, elements and components, such as EDIFACT and X12. A record is a map from tags to their segments:
 * `record.LIN[0][3][0]` is the first component of the third element of its first LIN. `record.header` has the segments before the records
 * of its message, and those that begin its interchange and group. The numbers of segments and messages that the file declares are checked,
 * and that it is complete.
 */
export async function* readEdi(text: AsyncIterable<string>, edi: Edi): AsyncGenerator<readonly SourceRecord[]> {
  const records = new EdiRecords(edi.record_segment);
  let rest = '';
  let separators: Separators | undefined;
  const take = (isLast: boolean): readonly SourceRecord[] => {
    if (!separators) {
      rest = rest.trimStart();
      if (rest.length < ISA_LENGTH && !isLast) return [];
      separators = { ...separatorsOf(rest), ...edi.separators };
      if (rest.startsWith('UNA')) rest = rest.slice(UNA_LENGTH);
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

/** An interchange, or a group in one. */
interface Envelope {
  /** The tag that ends it. */
  readonly end: string;
  /** Its first segment, and others before its first message. */
  readonly segments: Segment[];
  /** The groups and messages in it so far. */
  parts: number;
}

type Segments = Record<string, Segment[]>;

/** Groups segments into records. */
class EdiRecords {
  private readonly envelopes: Envelope[] = [];
  /** Segments outside of envelopes and messages. */
  private readonly loose: Segment[] = [];
  private header: Segments = {};
  private current: Segments | undefined;
  private size = 0;
  private message: { segments: number } | undefined;
  private hasMessages = false;
  private records = 0;

  constructor(private readonly recordSegment: string | undefined) {}

  add(segment: Segment): SourceRecord[] {
    const tag = segment[0]?.[0] ?? '';
    if (!TAG.test(tag)) throw new FileBroken(`'${tag.slice(0, 40)}' is not the tag of a segment: check \`separators\``);
    if (this.message) this.message.segments += 1;
    if (MESSAGE_ENDS.has(tag)) {
      this.endMessage(tag, segment);
      return this.close();
    }
    const isRecord = tag === this.recordSegment;
    const isStart = MESSAGE_STARTS.has(tag);
    const isOutside = isStart || (!isRecord && (Object.hasOwn(ENVELOPES, tag) || ENVELOPE_ENDS.has(tag)));
    if (isOutside && this.message) throw new FileBroken(`it is cut short: ${tag} comes before the end of a message`);
    const found = isOutside || isRecord ? this.close() : [];
    if (isOutside && ENVELOPE_ENDS.has(tag)) {
      this.endEnvelope(tag, segment);
      return found;
    }
    if (isStart) this.beginMessage();
    else if (isOutside) this.beginEnvelope(tag);
    if (isRecord) this.current = {};
    this.keep(segment);
    return found;
  }

  /** @throws FileBroken when a part is missing */
  end(): SourceRecord[] {
    const missing = this.message ? 'the end of a message' : this.envelopes.at(-1)?.end;
    if (missing !== undefined) throw new FileBroken(`it is cut short: ${missing} is missing`);
    const last = this.close();
    if (this.records > 0) return last;
    if (this.recordSegment === undefined)
      throw new FileBroken('it has no message (UNH or ST): name the segment that begins a record in `record_segment`');
    throw new FileBroken(`it has no segment ${this.recordSegment}: check \`record_segment\``);
  }

  private beginMessage(): void {
    this.beginPart();
    this.message = { segments: 1 };
    this.hasMessages = true;
    this.header = {};
    for (const segment of [...this.loose, ...this.envelopes.flatMap(({ segments }) => segments)]) put(this.header, segment);
    if (this.recordSegment === undefined) this.current = {};
  }

  private endMessage(tag: string, segment: Segment): void {
    const { segments = 0 } = this.message ?? {};
    this.message = undefined;
    const declared = declaredBy(segment);
    if (Number(declared) === segments) return;
    throw new FileBroken(`a message declares ${declared} segments in ${tag}, and has ${segments}: a part is missing or was added`);
  }

  private beginEnvelope(tag: string): void {
    this.beginPart();
    this.envelopes.push({ end: ENVELOPES[tag] ?? '', segments: [], parts: 0 });
  }

  private endEnvelope(tag: string, segment: Segment): void {
    const envelope = this.envelopes.pop();
    if (envelope?.end !== tag) throw new FileBroken(`it is cut short: ${envelope?.end ?? `the start of what ${tag} ends`} is missing`);
    const declared = declaredBy(segment);
    if (!this.hasMessages || Number(declared) === envelope.parts) return;
    throw new FileBroken(`${tag} declares ${declared} messages or groups, and there are ${envelope.parts}: a part is missing or was added`);
  }

  private beginPart(): void {
    const outer = this.envelopes.at(-1);
    if (outer) outer.parts += 1;
  }

  private keep(segment: Segment): void {
    this.size += segment.flat().reduce((sum, component) => sum + component.length + 1, 0);
    if (this.size > MAX_RECORD_CHARACTERS)
      throw new FileBroken(`a record has more than ${MAX_RECORD_CHARACTERS.toLocaleString('en')} characters: check \`record_segment\``);
    if (this.message === undefined && this.current === undefined) {
      const envelope = this.envelopes.at(-1);
      if (envelope ? envelope.parts === 0 : !this.hasMessages) (envelope?.segments ?? this.loose).push(segment);
      // The header of a message is made when it begins, and its records keep it.
      if (this.hasMessages) return;
    }
    put(this.current ?? this.header, segment);
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

function put(into: Segments, segment: Segment): void {
  (into[segment[0]?.[0] ?? ''] ??= []).push(segment);
}

/** The number in the segment that ends something. */
function declaredBy(segment: Segment): string {
  return segment[1]?.[0] ?? '';
}
