import { randomBytes } from 'node:crypto';

/** A new key as an entry of SLUICE_PAYLOAD_KEYS. */
export function payloadKey(id: string): string {
  return `${id}:${randomBytes(32).toString('base64')}`;
}
