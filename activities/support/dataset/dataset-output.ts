import type { DatasetReference } from '../../../workflows/plan/datasets/dataset.ts';
import type { DatasetDescription } from './write-manifest.ts';

/** Where a task writes a dataset, and how the dataset becomes visible to other tasks and to readers outside Sluice. */
export interface DatasetOutput {
  /** The folder of the manifest: `s3://bucket/prefix/`. */
  readonly uri: string;
  /** Part of the names of the files that this attempt may write and delete. */
  readonly mark: string;
  /**
   * Prepares the folder.
   * @returns the dataset that an earlier attempt published before its answer was lost: then no work is left
   */
  begin(signal: AbortSignal): Promise<DatasetReference | undefined>;
  /** Writes the manifest, which completes the dataset, and removes files that do not belong to it. */
  publish(description: DatasetDescription, signal: AbortSignal): Promise<DatasetReference>;
}
