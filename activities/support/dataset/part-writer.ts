import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { Transform, type TransformCallback } from 'node:stream';
import { createGzip, type Gzip } from 'node:zlib';
import { Upload } from '@aws-sdk/lib-storage';
import { formatS3Uri, type S3Location } from '../../../lib/s3.ts';
import type { DatasetFile, DatasetManifest } from '../../../workflows/plan/datasets/dataset.ts';
import type { Storage } from './storage.ts';
import { storageFailure } from './storage-failure.ts';

/** Speed over size: gzip's default level is three times slower than all other work here; level 3 is no smaller and twice as slow. */
const GZIP_LEVEL = 1;
/** S3's minimum. With at most 10,000 parts, files can have 50 GB. With the queue below, an open file uses about four parts of memory. */
const PART_SIZE = 5 * 1024 * 1024;
const QUEUE_SIZE = 2;

/** Counts and hashes the bytes that go to S3. */
class Meter extends Transform {
  readonly #hash = createHash('sha256');
  bytes = 0;

  override _transform(chunk: Buffer, _encoding: string, done: TransformCallback): void {
    this.#hash.update(chunk);
    this.bytes += chunk.length;
    done(undefined, chunk);
  }

  digest(): string {
    return this.#hash.digest('hex');
  }
}

/**
 * Writes one file of a dataset while its bytes are produced. A write waits until S3 can accept more; memory is bounded by the part size.
 * Finish with `close`, or with `abort`, which leaves nothing in S3.
 */
export class PartWriter {
  readonly location: S3Location;
  readonly #storage: Storage;
  readonly #gzip: Gzip | undefined;
  readonly #meter = new Meter();
  readonly #upload: Promise<unknown>;
  #failure: unknown;
  #failed = false;

  constructor(storage: Storage, location: S3Location, compression: DatasetManifest['compression']) {
    this.location = location;
    this.#storage = storage;
    // A failed stream also emits 'error'; ignore it, because the upload reports the cause.
    this.#meter.on('error', () => {});
    if (compression === 'gzip') {
      this.#gzip = createGzip({ level: GZIP_LEVEL, chunkSize: 256 * 1024 });
      this.#gzip.on('error', (error) => this.#meter.destroy(error));
      this.#gzip.pipe(this.#meter);
    }
    this.#upload = new Upload({
      client: storage.client,
      params: { Bucket: location.bucket, Key: location.key, Body: this.#meter },
      partSize: PART_SIZE,
      queueSize: QUEUE_SIZE,
    })
      .done()
      .catch((error: unknown) => {
        this.#failed = true;
        this.#failure = error;
        // Wake up writers that wait for the streams to drain.
        this.#meter.destroy();
        this.#gzip?.destroy();
      });
  }

  get bytes(): number {
    return this.#meter.bytes;
  }

  /**
   * Resolves when more can be written; the chunk's buffer may be reused then.
   * @throws ApplicationFailure when S3 has refused the file or cannot be reached
   */
  async write(chunk: Buffer): Promise<void> {
    if (!this.#failed) {
      // Copy an uncompressed chunk: it is in use until it is uploaded.
      const full = this.#gzip
        ? compressed(this.#gzip, chunk)
        : !this.#meter.write(Buffer.from(chunk)) && once(this.#meter, 'drain').catch(() => {});
      // A failed stream never drains.
      if (full) await Promise.race([full, this.#upload]);
    }
    this.#throwIfFailed();
  }

  /** Completes the file. */
  async close(rows: number): Promise<DatasetFile> {
    (this.#gzip ?? this.#meter).end();
    await this.#upload;
    this.#throwIfFailed();
    return {
      url: formatS3Uri(this.location),
      mandatory: true,
      meta: { content_length: this.#meter.bytes },
      rows,
      sha256: this.#meter.digest(),
    };
  }

  /** Discards the file; when this resolves, S3 has dropped its parts or could not be reached. */
  async abort(): Promise<void> {
    this.#gzip?.unpipe();
    this.#gzip?.destroy();
    // The upload reads this stream: the error makes it abort after its pending requests.
    this.#meter.destroy(new Error('The file was given up.'));
    await this.#upload;
  }

  #throwIfFailed(): void {
    if (this.#failed) throw storageFailure(this.#failure, this.#storage, this.location.bucket, `write ${formatS3Uri(this.location)}`);
  }
}

function compressed(gzip: Gzip, chunk: Buffer): Promise<unknown> {
  return new Promise((resolve) => gzip.write(chunk, resolve));
}
