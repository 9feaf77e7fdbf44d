import type { PostgresConnection, RedshiftConnection } from '../../lib/databases/postgres.ts';
import type { AwsConnection } from '../../lib/s3.ts';
import type { DatasetManifest } from '../../workflows/plan/datasets/dataset.ts';
import type { Storage } from '../support/dataset/storage.ts';
import type { TaskContext } from '../define-task.ts';
import type { Database } from '../support/sql/opened-database.ts';
import type { LoadMethod } from './load-methods.ts';

/** One load: source, target and method. */
export interface Load {
  readonly ctx: Pick<TaskContext, 'pipelineRunId' | 'dagId' | 'task' | 'run' | 'interval' | 'signal' | 'progress' | 'log'>;
  readonly database: Database;
  readonly warehouse: PostgresConnection | RedshiftConnection;
  readonly storage: Storage;
  readonly aws: AwsConnection;
  readonly manifest: DatasetManifest;
  readonly manifestUri: string;
  /** SHA-256 of the manifest. */
  readonly checksum: string;
  readonly table: { readonly schema: string; readonly table: string };
  readonly columns: readonly string[] | undefined;
  readonly method: LoadMethod;
  readonly upsertKeys: readonly string[];
  /** Whether data without rows may empty a table that has rows. */
  readonly allowEmpty: boolean;
  /** Minimum number of rows: a number, or a share of the last load's rows such as `80%`. */
  readonly minRows: number | string | undefined;
  /** For `append`; undefined: an overlap is refused. */
  readonly onOverlap: 'replace' | 'append' | undefined;
  readonly intervalColumn: string | undefined;
  readonly copyOptions: readonly string[];
}
