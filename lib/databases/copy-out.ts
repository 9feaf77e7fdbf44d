import type { Connection, Submittable } from 'pg';

/** `d`: a chunk of the copied data; PostgreSQL sends one per row. */
const COPY_DATA = 0x64;
/** A message starts with its type (one byte) and its length (four bytes, including themselves). */
const HEADER = 5;
/** Size of a piece in bytes: passing only a few kilobytes at a time to a compressor costs more than compressing them. */
const PIECE = 1024 * 1024;
/** Maximum size of one socket read. */
const CHUNK = 64 * 1024;

/**
 * Receives `COPY … TO STDOUT`; pass it to `client.query` and read `pieces()`. Each row is a separate message, and a Buffer per row would
 * dominate the cost of a million rows, so rows are copied into two alternating buffers. All other messages go to the driver unchanged.
 */
export class CopyOut implements Submittable {
  /** The row count that the server reports; known when `pieces()` has ended. */
  rowCount = NaN;
  readonly #statement: string;
  readonly #header = Buffer.alloc(HEADER);
  /** Header bytes read so far, and content bytes still to come. */
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
   * Yields the bytes in order. A piece is only valid until the next one is requested, which reuses its buffer.
   * @throws the error of the server or the session
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
    // Copy the whole chunk, then move its rows to the front over the headers.
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

  /** Returns the session to the driver. */
  #end(): void {
    this.#ended = true;
    this.#socket?.off('data', this.#receive).on('data', this.#driver).resume();
    this.#wake();
  }
}
