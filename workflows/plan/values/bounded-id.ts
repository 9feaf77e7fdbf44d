import { sha256Hex } from './sha256.ts';

/** Maximum length of ids in Temporal's databases, in bytes. */
export const MAX_ID_BYTES = 255;
const HASH_CHARS = 64;
/** How much of a longer id is kept, in bytes. The rest is its hash. */
export const KEPT_ID_BYTES = MAX_ID_BYTES - HASH_CHARS - 1;
/** The ending of ids made by this function. Other ids with such an ending are hashed too, so that no two texts share an id. */
const HASHED = /~[0-9a-f]{64}$/;
/** A cut never splits a character, which has at most 4 bytes. */
const SHORTEST_HASHED = MAX_ID_BYTES - 3;

/**
 * An id that Temporal accepts: the text itself up to 255 bytes in UTF-8; else its beginning and its SHA-256.
 * @returns a different id for each text
 */
export function boundedId(text: string): string {
  const bytes = new TextEncoder().encode(text);
  if (bytes.length < SHORTEST_HASHED || (bytes.length <= MAX_ID_BYTES && !HASHED.test(text))) return text;
  // JSON escapes unpaired surrogates, so that each has its own hash.
  return `${idBeginning(text)}~${sha256Hex(JSON.stringify(text))}`;
}

/** The common beginning of the ids of all texts that begin with this text. */
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
