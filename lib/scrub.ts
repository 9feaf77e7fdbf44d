import type { Environment } from './environment.ts';
import { connectionsFrom, connectionVariable } from './connections.ts';
import { type Secret, secretsIn, secretsOfAddress } from './connections/secrets.ts';
import { isSecretVariable } from './secret-variables.ts';
import { secretForms } from './secret-forms.ts';

/** What stands in the place of a secret. */
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
  // The path of a webhook of Slack is what lets in.
  [/(https?:\/\/hooks\.slack(?:-gov)?\.com\/)[^\s<>|"'),]+/gi, `$1${HIDDEN}`],
  [/([?&](?:x-amz-signature|x-amz-credential|x-amz-security-token|sig|signature)=)[^&\s]+/gi, `$1${HIDDEN}`],
];

/** A part of a secret that is as long as this at its beginning is hidden too: texts are cut. */
const HEAD_LENGTH = 8;
/** Words of every message. A secret that begins with one does not hide it. */
const COMMON_WORD = /^(passwords?|postgres(ql)?|redshift|rabbitmq|registry|database|connection|sqlalchemy)$/i;

/** Hides secrets that are known, whatever they look like in a text: see secret-forms.ts. */
export class Scrubber {
  /** By their first characters; the longest first. */
  private readonly byHead = new Map<string, string[]>();
  private readonly heads: RegExp | undefined;
  private readonly short: RegExp | undefined;

  constructor(secrets: readonly Secret[]) {
    const forms = [...new Set(secrets.flatMap(secretForms))].sort((a, b) => b.length - a.length);
    for (const form of forms) {
      if (form.length < HEAD_LENGTH) continue;
      const head = form.slice(0, HEAD_LENGTH);
      this.byHead.set(head, [...(this.byHead.get(head) ?? []), form]);
    }
    if (this.byHead.size > 0) this.heads = new RegExp([...this.byHead.keys()].map(escaped).join('|'), 'g');
    const short = forms.filter((form) => form.length < HEAD_LENGTH);
    if (short.length > 0) this.short = new RegExp(`(?<![A-Za-z0-9])(?:${short.map(escaped).join('|')})(?![A-Za-z0-9])`, 'g');
  }

  /** A text without the secrets. */
  hide(text: string): string {
    const long = this.hideLong(text);
    return this.short ? long.replace(this.short, HIDDEN) : long;
  }

  private hideLong(text: string): string {
    if (!this.heads) return text;
    const { heads } = this;
    heads.lastIndex = 0;
    let clean = '';
    let end = 0;
    for (let found = heads.exec(text); found; found = heads.exec(text)) {
      const at = found.index;
      const length = Math.max(...(this.byHead.get(found[0]) ?? []).map((form) => commonLength(text, at, form)));
      if (COMMON_WORD.test(text.slice(at, at + length))) continue;
      clean += text.slice(end, at) + HIDDEN;
      end = heads.lastIndex = at + length;
    }
    return clean + text.slice(end);
  }

  /** JSON without the secrets, in keys and values; the same object where there are none. */
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

  /** An error without the secrets, in its message, stack, details and causes. The error itself is changed where it can be. */
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

function commonLength(text: string, at: number, form: string): number {
  let length = HEAD_LENGTH;
  while (length < form.length && text[at + length] === form[length]) length++;
  return length;
}

/** @returns false where the error does not let itself be changed */
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
 * Takes secrets out of a text that goes to people: those that are `known`, passwords in URLs, values of keys that sound like secrets, tokens.
 */
export function scrub(text: string, known: Scrubber = new Scrubber([])): string {
  let clean = known.hide(text);
  for (const [form, instead] of FORMS) clean = clean.replace(form, instead);
  return clean;
}

/** What knows every secret of an environment: of its connections, of the access to Temporal, of its payloads. */
export function scrubberOf(environment: Environment): Scrubber {
  const connections = connectionsFrom(environment).names();
  const others = Object.entries(environment).filter(([name, value]) => value !== undefined && value !== '' && isSecretVariable(name));
  return new Scrubber([
    ...connections.flatMap((name) => secretsIn(name, environment[connectionVariable(name)] ?? '')),
    ...others.flatMap(([name, value = '']) => partsOf(name, value).map((part) => ({ value: part }))),
    ...secretsOfAddress(environment.SLUICE_DEAD_MANS_SWITCH ?? ''),
  ]);
}

/** The secrets of a variable that is no connection. */
function partsOf(name: string, value: string): string[] {
  return name === 'SLUICE_PAYLOAD_KEYS' ? value.split(',').map((entry) => entry.slice(entry.indexOf(':') + 1)) : [value];
}
