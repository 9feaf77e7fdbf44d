import type { Connection, Submittable } from 'pg';

/** `d`: a piece of what is copied; PostgreSQL sends one a row. */
const COPY_DATA = 0x64;
/** A message begins with its kind, a byte, and its length, four bytes that count themselves. */
const HEADER = 5;
/** Bytes that are gathered before they go on: handing a few kilobytes at a time to a compressor costs more than the bytes do. */
const PIECE = 1024 * 1024;
/** The most that a socket reads at once. */
const CHUNK = 64 * 1024;

/**
 * What `COPY … TO STDOUT` sends; hand it to `client.query` and read `pieces()`. A row is a message of its own: of a million of them, a
 * Buffer each costs more than all else that becomes of them, so they are copied into two buffers that take turns. Every other message is
 * the driver's, which hears it as if nobody stood between.
 */
export class CopyOut implements Submittable {
  /** As many rows as the server says it has sent; known when the pieces have ended. */
  rowCount = NaN;
  readonly #statement: string;
  readonly #header = Buffer.alloc(HEADER);
  /** Bytes of the message's header that were read, and bytes of its content that are still to come. */
  #known = 0;
  #left = 0;
  #piece = Buffer.allocUnsafeSlow(PIECE + CHUNK);
  #filled = 0;
  #ended = false;
  #failure: Error | undefined;
  #wake = (): void => {};
  #socket: Connection['stream'] | undefined;
  #driver: (chunk: Buffer) => void = () => {};

  constructor(statement: string) {
    this.#statement = statement;
  }

  /**
   * The bytes in their order. A piece is the reader's until it asks for the next: then it is filled again.
   * @throws the server's error, or the session's
   */
  async *pieces(): AsyncGenerator<Buffer> {
    let spare = Buffer.allocUnsafeSlow(PIECE + CHUNK);
    for (;;) {
      while (this.#filled < PIECE && !this.#ended) await new Promise<void>((resolve) => (this.#wake = resolve));
      if (this.#failure) throw this.#failure;
      if (this.#filled === 0) return;
      const piece = this.#piece;
      const filled = this.#filled;
      this.#piece = spare;
      this.#filled = 0;
      this.#socket?.resume();
      yield piece.subarray(0, filled);
      spare = piece;
    }
  }

  submit(connection: Connection): void {
    this.#socket = connection.stream;
    this.#driver = this.#socket.listeners('data')[0] as (chunk: Buffer) => void;
    this.#socket.off('data', this.#driver).on('data', this.#receive);
    connection.query(this.#statement);
  }

  handleCommandComplete({ text }: { readonly text: string }): void {
    this.rowCount = Number(/^COPY (\d+)$/.exec(text)?.[1]);
  }

  handleReadyForQuery(): void {
    this.#end();
  }

  handleError(error: Error): void {
    this.#failure = error;
    this.#end();
  }

  readonly #receive = (chunk: Buffer): void => {
    if (this.#filled + chunk.length > this.#piece.length) this.#piece = Buffer.concat([this.#piece], this.#filled + chunk.length);
    // The whole chunk at once, and then its rows to the front of it, where the headers were.
    const base = this.#filled;
    this.#piece.set(chunk, base);
    for (let at = 0; at < chunk.length;) {
      if (this.#left === 0) {
        this.#header[this.#known++] = chunk[at++] ?? 0;
        if (this.#known < HEADER) continue;
        this.#known = 0;
        this.#left = this.#header.readUInt32BE(1) - 4;
        if (this.#header[0] !== COPY_DATA) this.#driver(Buffer.from(this.#header));
        continue;
      }
      const from = at;
      at = Math.min(at + this.#left, chunk.length);
      this.#left -= at - from;
      if (this.#header[0] === COPY_DATA) {
        this.#piece.copyWithin(this.#filled, base + from, base + at);
        this.#filled += at - from;
      } else this.#driver(chunk.subarray(from, at));
    }
    if (this.#filled < PIECE) return;
    this.#socket?.pause();
    this.#wake();
  };

  /** The session is the driver's again. */
  #end(): void {
    this.#ended = true;
    this.#socket?.off('data', this.#receive).on('data', this.#driver).resume();
    this.#wake();
  }
}
