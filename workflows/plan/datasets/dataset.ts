/**
 * What one task passes to the next: a small reference, stored in history. The data itself stays in S3. The manifest is written last, so a
 * dataset with a readable manifest is complete.
 */
export interface DatasetReference {
  /** `s3://bucket/prefix/`, always with a trailing slash. */
  readonly uri: string;
  /** `s3://bucket/prefix/manifest.json`. */
  readonly manifest: string;
  readonly format: DatasetFormat;
  readonly rows: number;
  /** The total size of all files, as stored (compressed). */
  readonly bytes: number;
  readonly schema: readonly Column[];
  /** Lower-case hexadecimal SHA-256 of the manifest's bytes; absent in runs that an earlier release started. */
  readonly checksum?: string;
}

/** Formats of files that are rows one after another, which tasks pass to each other. */
export const ROW_FORMATS = ['csv', 'jsonl'] as const;
export type RowFormat = (typeof ROW_FORMATS)[number];
/** Formats of files that tasks do not load: documents for readers outside Sluice, and files as a program has written them, each a row. */
export const DOCUMENT_FORMATS = ['json', 'xml', 'fixed_width', 'files'] as const;
export type DocumentFormat = (typeof DOCUMENT_FORMATS)[number];

/** Formats that tasks load as a table. */
export type TableFormat = RowFormat | 'parquet';

export const DATASET_FORMATS = [...ROW_FORMATS, 'parquet', ...DOCUMENT_FORMATS] as const;
export type DatasetFormat = (typeof DATASET_FORMATS)[number];

export interface Column {
  readonly name: string;
  /** PostgreSQL's name of the type: `bigint`, `numeric(6,4)`, `timestamp with time zone`. */
  readonly type: string;
}

/** The content of `manifest.json`. Redshift's `COPY … MANIFEST` reads `entries` and ignores the other keys. */
export interface DatasetManifest {
  readonly version: 1;
  readonly format: DatasetFormat;
  readonly compression: 'gzip' | 'none';
  readonly schema: readonly Column[];
  readonly rows: number;
  readonly bytes: number;
  readonly entries: readonly DatasetFile[];
  /** The dataset contains the rows whose column is in `[start, end)`; absent if not incremental. */
  readonly incremental?: { readonly column: string; readonly start: string; readonly end: string };
  /** The rows of a database that the dataset contains; absent if no extract made it, and in datasets of earlier releases. */
  readonly source?: DatasetSource;
  /** What became of the records of the source, if a `transform` task made it. */
  readonly transform?: RecordCounts;
  /** How many exchanges a route has completed, if a `camel_route` task made it. */
  readonly exchanges?: number;
  /** The task that wrote it; absent in datasets of earlier releases. */
  readonly writer?: DatasetWriter;
}

/** What became of the records of a source; those that were written are the rows of the dataset. */
export interface RecordCounts {
  readonly rows_read: number;
  /** Left out by a filter. */
  readonly rows_left_out: number;
  readonly rows_rejected: number;
  /** The file with the rejected records and the reasons: `s3://bucket/key`; null if there is none. */
  readonly dead_letters: string | null;
}

/** The rows that an extract read, as its task defines them. */
export interface DatasetSource {
  /** Identifies the database: a digest of its host, port and name. */
  readonly database: string;
  /** The table as the file names it; otherwise `query` is set. */
  readonly table?: string;
  readonly query?: string;
  /** The condition as it was sent, with the values of the run filled in. */
  readonly where?: string;
}

/** The task and run that wrote a dataset. */
export interface DatasetWriter {
  readonly pipeline_run_id: string;
  /** Temporal's id of the first execution of the run. */
  readonly execution: string;
  readonly dag_id: string;
  /** Includes the item's position if the task expands over a list. */
  readonly task: string;
  /** When the run started, ISO 8601. The run that started later is newer. */
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
