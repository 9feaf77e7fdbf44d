import { type Connection, CONNECTIONS, definitionOf } from './catalog.ts';
import type { ConnectionDefinition, TypedConnection } from './define-connection.ts';
import { type Fail, type Fields, readerOf } from './field-reader.ts';
import { databaseFields, uriOf } from './uri.ts';

const PREFIX = 'SLUICE_CONN_';

/** Thrown when a connection is not defined, is invalid, or has the wrong type for the task. Never contains the value. */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError';
}

/** The environment variable that defines connection `name`. */
export function connectionVariable(name: string): string {
  return PREFIX + name.toUpperCase();
}

/** The name of the connection that an environment variable defines; undefined for other variables. */
export function connectionDefinedBy(variable: string): string | undefined {
  return variable.startsWith(PREFIX) ? variable.slice(PREFIX.length).toLowerCase() : undefined;
}

/**
 * Parses one connection: a URI (in Airflow's format) or JSON.
 * @throws ConnectionError with the name and the problem, but without the text itself, which may contain a password
 */
export function parseConnection(name: string, text: string): Connection;
export function parseConnection(name: string, text: string, catalog: readonly ConnectionDefinition[]): TypedConnection;
export function parseConnection(name: string, text: string, catalog: readonly ConnectionDefinition[] = CONNECTIONS): TypedConnection {
  const fail: Fail = (what) => {
    throw new ConnectionError(`Connection '${name}' (${connectionVariable(name)}) cannot be read: ${what}`);
  };
  const [definition, fields] = text.trimStart().startsWith('{') ? fromJson(text, catalog, fail) : fromUri(text.trim(), catalog, fail);
  return definition.read(readerOf(fields, fail));
}

function fromJson(text: string, catalog: readonly ConnectionDefinition[], fail: Fail): [ConnectionDefinition, Fields] {
  const { type, ...fields } = parseJson(text, fail);
  const definition = definitionOf(type, catalog);
  if (!definition) return fail(`its type is '${String(type)}'; allowed: ${catalog.map((each) => each.type).join(', ')}.`);
  for (const [key, value] of Object.entries(fields)) {
    const field = Object.hasOwn(definition.fields, key) ? definition.fields[key] : undefined;
    if (!field)
      return fail(`it has a field that is unknown for type ${definition.type}; allowed: ${Object.keys(definition.fields).join(', ')}.`);
    const isList = Array.isArray(value) && field.isList;
    if (!isList && !['string', 'number', 'boolean'].includes(typeof value)) fail(`'${key}' must be a text, a number, true or false.`);
  }
  return [definition, fields];
}

function parseJson(text: string, fail: Fail): Fields {
  try {
    return JSON.parse(text) as Fields;
  } catch {
    return fail('it starts with { but is not valid JSON.');
  }
}

function fromUri(text: string, catalog: readonly ConnectionDefinition[], fail: Fail): [ConnectionDefinition, Fields] {
  const scheme = /^([a-z0-9+-]+):\/\//.exec(text)?.[1] ?? fail('it is neither a URI nor JSON.');
  const definition = catalog.find(({ schemes }) => schemes.includes(scheme));
  if (!definition) return fail(`its scheme is '${scheme}'; allowed: ${catalog.flatMap(({ schemes }) => schemes).join(', ')}, or JSON.`);
  const { type, fields, fieldsOfUri = databaseFields } = definition;
  const options = Object.keys(fields).filter((name) => fields[name]?.isOption);
  return [definition, fieldsOfUri(uriOf(type, scheme, text, options, fail))];
}
