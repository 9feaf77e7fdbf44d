import { type Secret, secretForms } from './secret-forms.ts';

/** Replaces a secret. */
const HIDDEN = '***';

const FORMS: readonly (readonly [RegExp, string])[] = [
  // user:password@ in a URL
  [/([a-z][a-z0-9+.-]*:\/\/)[^\s/@'"]+@/gi, `$1${HIDDEN}@`],
  [/\b(authorization\s*[:=]\s*)(bearer|basic)?\s*[^\s,;'"]+/gi, `$1${HIDDEN}`],
  [/\b(bearer\s+)[a-z0-9._~+/-]{8,}=*/gi, `$1${HIDDEN}`],
  [
    /((?:password|passwd|pwd|secret|token|api[_-]?key|access[_-]?key(?:[_-]?id)?|routing[_-]?key|credential)s?["']?\s*[:=]\s*)("[^"]*"|'[^']*'|[^\s,;&)}\]]+)/gi,
    `$1${HIDDEN}`,
  ],
  [/\b(AKIA|ASIA)[A-Z0-9]{16}\b/g, HIDDEN],
  // The path of a Slack webhook is its credential.
  [/(https?:\/\/hooks\.slack(?:-gov)?\.com\/)[^\s<>|"'),]+/gi, `$1${HIDDEN}`],
  [/([?&](?:x-amz-signature|x-amz-credential|x-amz-security-token|sig|signature)=)[^&\s]+/gi, `$1${HIDDEN}`],
];

/** The start or end of a secret is hidden too if it has at least this length, because texts may be cut. */
const PART_LENGTH = 8;
/** Common words in messages. They are not hidden as the start or end of a secret. */
const COMMON_WORD = /^(passwords?|postgres(ql)?|redshift|rabbitmq|registry|database|connection|sqlalchemy|pagerduty|schema_registry)$/i;

/** A hidden range of a text: from, and up to. */
type Place = readonly [from: number, to: number];

/** Hides known secrets in all their forms: see secret-forms.ts. */
export class Scrubber {
  private readonly heads: FormIndex | undefined;
  private readonly tails: FormIndex | undefined;
  private readonly short: RegExp | undefined;

  constructor(secrets: readonly Secret[]) {
    const forms = [...new Set(secrets.flatMap(secretForms))].sort((a, b) => b.length - a.length);
    const long = forms.filter((form) => form.length >= PART_LENGTH);
    if (long.length > 0) {
      this.heads = new FormIndex(long, (form) => form.slice(0, PART_LENGTH));
      this.tails = new FormIndex(long, (form) => form.slice(-PART_LENGTH));
    }
    const short = forms.filter((form) => form.length < PART_LENGTH);
    if (short.length > 0) this.short = new RegExp(`(?<![A-Za-z0-9])(?:${short.map(escaped).join('|')})(?![A-Za-z0-9])`, 'g');
  }

  /** Removes secrets from a text. */
  hide(text: string): string {
    const begins = this.heads?.placesIn(text, (form, at): Place => [at, at + commonLength(text, at, form)]) ?? [];
    const ends = this.tails?.placesIn(text, (form, at): Place => [at + PART_LENGTH - commonTail(text, at, form), at + PART_LENGTH]) ?? [];
    const long = withoutPlaces(text, [...begins, ...ends]);
    return this.short ? long.replace(this.short, HIDDEN) : long;
  }

  /** Removes secrets from keys and values of JSON; returns the same object if there are none. */
  hideIn<T>(value: T): T {
    if (typeof value === 'string') return this.hide(value) as T;
    if (Array.isArray(value)) {
      const list = value as readonly unknown[];
      const clean = list.map((each) => this.hideIn(each));
      return clean.some((each, index) => each !== list[index]) ? (clean as T) : value;
    }
    if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
    const entries = Object.entries(value);
    const clean = entries.map(([key, each]) => [this.hide(key), this.hideIn(each)] as const);
    return clean.some(([key, each], index) => key !== entries[index]?.[0] || each !== entries[index]?.[1])
      ? (Object.fromEntries(clean) as T)
      : value;
  }

  /** Removes secrets from the message, stack, details and causes of an error. Changes the error itself if possible. */
  hideInError(error: unknown): unknown {
    if (typeof error === 'string') return this.hide(error);
    if (!(error instanceof Error)) return this.hideIn(error);
    const { stack, cause } = error;
    const clean = setAll(error, { message: this.hide(error.message) }) ? error : renamed(error, this.hide(error.message));
    if (stack !== undefined) setAll(clean, { stack: this.hide(stack) });
    if (cause !== undefined) setAll(clean, { cause: this.hideInError(cause) });
    if ('details' in error) setAll(clean, { details: this.hideIn(error.details) });
    return clean;
  }
}

/** Indexes forms of secrets by a part of each. */
class FormIndex {
  private readonly byPart = new Map<string, string[]>();
  private readonly parts: RegExp;

  constructor(forms: readonly string[], partOf: (form: string) => string) {
    for (const form of forms) {
      const part = partOf(form);
      this.byPart.set(part, [...(this.byPart.get(part) ?? []), form]);
    }
    this.parts = new RegExp([...this.byPart.keys()].map(escaped).join('|'), 'g');
  }

  /** @param placeOf the range of a form whose part is at a position of the text */
  placesIn(text: string, placeOf: (form: string, at: number) => Place): Place[] {
    const places: Place[] = [];
    this.parts.lastIndex = 0;
    for (let found = this.parts.exec(text); found; found = this.parts.exec(text)) {
      const at = found.index;
      for (const form of this.byPart.get(found[0]) ?? []) places.push(placeOf(form, at));
      // Secrets may have a common start, so continue right after it: another secret may start inside the match.
      this.parts.lastIndex = at + 1;
    }
    return places.filter(([from, to]) => !COMMON_WORD.test(text.slice(from, to)));
  }
}

function withoutPlaces(text: string, places: readonly Place[]): string {
  let clean = '';
  let end = 0;
  for (const [from, to] of [...places].sort(([a], [b]) => a - b)) {
    if (to <= end) continue;
    if (from >= end) clean += text.slice(end, from) + HIDDEN;
    end = to;
  }
  return clean + text.slice(end);
}

/** Length of the part of a form that matches the text at a position. */
function commonLength(text: string, at: number, form: string): number {
  let length = PART_LENGTH;
  while (length < form.length && text[at + length] === form[length]) length++;
  return length;
}

/** Length of the end of a form that matches the text, with its last part at a position. */
function commonTail(text: string, at: number, form: string): number {
  let length = PART_LENGTH;
  while (length < form.length && at + PART_LENGTH > length && text[at + PART_LENGTH - length - 1] === form.at(-length - 1)) length++;
  return length;
}

/** @returns false if the error cannot be changed */
function setAll(error: Error, change: Partial<Record<'message' | 'stack' | 'cause' | 'details', unknown>>): boolean {
  try {
    Object.assign(error, change);
    return Object.entries(change).every(([key, value]) => error[key as keyof Error] === value);
  } catch {
    return false;
  }
}

function renamed({ name }: Error, message: string): Error {
  const error = new Error(message);
  error.name = name;
  return error;
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&');
}

/**
 * Removes secrets from a text for people: `known` secrets, passwords in URLs, values of keys that sound like secrets, and tokens.
 */
export function scrub(text: string, known: Scrubber = new Scrubber([])): string {
  let clean = known.hide(text);
  for (const [form, instead] of FORMS) clean = clean.replace(form, instead);
  return clean;
}
