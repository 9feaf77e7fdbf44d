import type { PostgresConnection, RedshiftConnection } from '../../lib/databases/postgres.ts';
import type { AwsConnection } from '../../lib/s3.ts';
import type { DatasetManifest } from '../../workflows/plan/datasets/dataset.ts';
import type { Storage } from '../support/dataset/storage.ts';
import type { TaskContext } from '../define-task.ts';
import type { Database } from '../support/sql/opened-database.ts';
import type { LoadMethod } from './load-methods.ts';

/** One load: where from, where to, and how. */
export interface Load {
  readonly ctx: Pick<TaskContext, 'pipelineRunId' | 'dagId' | 'task' | 'run' | 'interval' | 'signal' | 'progress' | 'log'>;
  readonly database: Database;
  readonly warehouse: PostgresConnection | RedshiftConnection;
  readonly storage: Storage;
  readonly aws: AwsConnection;
  readonly manifest: DatasetManifest;
  readonly manifestUri: string;
  /** Of the manifest. */
  readonly checksum: string;
  readonly table: { readonly schema: string; readonly table: string };
  readonly columns: readonly string[] | undefined;
  readonly method: LoadMethod;
  readonly upsertKeys: readonly string[];
  /** Whether data without rows may empty a table that has some. */
  readonly allowEmpty: boolean;
  /** The fewest rows that may be loaded: a number, or a part of the last load's such as `80%`. */
  readonly minRows: number | string | undefined;
  /** For `append`; undefined: an overlap is refused. */
  readonly onOverlap: 'replace' | 'append' | undefined;
  readonly intervalColumn: string | undefined;
  readonly copyOptions: readonly string[];
}
