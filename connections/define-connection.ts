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
 * Defines a type of connections, `C` when it has been read; `connections/catalog.ts` lists it. Parsing, error messages, `sluice doctor`, the hiding of secrets, `conn.*` in
 * expressions and the documentation follow from it.
 */
export function defineConnection<C extends TypedConnection>(definition: DefinitionOf<C>): DefinitionOf<C> {
  return definition;
}
