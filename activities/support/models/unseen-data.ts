import { type DatasetManifest, MANIFEST_NAME } from '../../../workflows/plan/datasets/dataset.ts';
import { findManifest } from '../dataset/read-manifest.ts';
import { userFault } from '../../run/errors.ts';
import { handedOver, type ModelData, readModelData } from './model-data.ts';
import type { DatasetOfLineage, ModelVersion } from './model-registry.ts';
import type { ModelContext, Models } from './model-tasks.ts';
import { overlapOf, type RowSource } from './row-overlap.ts';

/**
 * Reads the data to measure a version on: the upstream dataset, or, if the version was trained on that dataset and its training set rows
 * aside, those rows.
 * @returns undefined if no upstream task produces data
 * @throws ApplicationFailure `DataMismatch` when the version was trained on it: a model that has memorized its data would look too good
 */
export async function readUnseenData(
  { input, log, signal }: ModelContext,
  models: Models,
  { model, version, lineage }: ModelVersion,
): Promise<ModelData | undefined> {
  if (!input) return undefined;
  const { storage } = models;
  const data = await readModelData(storage, input, signal);
  const { uri, rows } = data.lineage;
  for (const trained of lineage.datasets) {
    const isSame = trained.uri === uri || (rows > 0 && trained.contents === data.lineage.contents);
    if (isSame && lineage.held_out) {
      const { by, from, dataset } = lineage.held_out;
      log.info('The version is measured on the rows that its training has set aside', { by, from, rows: dataset.rows });
      return readModelData(storage, handedOver(dataset), signal);
    }
    const seen = isSame ? sameData(trained, uri) : await findSeenRows(models, trained, data, signal);
    if (seen === 'unknown') {
      log.warn(
        'It is not known whether the version was trained on rows of this data: the data of the training is gone, or cannot be compared with it',
        {
          trained: trained.uri,
          uri,
        },
      );
    } else if (seen !== undefined) {
      throw userFault(
        'DataMismatch',
        `Version '${version}' of model '${model}' was trained on ${trained.uri}, ${seen}. Measure it on data that it has not seen: add ` +
          "`split: {by: time, test: 20%}` to train_model, which sets the newest rows aside, and let evaluate_model read the same task's data; or extract " +
          'such data in a separate task, and name the task in `inputs`.',
      );
    }
  }
  return data;
}

function sameData(trained: DatasetOfLineage, uri: string): string {
  return trained.uri === uri ? 'the data of this task' : `and ${uri}, the data of this task, holds the same files`;
}

/**
 * Compares two datasets by the checksums of their files, by their database queries, and if neither is conclusive, by their rows.
 * @returns how they overlap, as the end of a sentence; `unknown` if that is inconclusive; undefined if they do not overlap
 */
async function findSeenRows(
  { storage }: Models,
  trained: DatasetOfLineage,
  { manifest, lineage: { uri, rows } }: ModelData,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (rows === 0 || trained.rows === 0) return undefined;
  const found = await findManifest(storage, trained.uri + MANIFEST_NAME, signal);
  // Only the newest runs of an interval keep their data.
  if (!found || (trained.checksum !== undefined && found.checksum !== trained.checksum)) return 'unknown';
  const known = new Set(found.content.entries.filter((entry) => entry.rows > 0).map(({ sha256 }) => sha256));
  const shared = manifest.content.entries.filter((entry) => known.has(entry.sha256)).length;
  if (shared > 0) return `and ${shared} of the files of ${uri}, the data of this task, are the same`;
  const [before, now] = [found.content, manifest.content];
  const isOneDatabase = before.source?.database !== undefined && before.source.database === now.source?.database;
  const overlap = isOneDatabase ? overlapOf(rowSource(before), rowSource(now)) : 'unknown';
  if (overlap === 'none') return undefined;
  if (overlap === 'some') return `and ${uri}, the data of this task, holds rows of it: ${described(before)}, and ${described(now)}`;
  // A join, an aggregate or a job's result does not declare its rows.
  const { countSharedRows } = await import('./shared-rows.ts');
  const same = await countSharedRows(storage, before, now, signal);
  if (same === undefined) return 'unknown';
  return same === 0 ? undefined : `and ${same} of the ${rows} rows of ${uri}, the data of this task, are rows of it, too`;
}

function rowSource({ source, incremental }: DatasetManifest): RowSource {
  const { table, query, where } = source ?? {};
  return {
    ...(table !== undefined && { table }),
    ...(query !== undefined && { query }),
    ...(where !== undefined && { where }),
    ...(incremental && { incremental }),
  };
}

function described({ source, incremental }: DatasetManifest): string {
  const conditions = [source?.where, incremental && `${incremental.column} in [${incremental.start}, ${incremental.end})`].filter(
    (each) => each !== undefined,
  );
  return `${source?.table ?? `(${source?.query ?? ''})`}${conditions.length === 0 ? '' : ` where ${conditions.join(' and ')}`}`;
}
