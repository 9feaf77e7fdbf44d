/** A secret, and the name that goes with it where there is one: together they are sent as `Basic …`. */
export interface Secret {
  readonly value: string;
  readonly user?: string;
}

/** A shorter secret cannot be told from other words. */
export const MIN_SECRET_LENGTH = 4;
/** Parts of base64 that are shorter could be anything. */
const MIN_BASE64_LENGTH = 8;

/** All that a secret can look like in what servers, drivers and programs write: as it is, URL-encoded, in JSON, in HTML, in base64, in hexadecimal digits. */
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

/** In a JSON text, and in one that is a text inside of another. */
function jsonForms(value: string): string[] {
  const once = JSON.stringify(value).slice(1, -1);
  const escape = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  // As Go, Java and Python write it.
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

/** What base64 of any text that holds the value has in common, wherever in it the value begins: three forms, without their edges. */
function base64Parts(value: string): string[] {
  const bytes = Buffer.from(value);
  return [0, 1, 2].map((before) => {
    const text = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64');
    return text.slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6));
  });
}

/** Half a surrogate pair cannot be URL-encoded. */
function toWellFormed(value: string): string {
  return Buffer.from(value).toString();
}
