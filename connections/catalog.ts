import { aws } from './aws.ts';
import type { ConnectionDefinition } from './define-connection.ts';
import { http } from './http.ts';
import { kafka } from './kafka.ts';
import { mlflow } from './mlflow.ts';
import { mysql } from './mysql.ts';
import { pagerduty } from './pagerduty.ts';
import { postgres } from './postgres.ts';
import { rabbitmq } from './rabbitmq.ts';
import { redshift } from './redshift.ts';
import { spark } from './spark.ts';

/** The connection types that ship with Sluice. */
export const CONNECTIONS = [postgres, redshift, mysql, aws, kafka, http, mlflow, pagerduty, rabbitmq, spark] as const;

export type Connection = ReturnType<(typeof CONNECTIONS)[number]['read']>;
export type ConnectionType = Connection['type'];
export type ConnectionOf<T extends ConnectionType> = Extract<Connection, { readonly type: T }>;

/** @returns undefined if there is no such connection type */
export function definitionOf(type: unknown, catalog: readonly ConnectionDefinition[] = CONNECTIONS): ConnectionDefinition | undefined {
  return catalog.find((definition) => definition.type === type);
}
