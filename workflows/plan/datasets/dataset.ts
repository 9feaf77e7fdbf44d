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
  /** Lower-case hexadecimal SHA-256 of the manifest's bytes; absent in runs that an earlier release started. */
  readonly checksum?: string;
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
  /** Its rows are those whose column lies in `[start, end)`; absent where nothing says so. */
  readonly incremental?: { readonly column: string; readonly start: string; readonly end: string };
  /** Which rows of a database it holds; absent where no extract has made it, and in data sets of earlier releases. */
  readonly source?: DatasetSource;
  /** Who wrote it; absent in data sets of earlier releases. */
  readonly writer?: DatasetWriter;
}

/** Which rows an extract has taken, as its task says so. */
export interface DatasetSource {
  /** Tells the database from others: a digest of its host, port and name. */
  readonly database: string;
  /** The table, as the file names it; else `query`. */
  readonly table?: string;
  readonly query?: string;
  /** The condition as it was sent, with the values of the run. */
  readonly where?: string;
}

/** The task of a run that wrote a data set. */
export interface DatasetWriter {
  readonly pipeline_run_id: string;
  /** Temporal's id of the first execution of the run. */
  readonly execution: string;
  readonly dag_id: string;
  /** With the place of its item, where the task expands over a list. */
  readonly task: string;
  /** When the run started, ISO 8601: of two runs, the one that started later is the newer one. */
  readonly started_at: string;
  readonly interval: { readonly start: string; readonly end: string };
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

/** The folder of an interval's data: `s3://bucket/dag/task/20240101T000000Z/`. */
export function datasetLocation(base: string, intervalStart: string): string {
  return `${base}/${compactTime(intervalStart)}/`;
}

/**
 * A time as part of a path, exact to the millisecond: `20240101T000000Z`, `20240101T000000.250Z`. Basic ISO 8601, because Hadoop refuses
 * colons in paths.
 */
export function compactTime(time: string): string {
  return time.replace(/\.0+(?=Z$)/, '').replace(/[-:]/g, '');
}
