import { SaxesParser, type SaxesTagPlain } from 'saxes';
import type { Json } from '../../../workflows/plan/values/json.ts';
import { FileBroken, MAX_RECORD_CHARACTERS, type SourceRecord } from './source-record.ts';

export interface XmlSource {
  /** The name of the elements that are records. */
  readonly record: string;
  /** Names of elements that become lists, also if there is only one. */
  readonly lists?: readonly string[];
}

/** Maximum nesting of elements. */
const MAX_DEPTH = 100;

/** An element of a record that is being read. */
interface Open {
  readonly name: string;
  /** Attributes as `@name`, and children by name. */
  readonly parts: Map<string, Json[]>;
  text: string;
  readonly isNil: boolean;
}

/**
 * Reads the elements called `record`, with bounded memory. An element without attributes and children is its text; others are maps of
 * attributes (`@name`), children by name (several of one name as a list), and `#text`. `xsi:nil="true"` is null.
 *
 * A document without such elements has no records, unless the name only differs in its prefix or in case: that is a mistake.
 *
 * A DOCTYPE is refused, and with it every entity of its own: no file or address is read, and nothing expands.
 */
export async function* readXml(text: AsyncIterable<string>, source: XmlSource): AsyncGenerator<readonly SourceRecord[]> {
  const reader = new XmlReader(source);
  for await (const chunk of text) yield reader.push(chunk);
  yield reader.end();
}

class XmlReader {
  private found: SourceRecord[] = [];
  private readonly open: Open[] = [];
  private depth = 0;
  private size = 0;
  /** Tags and texts so far. */
  private events = 0;
  /** Characters since the last of them: the parser holds them in memory. */
  private held = 0;
  private hasRecords = false;
  /** The first element whose name is almost that of records. */
  private similar: string | undefined;
  private readonly lists: ReadonlySet<string>;
  private readonly parser = new SaxesParser<{ xmlns: false; position: true }>({ xmlns: false, position: true });

  constructor(private readonly source: XmlSource) {
    this.lists = new Set(source.lists);
    this.parser.on('error', (error) => {
      throw new FileBroken(`it is not well-formed XML: ${error.message}`);
    });
    this.parser.on('doctype', () => {
      throw new FileBroken('it has a DOCTYPE, which could name other files and expand without limit. Remove it from the file');
    });
    this.parser.on('opentag', (tag) => this.onOpen(tag));
    this.parser.on('closetag', () => this.onClose());
    this.parser.on('text', (text) => this.onText(text));
    this.parser.on('cdata', (text) => this.onText(text));
  }

  push(chunk: string): SourceRecord[] {
    const { events } = this;
    this.parser.write(chunk);
    this.held = events === this.events ? this.held + chunk.length : 0;
    if (this.held > MAX_RECORD_CHARACTERS)
      throw new FileBroken(`a text, tag or comment has more than ${MAX_RECORD_CHARACTERS.toLocaleString('en')} characters`);
    return this.take();
  }

  end(): SourceRecord[] {
    this.parser.close();
    if (!this.hasRecords && this.similar !== undefined)
      throw new FileBroken(`it has no element <${this.source.record}>, but <${this.similar}>: name that in \`record\``);
    return this.take();
  }

  private take(): SourceRecord[] {
    const { found } = this;
    this.found = [];
    return found;
  }

  private onOpen({ name, attributes }: SaxesTagPlain): void {
    this.events += 1;
    this.depth += 1;
    if (this.depth > MAX_DEPTH) throw new FileBroken(`its elements are nested more than ${MAX_DEPTH} levels deep`);
    if (this.open.length === 0 && name !== this.source.record) {
      if (localName(name) === localName(this.source.record)) this.similar ??= name;
      return;
    }
    this.hasRecords = true;
    if (this.open.length === 0) this.size = 0;
    this.count(name.length);
    const parts = new Map<string, Json[]>();
    for (const [key, value] of Object.entries(attributes)) {
      this.count(value.length);
      if (key !== 'xsi:nil' && key !== 'xmlns' && !key.startsWith('xmlns:')) parts.set(`@${key}`, [value]);
    }
    this.open.push({ name, parts, text: '', isNil: attributes['xsi:nil'] === 'true' });
  }

  private onText(text: string): void {
    this.events += 1;
    const element = this.open.at(-1);
    if (!element) return;
    this.count(text.length);
    element.text += text;
  }

  private onClose(): void {
    this.events += 1;
    this.depth -= 1;
    const element = this.open.pop();
    if (!element) return;
    const value = this.valueOf(element);
    const parent = this.open.at(-1);
    if (!parent) {
      this.found.push({ value });
      return;
    }
    const others = parent.parts.get(element.name);
    if (others) others.push(value);
    else parent.parts.set(element.name, [value]);
  }

  private valueOf({ parts, text, isNil }: Open): Json {
    if (isNil) return null;
    if (parts.size === 0) return text;
    const entries = [...parts].map(([name, values]): [string, Json] => [
      name,
      values.length === 1 && !this.lists.has(name) ? (values[0] ?? null) : values,
    ]);
    return Object.fromEntries(text.trim() === '' ? entries : [...entries, ['#text', text]]);
  }

  private count(characters: number): void {
    this.size += characters + 1;
    if (this.size > MAX_RECORD_CHARACTERS)
      throw new FileBroken(`a record <${this.source.record}> has more than ${MAX_RECORD_CHARACTERS.toLocaleString('en')} characters`);
  }
}

/** A name without its prefix and without case, to recognize mistakes. */
function localName(name: string): string {
  return name.slice(name.indexOf(':') + 1).toLowerCase();
}
