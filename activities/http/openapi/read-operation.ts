import { isMap, type Json, type JsonObject } from '../../../workflows/plan/values/json.ts';
import { listNames, nearest } from '../../support/nearest.ts';
import { isJsonType } from '../../../lib/http/media-type.ts';
import { OpenApiSchemas } from './openapi-schema.ts';
import type { Operation, OperationParameter } from './operation.ts';
import { OutsideOfSubset } from './outside-of-subset.ts';

const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const;
const SCALARS: ReadonlySet<unknown> = new Set(['string', 'integer', 'number', 'boolean', 'null']);
/** Headers that OpenAPI does not describe as parameters. */
const NO_PARAMETERS: ReadonlySet<string> = new Set(['accept', 'content-type', 'authorization']);
/** Plans contain the operation, and stay small. In characters of JSON. */
const MAX_SIZE = 64 * 1024;

/**
 * Reads one operation of an OpenAPI 3.0 or 3.1 document.
 * @throws OutsideOfSubset when the document has no such operation, or it needs more than Sluice supports
 */
export function readOperation(document: JsonObject, id: string): Operation {
  const { openapi: version, swagger } = document;
  if (swagger !== undefined) throw new OutsideOfSubset(`it is Swagger ${String(swagger)}`, 'convert it to OpenAPI 3');
  if (!/^3\.[01](?:\.|$)/.test(String(version)))
    throw new OutsideOfSubset(`it is not an OpenAPI 3.0 or 3.1 document: its key 'openapi' is ${JSON.stringify(version)}`);
  const schemas = new OpenApiSchemas(document);
  const { method, path, item, found } = findOperation(document, id);
  const parameters = parametersOf([...listOf(item.parameters), ...listOf(found.parameters)], schemas);
  for (const [, name = ''] of path.matchAll(/\{([^}]*)\}/g))
    if (parameters[name]?.in !== 'path') throw new OutsideOfSubset(`its path ${path} has '{${name}}', which is not among its parameters`);
  const body = bodyOf(schemas.resolve(found.requestBody), schemas);
  const answer = answerOf(found.responses, schemas);
  const operation: Operation = { id, method, path, parameters, ...(body && { body }), ...(answer && { answer }) };
  const size = JSON.stringify(operation).length;
  if (size > MAX_SIZE)
    throw new OutsideOfSubset(`its schemas have ${size} characters, of which a plan holds ${MAX_SIZE}`, 'call it with `method` and `path`');
  return operation;
}

interface FoundOperation {
  readonly method: string;
  readonly path: string;
  readonly item: JsonObject;
  readonly found: JsonObject;
}

function findOperation({ paths }: JsonObject, id: string): FoundOperation {
  const all = Object.entries(isMap(paths) ? paths : {}).flatMap(([path, item]) =>
    METHODS.flatMap((method): FoundOperation[] => {
      const found = isMap(item) ? item[method] : undefined;
      return isMap(item) && isMap(found) ? [{ method: method.toUpperCase(), path, item, found }] : [];
    }),
  );
  const [match, other] = all.filter(({ found }) => found.operationId === id);
  if (other) throw new OutsideOfSubset(`it has two operations '${id}'`);
  if (match) return match;
  const names = all.flatMap(({ found }) => (typeof found.operationId === 'string' ? [found.operationId] : []));
  const [near] = nearest(id, names);
  throw new OutsideOfSubset(
    `it has no operation '${id}'`,
    near === undefined ? `operations: ${listNames(names)}` : `did you mean '${near}'?`,
  );
}

function listOf(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? (value as readonly Json[]) : [];
}

function parametersOf(listed: readonly Json[], schemas: OpenApiSchemas): Operation['parameters'] {
  const parameters: Record<string, OperationParameter> = {};
  for (const each of listed) {
    const given = schemas.resolve(each);
    const name = isMap(given) ? given.name : undefined;
    if (!isMap(given) || typeof name !== 'string') throw new OutsideOfSubset('a parameter has no name');
    if (given.in === 'header' && NO_PARAMETERS.has(name.toLowerCase())) continue;
    const known = Object.hasOwn(parameters, name) ? parameters[name] : undefined;
    if (known && known.in !== given.in)
      throw new OutsideOfSubset(`its parameter '${name}' is in '${known.in}' and in '${String(given.in)}'`);
    parameters[name] = parameterOf(name, given, schemas);
  }
  return parameters;
}

function parameterOf(name: string, given: JsonObject, schemas: OpenApiSchemas): OperationParameter {
  const { in: place, required, schema, style, explode, allowReserved } = given;
  const refuse = (what: string): never => {
    throw new OutsideOfSubset(`its parameter '${name}' ${what}`);
  };
  if (place !== 'path' && place !== 'query' && place !== 'header') return refuse(`is in '${String(place)}', not in path, query or header`);
  if (!isMap(schema)) return refuse('has no schema');
  const usual = place === 'query' ? 'form' : 'simple';
  if (style !== undefined && style !== usual) return refuse(`has the style '${String(style)}'`);
  if (allowReserved === true) return refuse('is not encoded (allowReserved)');
  const converted = schemas.convert(schema, true);
  const isList = converted.type === 'array' && isScalar(isMap(converted.items) ? converted.items : {});
  if (!isScalar(converted) && !(isList && place === 'query' && explode !== false))
    return refuse('is neither a text, a number, true or false, nor, in the query, a list of them that is repeated (explode)');
  const text = place === 'path' && converted.type === 'string' ? { minLength: 1, ...converted } : converted;
  return { in: place, ...((required === true || place === 'path') && { required: true }), schema: text };
}

function isScalar({ type, anyOf }: JsonObject): boolean {
  if (Array.isArray(anyOf)) return (anyOf as readonly Json[]).every((each) => isMap(each) && isScalar(each));
  return SCALARS.has(type);
}

function bodyOf(requestBody: Json | undefined, schemas: OpenApiSchemas): Operation['body'] {
  if (!isMap(requestBody)) return undefined;
  const content = isMap(requestBody.content) ? requestBody.content : {};
  const json = jsonOf(content);
  if (!json) {
    throw new OutsideOfSubset(
      `its body is ${listNames(Object.keys(content))}, not JSON`,
      'call it with `method`, `path`, and `form` or a `body` with its content-type',
    );
  }
  return { ...(requestBody.required === true && { required: true }), schema: schemas.convert(json.schema, true) };
}

/** The schema of a successful answer, which may have another one for each status. */
function answerOf(responses: Json | undefined, schemas: OpenApiSchemas): JsonObject | undefined {
  const successes = Object.entries(isMap(responses) ? responses : {}).filter(([status]) => /^2/.test(status));
  const answers = successes.map(([, each]) => {
    const response = schemas.resolve(each);
    const json = isMap(response) && isMap(response.content) ? jsonOf(response.content) : undefined;
    return json && schemas.convert(json.schema, false);
  });
  if (answers.every((each) => each === undefined)) return undefined;
  const distinct = [...new Map(answers.map((each = { type: 'null' }) => [JSON.stringify(each), each])).values()];
  return distinct.length > 1 ? { anyOf: distinct } : distinct[0];
}

function jsonOf(content: JsonObject): JsonObject | undefined {
  const [, json] = Object.entries(content).find(([type]) => isJsonType(type)) ?? [];
  return isMap(json) ? json : undefined;
}
