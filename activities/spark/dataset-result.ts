import { text } from 'node:stream/consumers';
import { getObject, listObjects, parseS3Uri, type S3Location } from '../../lib/s3.ts';
import {
  type Column,
  type DatasetManifest,
  type DatasetReference,
  MANIFEST_NAME,
  type TableFormat,
} from '../../workflows/plan/datasets/dataset.ts';
import type { DatasetOutput } from '../support/dataset/dataset-output.ts';
import { deleteAllUnder, deleteUnder } from '../support/dataset/delete-under.ts';
import { publishDataset } from '../support/dataset/publish-dataset.ts';
import { readManifest } from '../support/dataset/read-manifest.ts';
import type { Storage } from '../support/dataset/storage.ts';
import { userFault } from '../run/errors.ts';
import { askStorage } from '../support/dataset/storage-failure.ts';
import { type JobResult, placeOf } from './job-result.ts';

/** Written by `write_dataset` of jobs/sluice_job.py. */
const SCHEMA_NAME = '_schema.json';

interface WrittenOutput {
  readonly schema: readonly Column[];
  readonly format: TableFormat;
  readonly compression: DatasetManifest['compression'];
}

/** Publishes a dataset: the job of each attempt writes to its own folder under the output's. */
export class DatasetResult implements JobResult<DatasetReference> {
  readonly output: string;
  readonly advice =
    'where the next task expects its data. Write there with write_dataset(data, arguments.output) of sluice_job; a result without rows is written too.';
  readonly #target: DatasetOutput;
  /** Under the output's folder: `data/`, or `data-2/` for the second attempt. */
  readonly #folder: string;
  readonly #isShared: boolean;
  readonly #storage: Storage;
  readonly #prefix: S3Location;
  readonly #minRows: number | undefined;

  /**
   * @param attempt that starts the job, counted from 1
   * @param isShared whether other runs write to the output's folder too, as runs of earlier releases do
   * @param minRows minimum number of rows that the job must write
   */
  constructor(storage: Storage, target: DatasetOutput, attempt: number, isShared: boolean, minRows?: number) {
    this.#storage = storage;
    this.#minRows = minRows;
    this.#target = target;
    this.#isShared = isShared;
    this.#folder = placeOf(isShared ? `run-${target.mark}` : 'data', attempt);
    this.output = target.uri + this.#folder;
    this.#prefix = parseS3Uri(this.output);
  }

  earlier(signal: AbortSignal): Promise<DatasetReference | undefined> {
    return this.#isShared ? Promise.resolve(undefined) : this.#target.begin(signal);
  }

  async clear(signal: AbortSignal): Promise<void> {
    if (this.#isShared) await this.#target.begin(signal);
    await deleteAllUnder(this.#storage, this.#prefix, signal);
  }

  /** Deletes everything that the published manifest does not name: Hadoop committer markers, folders, the schema, files without rows. */
  async tidy(signal: AbortSignal): Promise<void> {
    const { content } = await readManifest(this.#storage, this.#target.uri + MANIFEST_NAME, signal);
    const published = new Set(content.entries.map(({ url }) => parseS3Uri(url).key));
    await deleteUnder(this.#storage, this.#prefix, (key) => published.has(key), signal);
  }

  async publish(signal: AbortSignal): Promise<DatasetReference | undefined> {
    // An attempt that the server abandoned may have kept running and published first.
    const other = await this.earlier(signal);
    if (other) return other;
    const written = await this.#inspect(signal);
    if (!written) return undefined;
    return publishDataset({
      storage: this.#storage,
      output: this.#target,
      folder: this.#folder,
      ...written,
      minRows: this.#minRows,
      signal,
    });
  }

  /** What the job has written; undefined if it has not written anything. A result without rows counts as written. */
  async #inspect(signal: AbortSignal): Promise<WrittenOutput | undefined> {
    const names = (await this.#keys(signal)).map((key) => key.slice(this.#prefix.key.length));
    const data = names.filter((name) => !name.endsWith('/') && !/(^|\/)[_.]|^$/.test(name));
    const described = names.includes(SCHEMA_NAME);
    if (data.length === 0 && !described && !names.includes('_SUCCESS')) return undefined;
    const sample = data[0] ?? 'part.csv.gz';
    const format = /\.parquet$/.test(sample) ? 'parquet' : /\.jsonl?(\.gz)?$/.test(sample) ? 'jsonl' : 'csv';
    this.#refuseUnnamed(data, described, format);
    return {
      schema: described ? await this.#readSchema(signal) : [],
      format,
      compression: sample.endsWith('.gz') ? 'gzip' : 'none',
    };
  }

  /** @throws ApplicationFailure `DataDoesNotFit` for files without column names, or without all columns */
  #refuseUnnamed(data: readonly string[], described: boolean, format: TableFormat): void {
    const partition = data.map((name) => /(^|\/)([^/=]+)=[^/]*\//.exec(name)?.[2]).find((column) => column !== undefined);
    const way = 'Write it with write_dataset(data, arguments.output) of sluice_job';
    if (partition !== undefined)
      throw userFault(
        'DataDoesNotFit',
        `The job has written folders for the values of column '${partition}', such as ${data.find((name) => name.includes('='))}: its files lack that column. ${way}, without partitionBy.`,
      );
    if (format === 'csv' && !described && data.length > 0)
      throw userFault(
        'DataDoesNotFit',
        `The job has written CSV to ${this.output} without column names. ${way}, or write JSON lines, whose records have names.`,
      );
  }

  async #readSchema(signal: AbortSignal): Promise<readonly Column[]> {
    const location = { bucket: this.#prefix.bucket, key: this.#prefix.key + SCHEMA_NAME };
    const schema = await this.#call('read', async () => text(await getObject(this.#storage.client, location, signal)));
    return (JSON.parse(schema) as { columns: readonly Column[] }).columns;
  }

  async #keys(signal: AbortSignal): Promise<string[]> {
    return (await this.#call('list', () => listObjects(this.#storage.client, this.#prefix, signal))).map(({ key }) => key);
  }

  #call<T>(doing: string, call: () => Promise<T>): Promise<T> {
    return askStorage(this.#storage, this.#prefix.bucket, `${doing} ${this.output}`, call);
  }
}
