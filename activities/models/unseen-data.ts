import { userFault } from '../errors.ts';
import { handedOver, type ModelData, readModelData } from './model-data.ts';
import type { ModelVersion } from './model-registry.ts';
import type { ModelContext, Models } from './model-tasks.ts';

/**
 * Reads what a version is measured on: the data of the task before, or, where the version was trained on that and its training has set rows
 * aside, those rows.
 * @returns undefined where no task before makes data
 * @throws ApplicationFailure `DataMismatch` when the version has seen it: a model that knows its data by heart would look better than an honest one
 */
export async function readUnseenData(
  { input, log, signal }: ModelContext,
  { storage }: Models,
  { model, version, lineage }: ModelVersion,
): Promise<ModelData | undefined> {
  if (!input) return undefined;
  const data = await readModelData(storage, input, signal);
  const { uri, rows, contents } = data.lineage;
  const trained = lineage.datasets.find((each) => each.uri === uri || (rows > 0 && each.contents === contents));
  if (!trained) return data;
  if (lineage.held_out) {
    const { by, from, dataset } = lineage.held_out;
    log.info('The version is measured on the rows that its training has set aside', { by, from, rows: dataset.rows });
    return readModelData(storage, handedOver(dataset), signal);
  }
  const same = trained.uri === uri ? 'the data of this task' : `and ${uri}, the data of this task, holds the same files`;
  throw userFault(
    'DataMismatch',
    `Version '${version}' of model '${model}' was trained on ${trained.uri}, ${same}. Measure it on data that it has not seen: add ` +
      '`split: {by: time, test: 20%}` to train_model, which sets the newest rows aside; or extract such data in a task of its own, and name the task in `inputs`.',
  );
}
