import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { projectRoot } from '../../../lib/roots.ts';
import type { AwsConnection } from '../../../lib/s3.ts';
import type { MlflowConnection } from '../../../connections/mlflow.ts';
import { exactJsonText } from '../../../workflows/plan/values/exact-json.ts';
import type { JsonObject } from '../../../workflows/plan/values/json.ts';
import { openStorage, type Storage } from '../dataset/storage.ts';
import type { TaskContext } from '../../define-task.ts';
import { userFault } from '../../run/errors.ts';
import { findJobFile } from '../../spark/job-file.ts';
import type { JobEnd, JobResults } from '../../spark/job-result.ts';
import { type ModelData, referenceTo } from './model-data.ts';
import { findFileDamage } from './model-files.ts';
import type { Lineage, ModelRegistry, ModelVersion } from './model-registry.ts';
import { MlflowClient } from './mlflow/mlflow-client.ts';
import { MlflowRegistry } from './mlflow/mlflow-registry.ts';
import { DEFAULT_STORE, type REGISTRY, type STORAGE } from './parameters.ts';
import { runProgramOnFiles } from './run-program.ts';
import { S3Registry } from './s3-registry.ts';

/** Keys of all model tasks. */
export interface ModelParams {
  readonly model: string;
  readonly store?: string;
  readonly aws_conn_id?: string;
  readonly registry_conn_id?: string;
}

/** Keys of the model tasks that run a program. */
export interface ProgramParams {
  readonly job_name?: string;
  readonly argv?: readonly string[];
  readonly params?: JsonObject;
  readonly spark_conn_id?: string;
}

export type ModelContext = TaskContext<{ readonly storage: typeof STORAGE; readonly registry: typeof REGISTRY }>;

/** The open store and registry of a model task. */
export interface Models {
  readonly store: string;
  readonly storage: Storage;
  readonly registry: ModelRegistry;
}

/** Opens the store and the registry of a task's models while `work` runs. */
export async function withModels<T>(ctx: ModelContext, params: ModelParams, work: (models: Models) => Promise<T>): Promise<T> {
  return withOpenModels(ctx.connections, params, ctx.signal, work);
}

/** Like `withModels`, outside of a task. @param connections of the store, and of MLflow if it is the registry */
export async function withOpenModels<T>(
  { storage: aws, registry: mlflow }: { readonly storage: AwsConnection; readonly registry: MlflowConnection | undefined },
  { store = DEFAULT_STORE, aws_conn_id: connection = 'aws_default', registry_conn_id: registryName = '' }: Omit<ModelParams, 'model'>,
  signal: AbortSignal,
  work: (models: Models) => Promise<T>,
): Promise<T> {
  const storage = openStorage(aws, connection);
  const registry = mlflow ? new MlflowRegistry(new MlflowClient(mlflow, registryName, signal)) : new S3Registry(storage, store, signal);
  try {
    return await work({ store, storage, registry });
  } finally {
    storage.client.destroy();
  }
}

/** @throws ApplicationFailure `DatasetNotFound` */
export async function findVersion({ registry }: Models, model: string, version: string): Promise<ModelVersion> {
  const found = await registry.find(model, version);
  if (found) return found;
  throw userFault(
    'DatasetNotFound',
    `Model '${model}' has no version '${version}' in ${registry.place}. Name one that train_model has made, with the same registry_conn_id as there, or train it first.`,
  );
}

/** @throws ApplicationFailure `DatasetNotFound` when the files of a version are gone, or differ from those that it was registered with */
export async function requireFiles({ storage }: Models, version: ModelVersion, signal: AbortSignal): Promise<void> {
  const damage = await findFileDamage(storage, version, signal);
  if (damage === undefined) return;
  throw userFault(
    'DatasetNotFound',
    `The files of version '${version.version}' of model '${version.model}' ${damage}. Restore them, or train the model again.`,
  );
}

/** Runs the task's Spark job or program. A job gets `reads` as `--param name=uri`, a program as folders. */
export async function runTrainer<R>(
  ctx: ModelContext,
  models: Models,
  { job_name: job, argv, params = {}, spark_conn_id: spark = 'spark_default' }: ProgramParams,
  reads: Readonly<Record<string, string>>,
  results: JobResults<R>,
  data: ModelData | undefined,
): Promise<JobEnd<R>> {
  if (job !== undefined) {
    const { submitJob } = await import('../../spark/run-spark-job.ts');
    const connections = { spark: ctx.connection(spark, ['spark']), storage: ctx.connections.storage };
    const texts = Object.fromEntries(Object.entries(params).map(([name, value]) => [name, textOf(value)]));
    return submitJob({ ...ctx, connections, input: data && referenceTo(data) }, { job_name: job, params: { ...texts, ...reads } }, results);
  }
  const folders = Object.fromEntries(Object.entries(reads).map(([name, uri]) => [`SLUICE_${name.toUpperCase()}`, uri]));
  const input = data && { SLUICE_INPUT: data.manifest };
  const call = { argv: argv ?? [], params, reads: { ...input, ...folders }, storage: models.storage };
  return { result: await runProgramOnFiles(ctx, call, results(ctx.attempt)), startedBy: ctx.attempt };
}

/** The name of a task's program in messages. */
export function programName({ job_name: job, argv = [] }: ProgramParams): string {
  return job ?? basename(argv[0] ?? '');
}

/** The training program, and the digest of its code. */
export function trainerOf({ job_name: job, argv = [] }: ProgramParams): Lineage['trainer'] {
  if (job !== undefined) return { program: job, ...digestOf(findJobFile({ job_name: job }).path) };
  // In `python3 jobs/train.py` the script is the relevant file.
  const script = argv.find((each) => /\.\w+$/.test(each));
  return { program: argv.join(' '), ...(script !== undefined && digestOf(resolve(projectRoot(), script))) };
}

function digestOf(path: string): { sha256?: string } {
  try {
    return { sha256: createHash('sha256').update(readFileSync(path)).digest('hex') };
  } catch {
    return {}; // not a file of this installation
  }
}

function textOf(value: unknown): string {
  return typeof value === 'object' ? exactJsonText(value) : String(value);
}
