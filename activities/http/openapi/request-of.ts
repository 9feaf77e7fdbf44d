import { exactJsonText } from '../../../workflows/plan/values/exact-json.ts';
import type { Json, JsonObject } from '../../../workflows/plan/values/json.ts';
import type { Operation } from './operation.ts';

/** What the parameters of an operation contribute to its request. */
export interface OperationRequest {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** The request for an operation. A parameter that is null is not sent. @param given the values, which fit the operation */
export function requestOf({ method, path, parameters }: Operation, given: JsonObject): OperationRequest {
  const sent = Object.entries(given).flatMap(([name, value]): [string, Json][] =>
    value === undefined || value === null ? [] : [[name, value]],
  );
  const within = (place: string): [string, Json][] => sent.filter(([name]) => parameters[name]?.in === place);
  const values = new Map(within('path'));
  const query = within('query').flatMap(([name, value]) =>
    [value].flat().map((each) => `${encodeURIComponent(name)}=${encodeURIComponent(textOf(each))}`),
  );
  return {
    method,
    path:
      path.replace(/\{([^}]*)\}/g, (_, name: string) => encodeURIComponent(textOf(values.get(name) ?? ''))) +
      (query.length > 0 ? `?${query.join('&')}` : ''),
    headers: Object.fromEntries(within('header').map(([name, value]) => [name, textOf(value)])),
  };
}

/** Keeps numbers as they were written. */
function textOf(value: Json): string {
  return typeof value === 'string' ? value : exactJsonText(value);
}
