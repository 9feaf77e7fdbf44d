import { aws } from './aws.ts';
import { camel } from './camel.ts';
import type { ConnectionDefinition } from './define-connection.ts';
import { http } from './http.ts';
import { kafka } from './kafka.ts';
import { kafkaConnect } from './kafka-connect.ts';
import { mlflow } from './mlflow.ts';
import { mysql } from './mysql.ts';
import { pagerduty } from './pagerduty.ts';
import { postgres } from './postgres.ts';
import { rabbitmq } from './rabbitmq.ts';
import { redshift } from './redshift.ts';
import { spark } from './spark.ts';

/** The connection types that ship with Sluice. */
export const CONNECTIONS = [postgres, redshift, mysql, aws, kafka, kafkaConnect, http, mlflow, pagerduty, rabbitmq, camel, spark] as const;

export type Connection = ReturnType<(typeof CONNECTIONS)[number]['read']>;
export type ConnectionType = Connection['type'];
/** A connection type as definitions name it: a built-in one by its name, one of a project or plugin by its definition. */
export type ConnectionKind = ConnectionType | ConnectionDefinition;
/** The connection of a type: `ConnectionOf<'postgres'>`, `ConnectionOf<typeof ftp>`. */
export type ConnectionOf<T extends ConnectionKind> = T extends ConnectionDefinition
  ? ReturnType<T['read']>
  : Extract<Connection, { readonly type: T }>;

/** The `type` in JSON. */
export function typeName(kind: ConnectionKind): string {
  return typeof kind === 'string' ? kind : kind.type;
}

/** @returns undefined if there is no such connection type */
export function definitionOf(type: unknown, catalog: readonly ConnectionDefinition[] = CONNECTIONS): ConnectionDefinition | undefined {
  return catalog.find((definition) => definition.type === type);
}
