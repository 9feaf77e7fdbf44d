import { camel } from './camel.ts';
import { kafka, kafka39 } from './kafka.ts';
import { kafkaConnect } from './kafka-connect.ts';
import { mlflow } from './mlflow.ts';
import { mysql } from './mysql.ts';
import { type Part, type PartName, partNames } from './part.ts';
import { pgbouncer } from './pgbouncer.ts';
import { postgres } from './postgres.ts';
import { rabbitmq } from './rabbitmq.ts';
import { s3 } from './s3.ts';
import { schemaRegistry } from './schema-registry.ts';
import { spark } from './spark.ts';
import { temporal } from './temporal.ts';
import { temporalPostgres } from './temporal-postgres.ts';

/** All parts of the local stack. */
export const parts: Readonly<Record<PartName, Part>> = {
  temporal,
  postgres,
  s3,
  kafka,
  spark,
  'schema-registry': schemaRegistry,
  rabbitmq,
  mlflow,
  mysql,
  camel,
  pgbouncer,
  'temporal-postgres': temporalPostgres,
  'kafka-3.9': kafka39,
  'kafka-connect': kafkaConnect,
};

/** Returns the named parts without duplicates, in the order of the catalog. */
export function partsNamed(names: readonly PartName[]): Part[] {
  return partNames.filter((name) => names.includes(name)).map((name) => parts[name]);
}
