import type { Fields, FieldReader } from './field-reader.ts';
import type { Uri } from './uri.ts';

/** A field of a connection. */
export interface ConnectionField {
  /** A phrase for documentation. */
  readonly description: string;
  /** Whether it is allowed in the query of a URI. */
  readonly isOption?: true;
  readonly isList?: true;
  /** `all`: never shown. `address`: hides user, password, query and path segments that look like keys. */
  readonly secret?: 'all' | 'address';
  /** Its type in expressions, as `conn.<name>.<field>`; absent: not available. Of an address: scheme, host and port. */
  readonly inExpressions?: 'string' | 'int' | { readonly list: 'string' };
}

/** A parsed connection. */
export interface TypedConnection {
  readonly type: string;
}

/** A connection type: how to reach servers of one kind. */
export interface ConnectionDefinition {
  /** The `type` in JSON, used by tasks and triggers: `postgres`. */
  readonly type: string;
  /** A phrase for documentation. */
  readonly description: string;
  /** The URI schemes of this type; empty: JSON only. */
  readonly schemes: readonly string[];
  /** A valid example, as written in a shell. */
  readonly example: string;
  /** All allowed fields: any other field is an error. */
  readonly fields: Readonly<Record<string, ConnectionField>>;
  /** Parses the fields of a URI as text; default: those of `user:password@host:port/database?options`. */
  fieldsOfUri?(uri: Uri): Fields;
  /** Checks each field and fills in defaults. Reports errors through `fields.fail`, without any value that may be secret. */
  read(fields: FieldReader): TypedConnection;
  /** Contacts the server once. @returns its description of itself, for `sluice doctor` @throws the error */
  check(connection: TypedConnection, signal: AbortSignal): Promise<string>;
}

/** A definition with the types of its connection. */
export interface DefinitionOf<C extends TypedConnection> extends ConnectionDefinition {
  readonly type: C['type'];
  /** `tls` is not part of the parsed connection: it determines other fields. */
  readonly fields: Readonly<Record<Exclude<keyof C, 'type'>, ConnectionField>> & { readonly tls?: ConnectionField };
  read(fields: FieldReader): C;
  check(connection: C, signal: AbortSignal): Promise<string>;
}

/**
 * Defines a connection type: a file in `connections/`, listed in `connections/catalog.ts`. Parsing of URIs and JSON, error messages,
 * `sluice doctor`, the hiding of secrets, `conn.*` in expressions and the reference page are derived from it.
 *
 * `C` is the connection after parsing: its `type`, and the fields that `fields` describes. A field is secret only with `secret`, and
 * available in expressions only with `inExpressions`; no field may have both. A field that is not in `fields` is refused. `read` fills in
 * defaults. `check` may take 15 s, must stop when its signal is aborted, and must not change anything on the server.
 * @param definition see ConnectionDefinition for each field
 * @returns the definition, for the catalog
 * @throws nothing itself; `read` throws ConnectionError through `fields`, which never shows a secret
 * @example
 * // connections/ftp.ts
 * import { once } from 'node:events';
 * import { connect } from 'node:net';
 * import { defineConnection } from './define-connection.ts';
 *
 * export interface FtpConnection {
 *   readonly type: 'ftp';
 *   readonly host: string;
 *   readonly port: number;
 *   readonly user: string;
 *   readonly password: string;
 * }
 *
 * export const ftp = defineConnection<FtpConnection>({
 *   type: 'ftp',
 *   description: 'An FTP server',
 *   schemes: ['ftp'],
 *   example: 'ftp://user:password@host:21',
 *   fields: {
 *     host: { description: 'the server', inExpressions: 'string' },
 *     port: { description: 'its port; by default 21', inExpressions: 'int' },
 *     user: { description: 'the user' },
 *     password: { description: 'the password', secret: 'all' },
 *   },
 *   read: (fields) => ({
 *     type: 'ftp',
 *     host: fields.host(),
 *     port: fields.port(21),
 *     user: fields.required('user'),
 *     password: fields.required('password'),
 *   }),
 *   async check({ host, port }, signal) {
 *     const socket = connect({ host, port, signal });
 *     try {
 *       const [greeting] = (await once(socket, 'data', { signal })) as [Buffer];
 *       return greeting.toString().trim();
 *     } finally {
 *       socket.destroy();
 *     }
 *   },
 * });
 */
export function defineConnection<C extends TypedConnection>(definition: DefinitionOf<C>): DefinitionOf<C> {
  return definition;
}
