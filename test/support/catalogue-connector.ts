import { randomInt } from 'node:crypto';
import type { MySQLConnection } from '../../lib/databases/mysql.ts';
import type { ConnectorConfig } from '../../lib/kafka-connect/connector.ts';

/** The configuration of a connector that copies one table of the suite's MariaDB into a topic. @param changes values that replace others */
export function catalogueConnector(
  { host, port }: Pick<MySQLConnection, 'host' | 'port'>,
  { database, table, topic }: { readonly database: string; readonly table: string; readonly topic: string },
  changes: ConnectorConfig = {},
): ConnectorConfig {
  return {
    'connector.class': 'io.debezium.connector.mysql.MySqlConnector',
    'database.hostname': host,
    'database.port': String(port),
    'database.user': 'cdc',
    'database.password': '${env:CONNECT_MYSQL_PASSWORD}',
    // As a replica each connector has a number of its own.
    'database.server.id': String(randomInt(10_000, 2_000_000_000)),
    'topic.prefix': topic,
    'database.include.list': database,
    'table.include.list': `${database}.${table}`,
    'include.schema.changes': 'false',
    'schema.history.internal.kafka.bootstrap.servers': '${env:CONNECT_KAFKA}',
    'schema.history.internal.kafka.topic': `${topic}.history`,
    'decimal.handling.mode': 'string',
    'poll.interval.ms': '100',
    transforms: 'unwrap,route',
    'transforms.unwrap.type': 'io.debezium.transforms.ExtractNewRecordState',
    'transforms.unwrap.delete.tombstone.handling.mode': 'rewrite',
    'transforms.unwrap.add.fields': 'source.file,source.pos,source.row',
    'transforms.route.type': 'org.apache.kafka.connect.transforms.RegexRouter',
    'transforms.route.regex': `.*\\.${table}`,
    'transforms.route.replacement': topic,
    ...changes,
  };
}
