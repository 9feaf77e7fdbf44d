import { parseS3Uri } from '../../../lib/s3.ts';
import { type DatasetReference, type DatasetWriter, MANIFEST_NAME } from '../../../workflows/plan/datasets/dataset.ts';
import type { RunIdentity } from '../../../workflows/plan/tasks/task-input.ts';
import type { TaskContext } from '../../define-task.ts';
import type { DatasetOutput } from './dataset-output.ts';
import { deleteUnder } from './delete-under.ts';
import { movePointer } from './move-pointer.ts';
import { findManifest, type StoredManifest } from './read-manifest.ts';
import { removeSuperseded } from './remove-superseded.ts';
import { runFolder, runFolderPrefix, taskName, variantFolder } from './run-folder.ts';
import type { Storage } from './storage.ts';
import { type DatasetDescription, writeManifestOnce } from './write-manifest.ts';

/** The properties of a task that determine its output. */
export type OutputOwner = Pick<TaskContext, 'task' | 'attempt' | 'interval' | 'idempotencyKey' | 'runs' | 'log'> & {
  readonly run: RunIdentity;
};

/**
 * A folder that one task of one run owns. Its manifest is written once and never changed. Readers outside Sluice follow the manifest of
 * another folder, which is a copy of the newest run's.
 */
export class RunOutput implements DatasetOutput {
  readonly uri: string;
  readonly mark: string;
  readonly #owner: OutputOwner;
  readonly #storage: Storage;
  /** The common prefix of the folders of all runs that write the same data. */
  readonly #siblings: string;
  readonly #pointer: string;

  /**
   * @param base the folder that contains the runs' folders: `s3://bucket/prefix/`
   * @param pointerFolder the folder of the manifest for readers outside Sluice
   */
  constructor(owner: OutputOwner, storage: Storage, base: string, pointerFolder: string) {
    this.#owner = owner;
    this.#storage = storage;
    this.#siblings = base + runFolderPrefix(owner);
    this.#pointer = pointerFolder + MANIFEST_NAME;
    this.uri = base + runFolder(owner);
    this.mark = String(owner.attempt);
  }

  /** @param folder of the interval: `s3://bucket/dag/task/20240101T000000Z/` */
  static ofInterval(owner: OutputOwner, storage: Storage, folder: string): RunOutput {
    return new RunOutput(owner, storage, folder, folder + variantFolder(owner.run.variant));
  }

  async begin(signal: AbortSignal): Promise<DatasetReference | undefined> {
    const earlier = await findManifest(this.#storage, this.uri + MANIFEST_NAME, signal);
    return earlier && this.#announce(earlier, signal);
  }

  async publish(description: DatasetDescription, signal: AbortSignal): Promise<DatasetReference> {
    return this.#announce(await writeManifestOnce(this.#storage, this.uri, description, this.#writer(), signal), signal);
  }

  /** The steps after the manifest is written. An attempt after a lost answer can repeat each of them. */
  async #announce(manifest: StoredManifest, signal: AbortSignal): Promise<DatasetReference> {
    const { log, runs } = this.#owner;
    await movePointer(this.#storage, this.#pointer, manifest.text, signal);
    const { entries, transform } = manifest.content;
    const own = [this.uri + MANIFEST_NAME, ...entries.map(({ url }) => url), ...(transform?.dead_letters ? [transform.dead_letters] : [])];
    const kept = new Set(own.map((url) => parseS3Uri(url).key));
    await deleteUnder(this.#storage, parseS3Uri(this.uri), (key) => kept.has(key), signal);
    try {
      await removeSuperseded(this.#storage, this.#siblings, this.uri, runs, signal);
    } catch (error) {
      signal.throwIfAborted();
      log.warn('Could not remove the data of earlier runs; the next run tries again.', { prefix: this.#siblings, error });
    }
    return referenceTo(this.uri, manifest);
  }

  #writer(): DatasetWriter {
    const { run, interval } = this.#owner;
    return {
      pipeline_run_id: run.pipelineRunId,
      execution: run.execution,
      dag_id: run.dagId,
      task: taskName(this.#owner.task),
      started_at: run.startedAt,
      interval,
    };
  }
}

function referenceTo(uri: string, { content, checksum }: StoredManifest): DatasetReference {
  const { format, rows, bytes, schema } = content;
  return { uri, manifest: uri + MANIFEST_NAME, format, rows, bytes, schema, checksum };
}
