import type { ConnectionKind } from '../../connections/catalog.ts';
import type { Connections } from '../../connections/connections.ts';
import type { ConnectionDefinition } from '../../connections/define-connection.ts';
import { ConnectionError } from '../../connections/parse.ts';
import type { SecretReader } from '../define-resource.ts';

/** Reads secrets from the connections of an environment. @param catalog the connection types of the project */
export function readSecrets(connections: Connections, catalog: readonly ConnectionDefinition[]): SecretReader {
  return {
    secret(name, field) {
      const connection = connections.get<ConnectionKind>(name, catalog);
      const values = new Map<string, unknown>(Object.entries(connection));
      const value = values.get(field);
      if (['string', 'number', 'boolean'].includes(typeof value)) return String(value);
      const names = [...values.keys()].filter((key) => key !== 'type');
      throw new ConnectionError(`Connection '${name}' has no field '${field}'; it has ${names.join(', ')}.`);
    },
  };
}
