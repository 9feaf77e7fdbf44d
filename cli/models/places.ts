import { existsSync } from 'node:fs';
import { ApplicationFailure } from '@temporalio/common';
import { MODEL_NAME, STORE_URI } from '../../activities/support/models/parameters.ts';
import { type Models, withOpenModels } from '../../activities/support/models/model-tasks.ts';
import { hasDotSegment } from '../../workflows/plan/values/dot-segments.ts';
import type { JsonObject } from '../../workflows/plan/values/json.ts';
import { allTasks } from '../../workflows/plan/plan.ts';
import { CommandError, compilePaths, openConnections, PIPELINES } from '../command-context.ts';

/** Where models are stored: those storage keys of tasks that are set. */
export interface ModelPlace {
  readonly store?: string;
  readonly aws_conn_id?: string;
  readonly registry_conn_id?: string;
}

/** The same keys as command-line options. */
export interface PlaceOptions {
  readonly store?: string;
  readonly awsConnId?: string;
  readonly registryConnId?: string;
}

/** A place with an open registry. */
export interface OpenPlace {
  readonly models: Models;
}

/** Returns the places that options name, else those of all pipelines in `pipelines/`, else the default one. */
export async function findPlaces(options: PlaceOptions): Promise<readonly ModelPlace[]> {
  const given = placeIn(options);
  if (given) return [given];
  const known = await placesOfPipelines();
  const distinct = new Map([...known.values()].flat().map((place) => [JSON.stringify(place), place]));
  return distinct.size === 0 ? [{}] : [...distinct.values()];
}

/** Returns the place of one model. @throws CommandError when pipelines store models of this name in several places */
export async function placeOf(model: string, options: PlaceOptions): Promise<ModelPlace> {
  if (!new RegExp(MODEL_NAME.pattern).test(model)) throw new CommandError(`'${model}' is not a valid model name: ${MODEL_NAME.form}.`);
  const given = placeIn(options);
  if (given) return given;
  const [place = {}, ...others] = (await placesOfPipelines()).get(model) ?? [];
  if (others.length === 0) return place;
  const all = [place, ...others].map((each) => JSON.stringify(each)).join(' and ');
  throw new CommandError(
    `Pipelines keep models named '${model}' in several places: ${all}. Choose one with --store or --registry-conn-id.`,
  );
}

/** Opens the registry of a place while `work` runs. Reports user errors of tasks as user errors of the command. */
export async function withPlace<T>(place: ModelPlace, work: (open: OpenPlace, signal: AbortSignal) => Promise<T>): Promise<T> {
  const connections = openConnections();
  const storage = connections.get(place.aws_conn_id ?? 'aws_default', ['aws']);
  const registry = place.registry_conn_id === undefined ? undefined : connections.get(place.registry_conn_id, ['mlflow']);
  const { signal } = new AbortController();
  try {
    return await withOpenModels({ storage, registry }, place, signal, (models) => work({ models }, signal));
  } catch (error) {
    throw error instanceof ApplicationFailure ? new CommandError(error.message) : error;
  }
}

function placeIn({ store, awsConnId, registryConnId }: PlaceOptions): ModelPlace | undefined {
  if (store === undefined && awsConnId === undefined && registryConnId === undefined) return undefined;
  if (store !== undefined && (!new RegExp(STORE_URI.pattern).test(store) || hasDotSegment(store))) {
    throw new CommandError(`--store '${store}' is invalid: it must be ${STORE_URI.form}.`);
  }
  return {
    ...(store !== undefined && { store }),
    ...(awsConnId !== undefined && { aws_conn_id: awsConnId }),
    ...(registryConnId !== undefined && { registry_conn_id: registryConnId }),
  };
}

/** Maps each model to the places that tasks name. */
async function placesOfPipelines(): Promise<ReadonlyMap<string, readonly ModelPlace[]>> {
  const places = new Map<string, ModelPlace[]>();
  if (!existsSync(PIPELINES)) return places;
  for (const { plan } of await compilePaths([PIPELINES])) {
    for (const { type, params } of plan ? allTasks(plan) : []) {
      if (!type.endsWith('_model') || typeof params.model !== 'string') continue;
      const place = keysOf(params);
      const known = places.get(params.model) ?? [];
      if (!known.some((each) => JSON.stringify(each) === JSON.stringify(place))) places.set(params.model, [...known, place]);
    }
  }
  return places;
}

function keysOf(params: JsonObject): ModelPlace {
  const keys = ['store', 'aws_conn_id', 'registry_conn_id'] as const;
  return Object.fromEntries(keys.flatMap((key) => (typeof params[key] === 'string' ? [[key, params[key]]] : [])));
}
