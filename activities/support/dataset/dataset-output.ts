import type { DatasetReference } from '../../../workflows/plan/datasets/dataset.ts';
import type { DatasetDescription } from './write-manifest.ts';

/** Where a task writes a data set, and how the data set becomes visible to other tasks and to readers outside of Sluice. */
export interface DatasetOutput {
  /** The folder of the manifest: `s3://bucket/prefix/`. */
  readonly uri: string;
  /** Part of the names of the files that this attempt may write and delete. */
  readonly mark: string;
  /**
   * Prepares the folder.
   * @returns the data set that an earlier attempt published before its answer was lost: then nothing is left to do
   */
  begin(signal: AbortSignal): Promise<DatasetReference | undefined>;
  /** Writes the manifest, which makes the data set complete, and removes what does not belong to it. */
  publish(description: DatasetDescription, signal: AbortSignal): Promise<DatasetReference>;
}
