import type { JsonObject } from '../../../../workflows/plan/values/json.ts';
import type { MlflowClient } from './mlflow-client.ts';

/** A model version as MLflow has it. */
export interface MlflowVersion {
  /** From 1, given by MLflow. */
  readonly version: string;
  readonly source: string;
  readonly run_id?: string;
  readonly tags?: readonly { readonly key: string; readonly value: string }[];
}

interface SearchOptions {
  readonly newestFirst?: boolean;
  readonly most?: number;
  /** Where the page before has ended; empty: from the beginning. */
  readonly page?: string;
}

/**
 * Versions of a registered model with these tags, the lowest number first; none where there is no such model.
 * @param tags their values go into a query as they are: no quotes
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

/** Tags as MLflow takes them. */
export function tagsOf(tags: JsonObject): JsonObject[] {
  return Object.entries(tags).map(([key, value]) => ({ key, value }));
}
