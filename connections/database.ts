import { isLoopback } from '../lib/loopback.ts';
import { SSL_MODES, type SqlServer } from '../lib/databases/sql-server.ts';
import type { FieldReader } from './field-reader.ts';

/** The fields of all database types. */
export const DATABASE_FIELDS = {
  host: { description: 'host name or IP address of the server', inExpressions: 'string' },
  port: { description: 'port; by default the standard port', inExpressions: 'int' },
  user: { description: 'user name' },
  password: { description: 'password', secret: 'all' },
  database: { description: 'name of the database', inExpressions: 'string' },
  sslmode: {
    description: `${SSL_MODES.map((mode) => `\`${mode}\``).join(', ')} (encrypted, not verified for \`require\`); by default \`verify-full\`, on this machine \`disable\``,
    isOption: true,
  },
} as const;

/** @param port default port */
export function readDatabase(fields: FieldReader, port: number): SqlServer {
  const host = fields.host();
  return {
    host,
    port: fields.port(port),
    user: fields.required('user'),
    password: fields.optional('password') ?? '',
    database: fields.required('database'),
    sslmode: fields.oneOf('sslmode', SSL_MODES, isLoopback(host) ? 'disable' : 'verify-full'),
  };
}
