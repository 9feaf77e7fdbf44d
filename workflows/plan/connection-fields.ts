import type { Shape } from './expressions/shape.ts';

/** The fields of connections that expressions can read, `conn.<name>.<field>`: none of them is a secret. */
export const CONNECTION_FIELDS = {
  host: 'string',
  port: 'int',
  database: 'string',
  region_name: 'string',
  endpoint_url: 'string',
  brokers: { list: 'string' },
  master: 'string',
  /** Scheme, host and port, without a path. */
  url: 'string',
} as const satisfies Record<string, Shape>;
