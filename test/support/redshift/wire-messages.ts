/** A message of PostgreSQL's wire protocol. */
export interface WireMessage {
  /** One letter; the first messages of a client have none. */
  readonly type: string;
  readonly payload: Buffer;
  /** The complete message, for forwarding. */
  readonly raw: Buffer;
}

/** Splits a byte stream into messages. */
export class MessageReader {
  #held: Buffer = Buffer.alloc(0);
  #typed: boolean;

  /** @param typed false for a client's stream, which starts with an untyped message */
  constructor(typed: boolean) {
    this.#typed = typed;
  }

  /** Expects another untyped message, as after the response to an SSL request. */
  expectStartup(): void {
    this.#typed = false;
  }

  *read(chunk: Buffer): Generator<WireMessage> {
    this.#held = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    for (;;) {
      const head = this.#typed ? 1 : 0;
      if (this.#held.length < head + 4) return;
      const length = head + this.#held.readInt32BE(head);
      if (this.#held.length < length) return;
      const raw = this.#held.subarray(0, length);
      this.#held = this.#held.subarray(length);
      const type = head === 0 ? '' : String.fromCharCode(raw[0] ?? 0);
      this.#typed = true;
      yield { type, payload: raw.subarray(head + 4), raw };
    }
  }
}

/** Builds a message. */
export function message(type: string, ...parts: readonly (string | Buffer)[]): Buffer {
  const payload = Buffer.concat(parts.map((part) => Buffer.from(part as string)));
  const head = Buffer.alloc(5);
  head.write(type, 0, 'latin1');
  head.writeInt32BE(payload.length + 4, 1);
  return Buffer.concat([head, payload]);
}

/** A simple query. */
export function query(sql: string): Buffer {
  return message('Q', sql, '\0');
}

export function errorResponse(code: string, text: string): Buffer {
  return message('E', `SERROR\0VERROR\0C${code}\0M${text}\0\0`);
}

/** The fields of an ErrorResponse by letter: `M` message, `C` code, `W` where. */
export function errorFields(payload: Buffer): Readonly<Record<string, string>> {
  const fields = payload
    .toString('utf8')
    .split('\0')
    .filter((field) => field !== '');
  return Object.fromEntries(fields.map((field) => [field.slice(0, 1), field.slice(1)]));
}
