/** A secret, and the user name that belongs to it, if any: both are sent together as `Basic …`. */
export interface Secret {
  readonly value: string;
  readonly user?: string;
}

/** A shorter secret cannot be distinguished from ordinary text. */
export const MIN_SECRET_LENGTH = 4;
/** Shorter parts of base64 match by chance. */
const MIN_BASE64_LENGTH = 8;

/** All forms in which servers, drivers and programs print a secret: plain, URL-encoded, JSON, HTML, base64, hexadecimal. */
export function secretForms({ value, user }: Secret): string[] {
  if (value.length < MIN_SECRET_LENGTH) return [];
  const texts = [value, ...urlForms(value), ...jsonForms(value), ...htmlForms(value)];
  const pairs = user === undefined ? [] : [Buffer.from(`${user}:${value}`).toString('base64')];
  const base64 = [...pairs, ...base64Parts(value)].filter((part) => part.length >= MIN_BASE64_LENGTH);
  const everywhere = base64.flatMap((part) => {
    const urlSafe = part.replaceAll('+', '-').replaceAll('/', '_');
    return [part, urlSafe, ...urlForms(part)];
  });
  const hex = Buffer.from(value).toString('hex');
  return [...new Set([...texts, ...everywhere, hex, hex.toUpperCase()])];
}

function urlForms(value: string): string[] {
  const encoded = encodeURIComponent(toWellFormed(value));
  const strict = encoded.replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
  const [form = ''] = new URLSearchParams([[toWellFormed(value), '']]).toString().split('=');
  const inUrl = new URL('http://host/');
  inUrl.password = value;
  inUrl.pathname = `/${value}`;
  const all = [encoded, strict, form, inUrl.password, inUrl.pathname.slice(1), encodeURI(toWellFormed(value))];
  return [...all, ...all.map((text) => text.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase())), encodeURIComponent(encoded)];
}

/** The value in a JSON text, and in a JSON text nested in another. */
function jsonForms(value: string): string[] {
  const once = JSON.stringify(value).slice(1, -1);
  const escape = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  // As Go, Java and Python escape it.
  const others = [
    once.replace(/[<>&]/g, escape),
    once.replace(/[<>&'=]/g, escape),
    once.replace(/[\u0080-\uffff]/g, escape),
    once.replaceAll('/', '\\/'),
  ];
  return [once, ...others, JSON.stringify(once).slice(1, -1)];
}

function htmlForms(value: string): string[] {
  const named: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
  return [value.replace(/[&<>"']/g, (character) => named[character] ?? character)];
}

/** The base64 that all texts containing the value share, at any position: three forms, without their edges. */
function base64Parts(value: string): string[] {
  const bytes = Buffer.from(value);
  return [0, 1, 2].map((before) => {
    const text = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64');
    return text.slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6));
  });
}

/** An unpaired surrogate cannot be URL-encoded. */
function toWellFormed(value: string): string {
  return Buffer.from(value).toString();
}
