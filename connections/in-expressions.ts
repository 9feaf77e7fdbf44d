import type { JsonObject, Json } from '../workflows/plan/values/json.ts';
import type { Shape } from '../workflows/plan/expressions/shape.ts';
import { CONNECTIONS, definitionOf } from './catalog.ts';
import type { ConnectionDefinition, TypedConnection } from './define-connection.ts';

/** The connection fields available in expressions, `conn.<name>.<field>`, with their types. None of them is secret. */
export function readableFields(catalog: readonly ConnectionDefinition[] = CONNECTIONS): Readonly<Record<string, Shape>> {
  const fields = catalog.flatMap((definition) => Object.entries(definition.fields));
  return Object.fromEntries(fields.flatMap(([name, { inExpressions }]) => (inExpressions === undefined ? [] : [[name, inExpressions]])));
}

/** The fields of `connection` for expressions. */
export function readableValues(connection: TypedConnection, catalog: readonly ConnectionDefinition[] = CONNECTIONS): JsonObject {
  const fields = definitionOf(connection.type, catalog)?.fields ?? {};
  const values = Object.entries(connection) as [string, Json][];
  return Object.fromEntries(
    values.flatMap(([name, value]): [string, Json][] => {
      const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
      if (field?.inExpressions === undefined) return [];
      // The path of an address can be a secret, as in Slack's webhooks.
      return [[name, field.secret === 'address' ? new URL(String(value)).origin : value]];
    }),
  );
}
