import { createHash } from 'node:crypto';
import { exactJsonText } from '../../../workflows/plan/values/exact-json.ts';
import { type DatasetReference, MANIFEST_NAME } from '../../../workflows/plan/datasets/dataset.ts';
import { type HandedOver, readInput, type StoredManifest } from '../dataset/read-manifest.ts';
import type { Storage } from '../dataset/storage.ts';
import { platformFault } from '../../run/errors.ts';
import type { DatasetOfLineage } from './model-registry.ts';

/** The dataset of a model task, according to its manifest. */
export interface ModelData {
  readonly manifest: StoredManifest;
  /** What a version records about the dataset. */
  readonly lineage: DatasetOfLineage;
}

/**
 * Reads the manifest of the dataset that the upstream task produced.
 * @throws ApplicationFailure `DatasetChanged` when it was replaced, `DatasetNotFound` when it is gone
 */
export async function readModelData(storage: Storage, input: HandedOver, signal: AbortSignal): Promise<ModelData> {
  const manifest = await readInput(storage, input, signal);
  const { content, checksum } = manifest;
  return { manifest, lineage: { uri: input.uri, rows: content.rows, checksum, contents: contentsOf(manifest) } };
}

/** A dataset from a version's lineage, in the form that upstream tasks pass on. */
export function handedOver({ uri, rows, checksum }: DatasetOfLineage): HandedOver {
  return { uri, manifest: uri + MANIFEST_NAME, rows, ...(checksum !== undefined && { checksum }) };
}

/** The reference that a Spark job receives. */
export function referenceTo({ manifest: { uri: manifest, content, checksum }, lineage }: ModelData): DatasetReference {
  const { format, rows, bytes, schema } = content;
  return { uri: lineage.uri, manifest, format, rows, bytes, schema, checksum };
}

/** @throws ApplicationFailure `DatasetChanged` when the manifest is no longer the one that was read before the work began */
export async function requireUnchanged(storage: Storage, { manifest }: ModelData, input: HandedOver, signal: AbortSignal): Promise<void> {
  const now = await readInput(storage, input, signal);
  if (now.checksum === manifest.checksum) return;
  throw platformFault(
    'DatasetChanged',
    `${manifest.uri} was written again while the program read the data: it is unknown what it has read.`,
  );
}

/** A digest of the rows: the same for the same files, wherever they are. Files without rows do not count. */
function contentsOf({ content }: StoredManifest): string {
  const files = content.entries.filter(({ rows }) => rows > 0).map(({ sha256 }) => sha256);
  return digest(files.sort().join('\n'));
}

/**
 * Identifies evaluations that can be compared: on the same rows, by the same program, with the same parameters.
 * @param program what measures, with the digest of its code
 */
export function termsOf({ lineage }: ModelData, program: object, params: object): string {
  return digest(exactJsonText({ contents: lineage.contents, program, params }));
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
