import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { Transform, type TransformCallback } from 'node:stream';
import { createGzip, type Gzip } from 'node:zlib';
import { Upload } from '@aws-sdk/lib-storage';
import { formatS3Uri, type S3Location } from '../../../lib/s3.ts';
import type { DatasetFile, DatasetManifest } from '../../../workflows/plan/datasets/dataset.ts';
import type { Storage } from './storage.ts';
import { storageFailure } from './storage-failure.ts';

/** Fast rather than small: at the default level gzip is three times slower than all else here; at 3 a table is no smaller, and takes twice as long. */
const GZIP_LEVEL = 1;
/** The least that S3 allows. It takes 10,000 parts: files of up to 50 GB. With the queue below, a file being written holds about four of them. */
const PART_SIZE = 5 * 1024 * 1024;
const QUEUE_SIZE = 2;

/** Measures the bytes that go to S3. */
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
 * Writes one file of a data set while its bytes are being made. A write waits until S3 has room; memory is bounded by the size of parts.
 * End it with `close`, or with `abort`, which leaves nothing at S3.
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
    // A stream that has failed emits 'error' beside rejecting what waits for it: the upload tells the cause.
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
        // Whoever waits for room in the streams waits no longer.
        this.#meter.destroy();
        this.#gzip?.destroy();
      });
  }

  get bytes(): number {
    return this.#meter.bytes;
  }

  /**
   * Resolves when there is room for more; the chunk may be filled again then.
   * @throws ApplicationFailure when S3 has refused the file or cannot be reached
   */
  async write(chunk: Buffer): Promise<void> {
    if (!this.#failed) {
      // What is not compressed is in use until it is uploaded.
      const full = this.#gzip
        ? compressed(this.#gzip, chunk)
        : !this.#meter.write(Buffer.from(chunk)) && once(this.#meter, 'drain').catch(() => {});
      // What has failed makes no room.
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

  /** Gives the file up; S3 has dropped its parts when this resolves, or could not be reached. */
  async abort(): Promise<void> {
    this.#gzip?.unpipe();
    this.#gzip?.destroy();
    // The upload reads this stream: its end with an error makes it abort itself, after the requests under way.
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
