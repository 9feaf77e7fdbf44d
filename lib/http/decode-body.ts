import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate, inflateRaw } from 'node:zlib';
import { parseExactJson } from '../../workflows/plan/values/exact-json.ts';
import { isMap, type Json } from '../../workflows/plan/values/json.ts';
import { AnswerTooLarge, UnreadableAnswer } from './http-errors.ts';
import type { Response } from './exchange.ts';
import { decodeText } from './decode-text.ts';
import { charsetOf, isJsonType } from './media-type.ts';
import { errorText } from '../../workflows/plan/values/error-text.ts';

/** Supported compressions, sent as `accept-encoding`. */
export const ENCODINGS = 'gzip, deflate, br';

/**
 * Decodes a response body: JSON if it parses, else text; null if empty.
 * @throws UnreadableAnswer when a successful response does not match its headers. The body of a failure is decoded leniently, for display
 */
export async function decodeBody(response: Response, maxBytes: number): Promise<Json> {
  const { status, headers } = response;
  const isSuccess = status >= 200 && status <= 299;
  const bytes = await decompress(response, maxBytes);
  const contentType = headers['content-type'] ?? '';
  const text = decodeText(bytes, charsetOf(contentType), isSuccess);
  if (text === '') return null;
  try {
    const value = parseExactJson(text);
    // Old services send JSON as text, so a map or a list is JSON anyway; but `007` and `1.10` are texts.
    return contentType === '' || isJsonType(contentType) || isMap(value) || Array.isArray(value) ? value : text;
  } catch (error) {
    if (!isSuccess || !isJsonType(contentType)) return text;
    const reason = errorText(error);
    throw new UnreadableAnswer(`The answer is not the JSON that its content-type says it is: ${reason}. It begins: ${text.slice(0, 200)}`, {
      cause: error,
    });
  }
}

async function decompress({ headers, bytes }: Response, maxBytes: number): Promise<Buffer> {
  const encodings = (headers['content-encoding'] ?? '').split(',').map((each) => each.trim().toLowerCase());
  let decompressed = bytes;
  // Encodings are listed in the order in which they were applied.
  for (const encoding of encodings.reverse()) {
    if (encoding === '' || encoding === 'identity' || decompressed.length === 0) continue;
    const decompressor = decompressorOf(encoding, decompressed);
    if (!decompressor) throw new UnreadableAnswer(`The answer is compressed as '${encoding}'; Sluice reads ${ENCODINGS}.`);
    decompressed = await decompressor(decompressed, { maxOutputLength: maxBytes }).catch((error: unknown) => {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === 'ERR_BUFFER_TOO_LARGE') throw new AnswerTooLarge(`The answer has more than ${maxBytes} bytes when it is decompressed.`);
      // Like a broken connection: a retry may receive the complete body.
      throw new Error(`the answer cannot be decompressed (${encoding}): ${message}`, { cause: error });
    });
  }
  return decompressed;
}

type Decompressor = (bytes: Buffer, options: { readonly maxOutputLength: number }) => Promise<Buffer>;

function decompressorOf(encoding: string, bytes: Buffer): Decompressor | undefined {
  switch (encoding) {
    case 'gzip':
    case 'x-gzip':
      return promisify(gunzip);
    case 'br':
      return promisify(brotliDecompress);
    case 'deflate':
      // Some servers omit the zlib header, which is a multiple of 31: RFC 1950.
      return promisify(bytes.length > 1 && bytes.readUInt16BE() % 31 === 0 ? inflate : inflateRaw);
    default:
      return undefined;
  }
}
