import { parseS3Uri } from '../../../lib/s3.ts';
import { deleteUnder } from '../dataset/delete-under.ts';
import { ownMark } from '../dataset/own-mark.ts';
import type { TaskContext } from '../../define-task.ts';
import { placeOf } from '../../spark/job-result.ts';
import { JobFiles } from './job-files.ts';
import { readMetrics } from './metrics.ts';
import { type ModelData, readModelData, requireUnchanged } from './model-data.ts';
import { recordFiles } from './model-files.ts';
import { type HeldOut, type Metrics, type ModelVersion, versionFolder } from './model-registry.ts';
import {
  type ModelContext,
  type ModelParams,
  type Models,
  type ProgramParams,
  programName,
  runTrainer,
  trainerOf,
  withModels,
} from './model-tasks.ts';
import type { Split } from './split-data.ts';

/** Output of a `train_model` task. */
export type TrainedModel = Pick<ModelVersion, 'model' | 'version' | 'uri' | 'metrics'>;

/** Trains a model and registers it. A task of a run registers one version, regardless of its number of attempts. */
export async function train(ctx: ModelContext, params: ModelParams & ProgramParams & { readonly split?: Split }): Promise<TrainedModel> {
  return withModels(ctx, params, async (models) => {
    const { model } = params;
    const folder = versionFolder(models.store, model, versionName(ctx));
    // An abandoned attempt may keep running, so each attempt writes to its own folder.
    const uriOf = (attempt: number): string => placeOf(`${folder}files`, attempt);
    const known = await models.registry.findAt(model, uriOf(1));
    if (known) {
      ctx.log.info('The version is there since an earlier attempt', { model, version: known.version });
      return toTrainedModel(known);
    }
    await models.registry.prepare(model);
    const data = ctx.input && (await readModelData(models.storage, ctx.input, ctx.signal));
    const parts = data && params.split && (await splitForTraining(ctx, models, data, params.split, folder));
    const advice = `where its model is expected. Write it there, and metrics.json beside it with what was measured.`;
    const results = (attempt: number): JobFiles<Metrics> =>
      new JobFiles(models.storage, uriOf(attempt), advice, (left) =>
        left.files === 0 ? undefined : readMetrics(left.metrics, programName(params)),
      );
    const { result: metrics, startedBy } = await runTrainer(ctx, models, params, {}, results, parts?.train ?? data);
    const uri = uriOf(startedBy);
    if (data && ctx.input) await requireUnchanged(models.storage, data, ctx.input, ctx.signal);
    const lineage = {
      pipeline_run: ctx.pipelineRunId,
      task: ctx.task,
      plan_hash: ctx.planHash ?? '',
      data_interval: ctx.interval,
      datasets: data ? [data.lineage] : [],
      ...(parts && { held_out: parts.heldOut }),
      trainer: trainerOf(params),
      params: params.params ?? {},
    };
    const recorded = await recordFiles(models.storage, uri, ctx.signal);
    const registered = await models.registry.register({ model, uri, metrics, lineage, files: recorded });
    const { held_out: heldOut } = registered.lineage;
    // Keep only the part that was set aside: the rest is in the original dataset.
    if (heldOut) await deleteUnder(models.storage, parseS3Uri(`${folder}data`), isUnder(heldOut.dataset.uri), ctx.signal);
    if (ctx.attempt > 1 || registered.uri !== uri) await deleteOtherAttempts(ctx, models, folder, registered.uri);
    return toTrainedModel(registered);
  });
}

/** Deletes the files of attempts that did not register the version. @param uri of the registered files */
async function deleteOtherAttempts({ log, signal }: ModelContext, { storage }: Models, folder: string, uri: string): Promise<void> {
  const isKept = isUnder(uri);
  const list = `${parseS3Uri(uri).key.slice(0, -1)}.json`;
  try {
    await deleteUnder(storage, parseS3Uri(`${folder}files`), (key) => isKept(key) || key === list, signal);
  } catch (error) {
    signal.throwIfAborted();
    log.warn('Could not delete what other attempts have left; the version does not need it.', { folder, error });
  }
}

function isUnder(uri: string): (key: string) => boolean {
  const { key: prefix } = parseS3Uri(uri);
  return (key) => key.startsWith(prefix);
}

/** @param folder of the version: `s3://bucket/prefix/` */
async function splitForTraining(
  { signal, log, attempt }: ModelContext,
  { storage }: Models,
  data: ModelData,
  split: Split,
  folder: string,
): Promise<{ readonly train: ModelData; readonly heldOut: HeldOut }> {
  // Load DuckDB on demand: few trainings need it.
  const { splitOnce } = await import('./split-once.ts');
  const { by, from, train, test } = await splitOnce(storage, data.manifest, split, { folder, attempt }, signal);
  log.info('The newest rows are set aside for the evaluation', { by, from, train: train.rows, test: test.rows });
  const heldOut = { by, from, dataset: (await readModelData(storage, test, signal)).lineage };
  return { train: await readModelData(storage, train, signal), heldOut };
}

/** A name that sorts by time and is the same for every attempt of a task in a run: `20240101T000000Z-1a2b3c4d`. */
function versionName({ interval, idempotencyKey }: TaskContext): string {
  return `${interval.end.replace(/\.\d+/, '').replace(/[-:]/g, '')}-${ownMark(idempotencyKey).slice(0, 8)}`;
}

function toTrainedModel({ model, version, uri, metrics }: ModelVersion): TrainedModel {
  return { model, version, uri, metrics };
}
