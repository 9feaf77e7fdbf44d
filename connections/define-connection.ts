import type { Fields, FieldReader } from './field-reader.ts';
import type { Uri } from './uri.ts';

/** A field of a connection. */
export interface ConnectionField {
  /** A phrase for documentation. */
  readonly description: string;
  /** It may stand in the query of a URI. */
  readonly isOption?: true;
  readonly isList?: true;
  /** `all`: nobody may see it. `address`: user, password, query and what looks like a key in the path of a URL. */
  readonly secret?: 'all' | 'address';
  /** Its type in expressions, as `conn.<name>.<field>`; absent: expressions cannot read it. Of an address they see scheme, host and port. */
  readonly inExpressions?: 'string' | 'int' | { readonly list: 'string' };
}

/** A connection that has been read. */
export interface TypedConnection {
  readonly type: string;
}

/** A type of connections: where servers of a kind are, and how they are reached. */
export interface ConnectionDefinition {
  /** The `type` of JSON, and what tasks and triggers ask for: `postgres`. */
  readonly type: string;
  /** A phrase for documentation. */
  readonly description: string;
  /** The schemes of URIs that stand for it; none: it is given as JSON only. */
  readonly schemes: readonly string[];
  /** One that can be read, as it stands in a shell. */
  readonly example: string;
  /** A field that is not here is a mistake in a connection, and never left aside. */
  readonly fields: Readonly<Record<string, ConnectionField>>;
  /** The fields of a URI, as text; absent: those of `user:password@host:port/database?options`. */
  fieldsOfUri?(uri: Uri): Fields;
  /** Checks the fields one by one, and fills in defaults. What cannot be read is told with `fields.fail`, which never shows a value that may be secret. */
  read(fields: FieldReader): TypedConnection;
  /** Talks to the other side once. @returns what it says of itself, for `sluice doctor` @throws what went wrong */
  check(connection: TypedConnection, signal: AbortSignal): Promise<string>;
}

interface DefinitionOf<C extends TypedConnection> extends ConnectionDefinition {
  readonly type: C['type'];
  /** `tls` is no field of what is read: it decides about others. */
  readonly fields: Readonly<Record<Exclude<keyof C, 'type'>, ConnectionField>> & { readonly tls?: ConnectionField };
  read(fields: FieldReader): C;
  check(connection: C, signal: AbortSignal): Promise<string>;
}

/**
 * Defines a connection type: a file in `connections/`, listed in `connections/catalog.ts`. Parsing of URIs and JSON, error messages,
 * `sluice doctor`, the hiding of secrets, `conn.*` in expressions and the reference page follow from it.
 *
 * `C` is the connection after reading: its `type`, and the fields that `fields` describes. A field is a secret only with `secret`, and
 * expressions read it only with `inExpressions`; no field may have both. A field that `fields` lacks is refused. `read` fills in defaults.
 * `check` has 15 s, ends when its signal is aborted, and changes nothing on the other side.
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
