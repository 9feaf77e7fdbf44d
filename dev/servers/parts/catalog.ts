import { kafka, kafka39 } from './kafka.ts';
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

/** Every part of the local stack. */
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
  pgbouncer,
  'temporal-postgres': temporalPostgres,
  'kafka-3.9': kafka39,
};

/** The parts of these names, in the catalog's order and each once. */
export function partsNamed(names: readonly PartName[]): Part[] {
  return partNames.filter((name) => names.includes(name)).map((name) => parts[name]);
}
