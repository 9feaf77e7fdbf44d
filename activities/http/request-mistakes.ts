import { isJsonType } from '../../lib/http/media-type.ts';
import { isExactNumber, type JsonObject } from '../../workflows/plan/values/json.ts';
import { isOperation } from './openapi/operation.ts';
import type { ParamMistake } from '../define-task.ts';

export interface RequestParams {
  readonly method?: string;
  readonly operation?: unknown;
  readonly cache?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly form?: JsonObject;
}

/** Headers that the HTTP client sets itself. */
const OWN_HEADERS: ReadonlySet<string> = new Set(['content-length', 'transfer-encoding', 'connection', 'host', 'accept-encoding']);

/** Problems of a request whose keys are valid one by one. */
export function requestMistakes({ method: given, operation, cache, headers = {}, body, form }: RequestParams): readonly ParamMistake[] {
  if (isOperation(operation)) {
    const { id, method, path } = operation;
    const refused = { method: given, form, body: operation.body ? undefined : body };
    const [key] = Object.entries(refused).find(([, value]) => value !== undefined) ?? [];
    if (key === 'method')
      return [{ at: [key], message: `'method' follows from the operation '${id}': ${method} ${path}.`, hint: 'remove it' }];
    if (key === 'body') return [{ at: [key], message: `The operation '${id}' has no body.`, hint: 'remove it' }];
    if (key === 'form') return [{ at: [key], message: `The operation '${id}' takes JSON, not a form.`, hint: 'write `body`' }];
  }
  const method = isOperation(operation) ? operation.method : (given ?? 'GET');
  if (cache !== undefined && method !== 'GET') {
    return [{ at: ['cache'], message: `Only GET is cached: ${method} changes something at each request.`, hint: 'remove it' }];
  }
  const refused = Object.entries(headers).flatMap(headerMistake);
  if (refused.length > 0) return refused;
  const [name, type] = Object.entries(headers).find(([each]) => each.toLowerCase() === 'content-type') ?? [];
  for (const [key, value] of Object.entries(form ?? {})) {
    if (!['string', 'number', 'boolean'].includes(typeof value) && !isExactNumber(value)) {
      return [
        {
          at: ['form', key],
          message: `A value of 'form' is a text, a number, true or false; '${key}' is none of them.`,
          hint: 'send maps and lists as `body`',
        },
      ];
    }
  }
  if (form !== undefined && body !== undefined) {
    return [
      {
        at: ['form'],
        message: "A request has 'body' or 'form', not both.",
        hint: "'body' is sent as JSON, 'form' as application/x-www-form-urlencoded",
      },
    ];
  }
  if (name === undefined || type === undefined || type.includes('{{')) return [];
  if (form !== undefined && !/^\s*application\/x-www-form-urlencoded\s*(?:;|$)/i.test(type)) {
    return [{ at: ['headers', name], message: `'form' is sent as application/x-www-form-urlencoded, not as ${type}.`, hint: 'remove it' }];
  }
  if (body !== undefined && typeof body !== 'string' && !isJsonType(type)) {
    const hint = /^\s*application\/x-www-form-urlencoded/i.test(type)
      ? "write `form:` in place of 'body'"
      : "write 'body' as text, which is sent as it is";
    return [{ at: ['headers', name], message: `A 'body' that is not text is sent as JSON, not as ${type}.`, hint }];
  }
  return [];
}

function headerMistake([name, value]: readonly [string, string]): readonly ParamMistake[] {
  const at = ['headers', name];
  if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name))
    return [{ at, message: `'${name}' cannot be the name of a header.`, hint: 'letters, digits and hyphens' }];
  if (OWN_HEADERS.has(name.toLowerCase())) return [{ at, message: `Sluice sets the header '${name}' itself.`, hint: 'remove it' }];
  if (/[^\t\x20-\x7e\x80-\xff]/.test(value))
    return [{ at, message: `The header '${name}' holds a character that HTTP does not allow, such as a line break.` }];
  return [];
}
