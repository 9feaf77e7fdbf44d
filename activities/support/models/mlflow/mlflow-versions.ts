import type { JsonObject } from '../../../../workflows/plan/values/json.ts';
import type { MlflowClient } from './mlflow-client.ts';

/** A model version in MLflow. */
export interface MlflowVersion {
  /** Assigned by MLflow, counted from 1. */
  readonly version: string;
  readonly source: string;
  readonly run_id?: string;
  readonly tags?: readonly { readonly key: string; readonly value: string }[];
}

interface SearchOptions {
  readonly newestFirst?: boolean;
  readonly most?: number;
  /** Token of the page to read; empty: the first. */
  readonly page?: string;
}

/**
 * Versions of a registered model with these tags, lowest number first; empty if the model does not exist.
 * @param tags values are inserted into a query unescaped: they must not contain quotes
 */
export async function searchVersions(
  client: MlflowClient,
  model: string,
  tags: Readonly<Record<string, string>>,
  { newestFirst = false, most = 100, page = '' }: SearchOptions,
): Promise<{ versions: readonly MlflowVersion[]; next: string }> {
  const conditions = [`name = '${model}'`, ...Object.entries(tags).map(([key, value]) => `tags.\`${key}\` = '${value}'`)];
  const { model_versions: versions = [], next_page_token: next = '' } = await client.ask<{
    model_versions?: readonly MlflowVersion[];
    next_page_token?: string;
  }>('GET model-versions/search', {
    filter: conditions.join(' and '),
    order_by: `version_number ${newestFirst ? 'DESC' : 'ASC'}`,
    max_results: most,
    ...(page !== '' && { page_token: page }),
  });
  return { versions, next };
}

export function tagOf({ tags = [] }: MlflowVersion, key: string): string | undefined {
  return tags.find((tag) => tag.key === key)?.value;
}

/** Tags in MLflow's format. */
export function tagsOf(tags: JsonObject): JsonObject[] {
  return Object.entries(tags).map(([key, value]) => ({ key, value }));
}
