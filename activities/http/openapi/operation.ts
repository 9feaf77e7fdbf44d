import type { JsonObject } from '../../../workflows/plan/values/json.ts';

/** What a task needs to know of one operation of a service, as the compiler reads it from an OpenAPI document. Part of plans. */
export interface Operation {
  readonly id: string;
  readonly method: string;
  /** Under the address of the connection, with parameters in braces: `/users/{user_id}`. */
  readonly path: string;
  readonly parameters: Readonly<Record<string, OperationParameter>>;
  readonly body?: { readonly required?: true; readonly schema: JsonObject };
  /** The schema of a successful answer; absent: it is not JSON, or not described. */
  readonly answer?: JsonObject;
}

export interface OperationParameter {
  readonly in: 'path' | 'query' | 'header';
  readonly required?: true;
  readonly schema: JsonObject;
}

/** Whether the value of the key `operation` is an operation that the compiler has read. */
export function isOperation(value: unknown): value is Operation {
  return typeof value === 'object' && value !== null && 'method' in value && 'parameters' in value;
}
