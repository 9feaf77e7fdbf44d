import { CONNECTIONS, type ConnectionOf, type ConnectionType, definitionOf } from './catalog.ts';
import { connectionDefinedBy, ConnectionError, connectionVariable, parseConnection } from './parse.ts';

/**
 * Connections to the servers that tasks use. A pipeline names a connection (`postgres_default`), and the worker's environment defines it:
 * `SLUICE_CONN_POSTGRES_DEFAULT`. Secrets exist only there: a connection's value never reaches a plan, a history or a log.
 */
export interface Connections {
  /** @throws ConnectionError when it is not defined, not valid, or not one of `types` */
  get<T extends ConnectionType>(name: string, types: readonly T[]): ConnectionOf<T>;
  names(): string[];
}

/** Connections defined in `environment`. Read on each use, so that the next attempt picks up a rotated secret. */
export function connectionsFrom(environment: Readonly<Record<string, string | undefined>>): Connections {
  return {
    get<T extends ConnectionType>(name: string, types: readonly T[]): ConnectionOf<T> {
      const variable = connectionVariable(name);
      const text = environment[variable];
      if (!text) {
        const defined = this.names();
        const example = (definitionOf(types[0]) ?? CONNECTIONS[0]).example;
        throw new ConnectionError(
          `Connection '${name}' is not defined. Set ${variable} in the environment of the worker, for example ${variable}=${example} ` +
            (defined.length > 0 ? `(defined here: ${defined.join(', ')}).` : '(no connection is defined here).'),
        );
      }
      const connection = parseConnection(name, text);
      if (!(types as readonly string[]).includes(connection.type)) {
        throw new ConnectionError(
          `Connection '${name}' is of type ${connection.type}; this task needs ${types.join(' or ')}. Change ${variable}, or name another connection in the task.`,
        );
      }
      return connection as ConnectionOf<T>;
    },
    names: () =>
      Object.keys(environment)
        .flatMap((variable) => (environment[variable] ? (connectionDefinedBy(variable) ?? []) : []))
        .sort(),
  };
}

/** Maps the names of an environment's valid connections to their types. */
export function connectionTypesIn(environment: Readonly<Record<string, string | undefined>>): Map<string, ConnectionType> {
  const types = new Map<string, ConnectionType>();
  for (const name of connectionsFrom(environment).names()) {
    try {
      types.set(name, parseConnection(name, environment[connectionVariable(name)] ?? '').type);
    } catch (error) {
      // `sluice doctor` reports the error.
      if (!(error instanceof ConnectionError)) throw error;
    }
  }
  return types;
}
