import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { ROOT } from '../../lib/environment.ts';
import type { MySQLConnection } from '../../lib/databases/mysql.ts';
import type { ConnectorConfig } from '../../lib/kafka-connect/connector.ts';

/** The declared connector of the legacy catalogue. */
const FILE = join(ROOT, 'examples', 'integrations', 'resources', 'catalogue.yaml');

/**
 * The configuration of `examples/integrations/resources/catalogue.yaml`, for one table of the suite's MariaDB and a topic.
 * @param changes values that replace others
 */
export function catalogueConnector(
  { host, port }: Pick<MySQLConnection, 'host' | 'port'>,
  { database, table, topic }: { readonly database: string; readonly table: string; readonly topic: string },
  changes: ConnectorConfig = {},
): ConnectorConfig {
  const { resources } = parse(readFileSync(FILE, 'utf8')) as {
    resources: readonly { readonly config: Readonly<Record<string, unknown>> }[];
  };
  const declared = Object.entries(resources[0]?.config ?? {}).map(([key, value]): [string, string] => [key, String(value)]);
  return {
    ...Object.fromEntries(declared),
    'database.hostname': host,
    'database.port': String(port),
    // As a replica each connector has a number of its own.
    'database.server.id': String(randomInt(10_000, 2_000_000_000)),
    'topic.prefix': topic,
    'database.include.list': database,
    'table.include.list': `${database}.${table}`,
    'schema.history.internal.kafka.topic': `${topic}.history`,
    'poll.interval.ms': '100',
    'transforms.route.regex': `.*\\.${table}`,
    'transforms.route.replacement': topic,
    ...changes,
  };
}
