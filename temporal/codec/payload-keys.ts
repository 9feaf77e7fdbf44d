import { createSecretKey, type KeyObject } from 'node:crypto';
import { type Environment, SettingError } from '../../lib/environment.ts';

/** The payload keys of a deployment, and whether it accepts unencrypted payloads. */
export interface PayloadKeys {
  /** The id of the key that encrypts. */
  readonly first: string;
  /** All keys that decrypt, by id. */
  readonly byId: ReadonlyMap<string, KeyObject>;
  /** Whether to read unencrypted payloads, which were written before keys were configured. */
  readonly readsPlain: boolean;
}

const ID = /^[A-Za-z0-9_-]{1,32}$/;
const KEY_BYTES = 32;
const FORM = '`SLUICE_PAYLOAD_KEYS` has the form `id:key,id:key`: the first key encrypts, all decrypt';
const MAKE = 'make a key with `openssl rand -base64 32`';

/**
 * Reads the keys from the environment; undefined without `SLUICE_PAYLOAD_KEYS`.
 * @throws SettingError that names the invalid entry, but never its value
 */
export function payloadKeysFrom(environment: Environment): PayloadKeys | undefined {
  const text = environment.SLUICE_PAYLOAD_KEYS;
  const plain = environment.SLUICE_PAYLOAD_PLAIN;
  if (plain && plain !== 'read') throw new SettingError(`SLUICE_PAYLOAD_PLAIN is '${plain}'; allowed: read, or not set.`);
  if (!text) return undefined;
  const byId = new Map<string, KeyObject>();
  for (const [index, entry] of text.split(',').entries()) {
    const [id, key] = readEntry(entry.trim(), index + 1);
    if (byId.has(id)) throw new SettingError(`SLUICE_PAYLOAD_KEYS has two keys with the id '${id}': give each a different id.`);
    byId.set(id, key);
  }
  const [first = ''] = byId.keys();
  return { first, byId, readsPlain: plain === 'read' };
}

function readEntry(entry: string, position: number): [string, KeyObject] {
  const colon = entry.indexOf(':');
  if (colon < 0) throw new SettingError(`Entry ${position} of SLUICE_PAYLOAD_KEYS has no id. ${FORM}.`);
  const id = entry.slice(0, colon);
  if (!ID.test(id)) {
    throw new SettingError(
      `The id of entry ${position} of SLUICE_PAYLOAD_KEYS is not valid; allowed: 1 to 32 letters, digits, '-' and '_'. ${FORM}.`,
    );
  }
  const text = entry.slice(colon + 1);
  const key = Buffer.from(text, 'base64');
  // Node ignores characters that are not base64, so a mistyped key would silently become another key.
  if (key.toString('base64').replace(/=+$/, '') !== text.replace(/=+$/, '')) {
    throw new SettingError(`The key '${id}' in SLUICE_PAYLOAD_KEYS is not base64: ${MAKE}.`);
  }
  if (key.length !== KEY_BYTES) {
    throw new SettingError(`The key '${id}' in SLUICE_PAYLOAD_KEYS has ${key.length} bytes; AES-256 needs ${KEY_BYTES}: ${MAKE}.`);
  }
  return [id, createSecretKey(key)];
}
