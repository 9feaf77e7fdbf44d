/**
 * What one task hands to the next: a small reference that is kept in history, while the data itself stays in S3. The manifest is written
 * last, so that a data set whose manifest can be read is whole.
 */
export interface DatasetReference {
  /** `s3://bucket/prefix/`, always with the slash at the end. */
  readonly uri: string;
  /** `s3://bucket/prefix/manifest.json`. */
  readonly manifest: string;
  readonly format: DatasetFormat;
  readonly rows: number;
  /** Of all files together, as stored (compressed). */
  readonly bytes: number;
  readonly schema: readonly Column[];
}

export const DATASET_FORMATS = ['csv', 'jsonl', 'parquet'] as const;
export type DatasetFormat = (typeof DATASET_FORMATS)[number];

export interface Column {
  readonly name: string;
  /** PostgreSQL's name of the type: `bigint`, `numeric(6,4)`, `timestamp with time zone`. */
  readonly type: string;
}

/** The content of `manifest.json`. `entries` is what Redshift's `COPY … MANIFEST` reads; it ignores the other keys. */
export interface DatasetManifest {
  readonly version: 1;
  readonly format: DatasetFormat;
  readonly compression: 'gzip' | 'none';
  readonly schema: readonly Column[];
  readonly rows: number;
  readonly bytes: number;
  readonly entries: readonly DatasetFile[];
}

export interface DatasetFile {
  /** `s3://bucket/key`. */
  readonly url: string;
  readonly mandatory: true;
  readonly meta: { readonly content_length: number };
  readonly rows: number;
  /** Lower-case hexadecimal SHA-256 of the stored (compressed) bytes. */
  readonly sha256: string;
}

export const MANIFEST_NAME = 'manifest.json';

/** Where a task writes an interval's data: `s3://bucket/dag/task/20240101T000000Z/`. Basic ISO format: Hadoop refuses colons in paths. */
export function datasetLocation(base: string, intervalStart: string): string {
  return `${base}/${intervalStart.replace(/\.\d+/, '').replace(/[-:]/g, '')}/`;
}
