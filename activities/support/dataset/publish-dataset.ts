import { linkedController } from '../../../lib/linked-controller.ts';
import { formatS3Uri, listObjects, parseS3Uri } from '../../../lib/s3.ts';
import {
  type Column,
  type DatasetFile,
  type DatasetManifest,
  type DatasetReference,
  MANIFEST_NAME,
  type TableFormat,
} from '../../../workflows/plan/datasets/dataset.ts';
import { userFault } from '../../run/errors.ts';
import type { DatasetOutput } from './dataset-output.ts';
import { checkRowCount } from './min-rows.ts';
import { readDataFile } from './read-data-file.ts';
import type { Storage } from './storage.ts';
import { askStorage } from './storage-failure.ts';

export interface DatasetToPublish {
  readonly storage: Storage;
  readonly output: DatasetOutput;
  /** The folder of the data files, under the output's folder: `data/`. */
  readonly folder: string;
  readonly format: TableFormat;
  readonly compression: DatasetManifest['compression'];
  /** In field order; empty when the names are unknown. */
  readonly schema: readonly Column[];
  /** Minimum number of rows; undefined: none. */
  readonly minRows?: number | undefined;
  readonly signal: AbortSignal;
  /** Called after each file with the totals so far. */
  readonly progress?: (sums: { readonly files: number; readonly rows: number; readonly bytes: number }) => void;
}

/** Files read at once: enough to hide S3's latency, few enough for the memory of a small worker. */
const READERS = 4;

/**
 * Makes a dataset of files that another program, such as Spark, has written under a prefix: reads each once for its rows and checksum, then
 * writes the manifest. It leaves out files without rows, and files whose name or folder begins with `_` or `.`, which are internal to that
 * program. CSV has no header and doubles a quote within quotes.
 * @throws ApplicationFailure
 */
export async function publishDataset(dataset: DatasetToPublish): Promise<DatasetReference> {
  const { storage, output, folder, format, compression, schema, signal } = dataset;
  const { uri } = output;
  if (format === 'parquet') {
    throw userFault('InvalidParameters', `${uri} is parquet, whose rows cannot be counted yet. Write csv or jsonl.`);
  }
  const prefix = parseS3Uri(uri + folder);
  const objects = await askStorage(storage, prefix.bucket, `list ${uri}${folder}`, () => listObjects(storage.client, prefix, signal));
  const found = objects.filter(({ key }) => isDataFile(key.slice(prefix.key.length)));
  const files: (DatasetFile | undefined)[] = [];
  const sums = { files: 0, rows: 0, bytes: 0 };
  // One signal for all readers, so that the first failure stops the others before it is reported.
  const reading = linkedController(signal);
  let next = 0;
  const reader = async (): Promise<void> => {
    for (let index = next++; index < found.length; index = next++) {
      const url = formatS3Uri({ bucket: prefix.bucket, key: found[index]?.key ?? '' });
      const { bytes, rows, sha256 } = await readDataFile({ storage, url, format, compression, signal: reading.signal });
      if (rows === 0) continue;
      files[index] = { url, mandatory: true, meta: { content_length: bytes }, rows, sha256 };
      sums.files += 1;
      sums.rows += rows;
      sums.bytes += bytes;
      dataset.progress?.({ ...sums });
    }
  };
  let firstFailure: unknown;
  await Promise.all(
    Array.from({ length: READERS }, () =>
      reader().catch((error: unknown) => {
        firstFailure ??= error;
        reading.abort();
      }),
    ),
  ).finally(() => reading.abort());
  if (firstFailure !== undefined) throw firstFailure;
  signal.throwIfAborted();
  checkRowCount(sums.rows, dataset.minRows, 'What was written');
  return output.publish({ format, compression, schema, files: files.filter((file) => file !== undefined) }, signal);
}

function isDataFile(path: string): boolean {
  return path !== '' && !path.endsWith('/') && path !== MANIFEST_NAME && !path.split('/').some((name) => /^[_.]/.test(name));
}
