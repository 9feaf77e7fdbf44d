import { isMap, type JsonObject } from '../../../workflows/plan/values/json.ts';
import { type Convert, textMap, connection, duration, jsonBody, path } from '../argument-converters.ts';
import type { OperatorMapping, OperatorMappings } from './operator-mapping.ts';

/** Options of the Python library `requests`: only the time limit has an equivalent. */
const requestOptions: Convert = (value, dagName) => {
  const options: JsonObject = isMap(value) ? value : {};
  const { timeout, ...others } = options;
  if (timeout === undefined) return { lost: 'has no timeout, the only option with an equivalent' };
  const converted = duration('timeout')(timeout, dagName);
  const rest = Object.keys(others);
  return 'keys' in converted && rest.length > 0 ? { ...converted, why: `of it, ${rest.join(', ')} is not kept` } : converted;
};

const http = (method: string): OperatorMapping => ({
  type: 'http',
  arguments: {
    http_conn_id: connection('conn_id'),
    method: (value) => ({ keys: { method: String(value).toUpperCase() } }),
    endpoint: path,
    data: jsonBody,
    headers: textMap('headers'),
    extra_options: requestOptions,
  },
  ignored: ['log_response'],
  needs: ['path'],
  // What is sent, what makes the task fail, and what asks for the further pages.
  essential: ['data', 'headers', 'response_check', 'pagination_function'],
  defaults: { conn_id: 'http_default', method },
  // Airflow sends the data of a GET request as the query string.
  finish: ({ body, ...rest }) => {
    if (body === undefined) return rest;
    return rest.method === 'GET' && isMap(body) ? { ...rest, path: withQuery(String(rest.path), body) } : { ...rest, body };
  },
});

/** Leaves expressions unencoded: their values are encoded during the run. */
function withQuery(path: string, query: JsonObject): string {
  const encode = (text: string): string =>
    text
      .split(/(\{\{ (?:[^"}]|"(?:[^"\\]|\\.)*")+ \}\})/)
      .map((part, index) => (index % 2 ? part : encodeURIComponent(part)))
      .join('');
  const pairs = Object.entries(query).map(([key, value]) => `${encodeURIComponent(key)}=${encode(String(value))}`);
  return `${path}${path.includes('?') ? '&' : '?'}${pairs.join('&')}`;
}

/** Operators that send a request. */
export const HTTP_OPERATORS = {
  HttpOperator: http('POST'),
  SimpleHttpOperator: http('POST'),
} as const satisfies OperatorMappings;
