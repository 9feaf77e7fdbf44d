const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The text of an entry in a payload's metadata; '' if it is missing. */
export function textOf(bytes: Uint8Array | null | undefined): string {
  return bytes ? decoder.decode(bytes) : '';
}

export function bytesOf(text: string): Uint8Array {
  return encoder.encode(text);
}
