import { sha256Hex } from './sha256.ts';

/** Temporal's databases keep ids of at most so many bytes. */
export const MAX_ID_BYTES = 255;
const HASH_CHARS = 64;
/** What every id begins with, in bytes: the remainder of a longer one is its hash. */
export const KEPT_ID_BYTES = MAX_ID_BYTES - HASH_CHARS - 1;
/** What ids of this function end with; one that comes from outside and ends so is hashed too, so that no two texts share an id. */
const HASHED = /~[0-9a-f]{64}$/;
/** A cut never splits a character, which has 4 bytes at most. */
const SHORTEST_HASHED = MAX_ID_BYTES - 3;

/**
 * An id that Temporal takes: the text itself up to 255 bytes in UTF-8; else its beginning and its SHA-256.
 * @returns a different id for each text
 */
export function boundedId(text: string): string {
  const bytes = new TextEncoder().encode(text);
  if (bytes.length < SHORTEST_HASHED || (bytes.length <= MAX_ID_BYTES && !HASHED.test(text))) return text;
  // JSON writes halves of surrogate pairs as escapes: each has its own hash.
  return `${idBeginning(text)}~${sha256Hex(JSON.stringify(text))}`;
}

/** What the id of a text begins with, and that of every text that begins with it. */
export function idBeginning(text: string): string {
  let end = 0;
  let bytes = 0;
  for (const character of text) {
    bytes += new TextEncoder().encode(character).length;
    if (bytes > KEPT_ID_BYTES) break;
    end += character.length;
  }
  return text.slice(0, end);
}
