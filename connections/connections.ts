import type { JsonObject } from '../workflows/plan/values/json.ts';
import { CONNECTIONS, type ConnectionKind, type ConnectionOf, definitionOf, typeName } from './catalog.ts';
import type { ConnectionDefinition, TypedConnection } from './define-connection.ts';
import { readableValues } from './in-expressions.ts';
import type { Environment } from '../lib/environment.ts';
import { connectionDefinedBy, ConnectionError, connectionVariable, parseConnection } from './parse.ts';

/**
 * Connections to the servers that tasks use. A pipeline names a connection (`postgres_default`), and the worker's environment defines it:
 * `SLUICE_CONN_POSTGRES_DEFAULT`. Secrets exist only there: a connection's value never reaches a plan, a history or a log.
 */
export interface Connections {
  /** @throws ConnectionError when it is not defined, not valid, or not one of `types` */
  get<T extends ConnectionKind>(name: string, types: readonly T[]): ConnectionOf<T>;
  /** The fields of a connection that expressions can read. @throws ConnectionError when it is not defined or not valid */
  readable(name: string): JsonObject;
  names(): string[];
}

/**
 * Connections defined in `environment`. Read on each use, so that the next attempt picks up a rotated secret.
 * @param catalog the connection types of the project; default: the built-in ones
 */
export function connectionsFrom(environment: Environment, catalog: readonly ConnectionDefinition[] = CONNECTIONS): Connections {
  const names = (): string[] =>
    Object.keys(environment)
      .flatMap((variable) => (environment[variable] ? (connectionDefinedBy(variable) ?? []) : []))
      .sort();
  /** @param example of a connection, for the message */
  const parse = (name: string, example: string): TypedConnection => {
    const variable = connectionVariable(name);
    const text = environment[variable];
    if (text) return parseConnection(name, text, catalog);
    const defined = names();
    throw new ConnectionError(
      `Connection '${name}' is not defined. Set ${variable} in the environment of the worker, for example ${variable}=${example} ` +
        (defined.length > 0 ? `(defined here: ${defined.join(', ')}).` : '(no connection is defined here).'),
    );
  };
  return {
    get<T extends ConnectionKind>(name: string, types: readonly T[]): ConnectionOf<T> {
      const allowed = types.map(typeName);
      const connection = parse(name, (definitionOf(allowed[0], catalog) ?? CONNECTIONS[0]).example);
      if (!allowed.includes(connection.type)) {
        throw new ConnectionError(
          `Connection '${name}' is of type ${connection.type}; this task needs ${allowed.join(' or ')}. Change ${connectionVariable(name)}, or name another connection in the task.`,
        );
      }
      return connection as ConnectionOf<T>;
    },
    readable: (name) => readableValues(parse(name, CONNECTIONS[0].example), catalog),
    names,
  };
}

/**
 * Maps the names of an environment's valid connections to their types.
 * @param catalog the connection types of the project; default: the built-in ones
 */
export function connectionTypesIn(environment: Environment, catalog: readonly ConnectionDefinition[] = CONNECTIONS): Map<string, string> {
  const types = new Map<string, string>();
  for (const name of connectionsFrom(environment, catalog).names()) {
    try {
      types.set(name, parseConnection(name, environment[connectionVariable(name)] ?? '', catalog).type);
    } catch (error) {
      // `sluice doctor` reports the error.
      if (!(error instanceof ConnectionError)) throw error;
    }
  }
  return types;
}
