import { createCipheriv, createDecipheriv, type KeyObject, randomBytes } from 'node:crypto';
import type { Payload } from '@temporalio/common';
import proto from '@temporalio/proto';
import { bytesOf, textOf } from './payload-text.ts';

const { Payload: PayloadMessage } = proto.temporal.api.common.v1;

const CIPHER = 'aes-256-gcm';
const IV_BYTES = 12;
const TAG_BYTES = 16;
/** The encoding name from Temporal's codec examples. */
const ENCRYPTED = bytesOf('binary/encrypted');
const KEY_ID = 'encryption-key-id';
const MAX_SCOPE_BYTES = 0xffff;

/** A payload and the scope it was encrypted for. */
export interface Unsealed {
  readonly payload: Payload;
  /** Copying the payload elsewhere does not change its scope: see `scopeOf` in codec.ts. */
  readonly scope: string;
}

export function isSealed(payload: Payload): boolean {
  return textOf(payload.metadata?.encoding) === 'binary/encrypted';
}

/** The id of the key that encrypted a payload. */
export function sealKeyId(payload: Payload): string {
  return textOf(payload.metadata?.[KEY_ID]);
}

/** Encrypts and authenticates a payload together with its scope. @param keyId stored unencrypted */
export function seal(payload: Payload, scope: string, keyId: string, key: KeyObject): Payload {
  const named = Buffer.from(scope, 'utf8').subarray(0, MAX_SCOPE_BYTES);
  const head = Buffer.allocUnsafe(2 + named.length);
  head.writeUInt16BE(named.length);
  named.copy(head, 2);
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv(CIPHER, key, iv);
  const parts = [iv, cipher.update(head), cipher.update(PayloadMessage.encode(payload).finish()), cipher.final(), cipher.getAuthTag()];
  return { metadata: { encoding: ENCRYPTED, [KEY_ID]: bytesOf(keyId) }, data: Buffer.concat(parts) };
}

/** @throws Error when the payload was not encrypted with this key, or was changed */
export function unseal({ data }: Payload, key: KeyObject): Unsealed {
  const sealed = data ?? new Uint8Array();
  if (sealed.length < IV_BYTES + TAG_BYTES) throw new Error('it is too short');
  const decipher = createDecipheriv(CIPHER, key, sealed.subarray(0, IV_BYTES), { authTagLength: TAG_BYTES });
  decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
  const plain = Buffer.concat([decipher.update(sealed.subarray(IV_BYTES, -TAG_BYTES)), decipher.final()]);
  const end = 2 + plain.readUInt16BE();
  return { scope: plain.toString('utf8', 2, end), payload: PayloadMessage.decode(plain.subarray(end)) };
}
