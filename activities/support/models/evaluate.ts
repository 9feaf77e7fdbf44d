import { isMap } from '../../../workflows/plan/values/json.ts';
import { ownMark } from '../dataset/own-mark.ts';
import { userFault } from '../../run/errors.ts';
import { placeOf } from '../../spark/job-result.ts';
import { JobFiles, METRICS_NAME } from './job-files.ts';
import { readMetrics } from './metrics.ts';
import { handedOver, requireUnchanged, termsOf } from './model-data.ts';
import { type Metrics, type ModelVersion, versionFolder } from './model-registry.ts';
import {
  findVersion,
  type ModelContext,
  type ModelParams,
  type Models,
  type ProgramParams,
  programName,
  requireFiles,
  runTrainer,
  trainerOf,
  withModels,
} from './model-tasks.ts';
import { findUsableChampion } from './usable-champion.ts';
import { readUnseenData } from './unseen-data.ts';

/** Output of an `evaluate_model` task. */
export interface EvaluatedModel {
  readonly model: string;
  readonly version: string;
  readonly metrics: Metrics;
  /** The champion's metrics on the same data; empty if there is none, or if it is this version. */
  readonly champion: Metrics;
  readonly champion_version: string | null;
}

interface Measured {
  readonly metrics: Metrics;
  readonly champion: Metrics | undefined;
}

/** Measures a version and the champion on the same data in one task: metrics from different days cannot be compared. */
export async function evaluate(
  ctx: ModelContext,
  params: ModelParams & ProgramParams & { readonly version?: string; readonly metrics?: readonly string[] },
): Promise<EvaluatedModel> {
  return withModels(ctx, params, async (models) => {
    const { model, metrics: required = [] } = params;
    const measuredVersion = await findVersion(models, model, params.version ?? '');
    const { version, uri } = measuredVersion;
    await requireFiles(models, measuredVersion, ctx.signal);
    const data = await readUnseenData(ctx, models, measuredVersion);
    const champion = await findOtherChampion(ctx, models, model, version);
    const program = programName(params);
    const advice = `where ${METRICS_NAME} is expected: {"metrics": {…}, "champion": {…}}.`;
    const place = `${versionFolder(models.store, model, version)}evaluations/${ownMark(ctx.idempotencyKey)}`;
    const results = (attempt: number): JobFiles<Measured> =>
      new JobFiles(models.storage, placeOf(place, attempt), advice, ({ metrics }) => {
        if (metrics === undefined) return undefined;
        const both = isMap(metrics) ? metrics : {};
        return {
          metrics: complete(readMetrics(both.metrics ?? null, program), required, program),
          champion: champion && complete(readMetrics(both.champion ?? null, `${program} for the champion`), required, program),
        };
      });
    const reads = { model: uri, ...(champion && { champion: champion.uri }) };
    const { result: measured } = await runTrainer(ctx, models, params, reads, results, data);
    if (data) await requireUnchanged(models.storage, data, handedOver(data.lineage), ctx.signal);
    await models.registry.saveEvaluation(model, version, {
      metrics: measured.metrics,
      ...(champion && measured.champion && { champion: { version: champion.version, metrics: measured.champion } }),
      data: data?.lineage.uri ?? null,
      ...(data && { terms: termsOf(data, trainerOf(params), params.params ?? {}) }),
    });
    return { model, version, metrics: measured.metrics, champion: measured.champion ?? {}, champion_version: champion?.version ?? null };
  });
}

/** @returns the champion, if it is another version */
async function findOtherChampion(ctx: ModelContext, models: Models, model: string, version: string): Promise<ModelVersion | undefined> {
  const current = await models.registry.champion(model);
  if (current?.champion.version === version) return undefined;
  const champion = await findUsableChampion(ctx, models, model, current);
  return champion?.version === version ? undefined : champion;
}

function complete(measured: Metrics, required: readonly string[], program: string): Metrics {
  const lacking = required.filter((name) => !Object.hasOwn(measured, name));
  if (lacking.length === 0) return measured;
  const there = Object.keys(measured).join(', ') || 'nothing';
  throw userFault(
    'DataMismatch',
    `${program} has measured ${there}, and not ${lacking.join(', ')}. Measure it in the program, or take it out of 'metrics'.`,
  );
}
