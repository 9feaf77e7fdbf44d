import { definitionOf } from '../../connections/catalog.ts';
import type { ConnectionDefinition } from '../../connections/define-connection.ts';
import { readableFields } from '../../connections/in-expressions.ts';
import type { Shape } from '../../workflows/plan/expressions/shape.ts';

/** What the compiler knows about connections: the types of the project, and the connections of the installation. */
export interface KnownConnections {
  /** Returns the type of a connection by its name; undefined: unknown. */
  typeOf(name: string): string | undefined;
  /** The fields that expressions can read of connections of a type; of all types if it is unknown. */
  fieldsOf(type: string | undefined): Readonly<Record<string, Shape>>;
}

/** The connections that the installation defines: see Context. */
interface DefinedConnections {
  readonly connections?: ReadonlySet<string>;
  readonly connectionTypes?: ReadonlyMap<string, string>;
}

/** For undefined connections, takes the type from Airflow's default names, such as `postgres_default`. */
export function knownConnections(
  definitions: readonly ConnectionDefinition[],
  { connections, connectionTypes = new Map() }: DefinedConnections,
): KnownConnections {
  return {
    typeOf: (name) =>
      connectionTypes.get(name) ?? (connections?.has(name) ? undefined : definitions.find(({ type }) => name === `${type}_default`)?.type),
    fieldsOf(type) {
      const definition = definitionOf(type, definitions);
      return readableFields(definition ? [definition] : definitions);
    },
  };
}
