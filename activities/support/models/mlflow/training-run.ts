import { createHash } from 'node:crypto';
import { cutBytes } from '../../../../lib/cut-bytes.ts';
import type { JsonObject } from '../../../../workflows/plan/values/json.ts';
import { userFault } from '../../../run/errors.ts';
import type { Evaluation, Metrics, ModelVersion } from '../model-registry.ts';
import type { MlflowClient } from './mlflow-client.ts';

/**
 * Shows a training to data scientists in MLflow's UI: a run in the experiment named after the model, with metrics, parameters and datasets.
 * Sluice itself does not read it: its own data is stored with the version.
 */

/** Names that MLflow accepts for metrics and parameters: parts between slashes, none of them `.` or `..`. */
const NAME = /^(?!(.*\/)?\.{1,2}(\/|$))[\p{L}\p{N}_. :-]+(\/[\p{L}\p{N}_. :-]+)*$/u;
/** MLflow allows 250 characters; the prefix `evaluation/` needs a few. */
const LONGEST_NAME = 200;
/** The length of a parameter value that every MLflow release accepts, in bytes. */
const LONGEST_VALUE = 500;
/** Metrics or parameters per request. */
const BATCH = 100;

/** @throws ApplicationFailure `DataMismatch` when MLflow does not accept a name */
export function checkNames(metrics: Metrics): void {
  const bad = Object.keys(metrics).filter((name) => !isName(name));
  if (bad.length === 0) return;
  throw userFault(
    'DataMismatch',
    `MLflow takes no metric of the name ${bad.map((name) => `'${name.slice(0, LONGEST_NAME)}'`).join(', ')}: at most ${LONGEST_NAME} letters, ` +
      "digits, spaces and _ - . : are allowed, and / between them. Rename it in the program, such as 'ndcg@10' to 'ndcg_at_10'.",
  );
}

/** Records a training; continues the run of an earlier attempt. @returns the id of the run */
export async function recordTraining(client: MlflowClient, version: ModelVersion): Promise<string> {
  const { lineage } = version;
  const { run_id: run, start_time: timestamp } = await findRun(client, version);
  const metrics = points(version.metrics, Number(timestamp));
  // The version's lineage contains all parameters at full length.
  const params = Object.entries(lineage.params)
    .filter(([name]) => isName(name))
    .map(([key, value]) => ({ key, value: cutBytes(typeof value === 'string' ? value : JSON.stringify(value), LONGEST_VALUE) }));
  for (let at = 0; at < Math.max(metrics.length, params.length); at += BATCH) {
    await client.ask('POST runs/log-batch', { run_id: run, metrics: metrics.slice(at, at + BATCH), params: params.slice(at, at + BATCH) });
  }
  const datasets = lineage.datasets.map(({ uri, rows, contents }) => ({
    tags: [{ key: 'mlflow.data.context', value: 'training' }],
    dataset: {
      name: uri,
      digest: (contents ?? createHash('sha256').update(uri).digest('hex')).slice(0, 8),
      source_type: 's3',
      source: JSON.stringify({ uri }),
      profile: JSON.stringify({ num_rows: rows }),
    },
  }));
  if (datasets.length > 0) await client.ask('POST runs/log-inputs', { run_id: run, datasets });
  await client.ask('POST runs/update', { run_id: run, status: 'FINISHED', end_time: Date.now() });
  return run;
}

/** Adds the metrics of an evaluation to the run of the training: `evaluation/ndcg_at_10`. */
export async function recordEvaluation(client: MlflowClient, run: string, { metrics }: Evaluation): Promise<void> {
  const all = points(metrics, Date.now()).map((point) => ({ ...point, key: `evaluation/${point.key}` }));
  for (let at = 0; at < all.length; at += BATCH) {
    await client.ask('POST runs/log-batch', { run_id: run, metrics: all.slice(at, at + BATCH) });
  }
}

interface RunInfo {
  readonly run_id: string;
  readonly start_time: number | string;
}

async function findRun(client: MlflowClient, { model, version, lineage }: ModelVersion): Promise<RunInfo> {
  const experiment = await findExperiment(client, model);
  const { runs = [] } = await client.ask<{ runs?: readonly { readonly info: RunInfo }[] }>('POST runs/search', {
    experiment_ids: [experiment],
    filter: `tags.\`sluice.version\` = '${version}'`,
    max_results: 1,
  });
  if (runs[0]) return runs[0].info;
  const { start, end } = lineage.data_interval;
  const tags: JsonObject = {
    'sluice.version': version,
    'sluice.pipeline_run': lineage.pipeline_run,
    'sluice.task': lineage.task,
    'sluice.plan_hash': lineage.plan_hash,
    'sluice.data_interval': `${start}/${end}`,
    'mlflow.source.name': lineage.trainer.program,
  };
  const { run } = await client.ask<{ run: { readonly info: RunInfo } }>('POST runs/create', {
    experiment_id: experiment,
    run_name: version,
    start_time: Date.now(),
    tags: Object.entries(tags).map(([key, value]) => ({ key, value: cutBytes(String(value), LONGEST_VALUE) })),
  });
  return run.info;
}

/**
 * Finds or creates the experiment of a model.
 * @returns its id
 * @throws ApplicationFailure `RequestRefused` when it was deleted: MLflow keeps it and its name, and accepts no runs in it
 */
export async function findExperiment(client: MlflowClient, name: string): Promise<string> {
  const get = async () =>
    (
      await client.askUnless<{ experiment: { readonly experiment_id: string; readonly lifecycle_stage?: string } }>(
        'RESOURCE_DOES_NOT_EXIST',
        'GET experiments/get-by-name',
        { experiment_name: name },
      )
    )?.experiment;
  const make = () => client.askUnless<{ experiment_id: string }>('RESOURCE_ALREADY_EXISTS', 'POST experiments/create', { name });
  // A concurrent training of this model may have created it first.
  const found = (await get()) ?? (await make()) ?? (await get());
  const { experiment_id: id = '', lifecycle_stage: stage = 'active' } = (found ?? {}) as {
    experiment_id?: string;
    lifecycle_stage?: string;
  };
  if (stage !== 'deleted') return id;
  throw userFault(
    'RequestRefused',
    `Experiment '${name}' was deleted in ${client.url}, which takes no run in it and no other of that name. Restore it ` +
      `(\`mlflow experiments restore --experiment-id ${id}\`), or delete it for good (\`mlflow gc --experiment-ids ${id}\`).`,
  );
}

function points(metrics: Metrics, timestamp: number): { key: string; value: number; timestamp: number; step: number }[] {
  return Object.entries(metrics).map(([key, value]) => ({ key, value, timestamp, step: 0 }));
}

function isName(name: string): boolean {
  return name.length <= LONGEST_NAME && NAME.test(name);
}
