import Type from 'typebox';
import type { HttpConnection } from '../../connections/http.ts';
import { callHttp, type HttpAnswer } from '../../lib/http.ts';
import { headerKey } from '../../lib/http/header-key.ts';
import { parseDuration } from '../../workflows/plan/values/duration.ts';
import { exactJsonText } from '../../workflows/plan/values/exact-json.ts';
import type { Json, JsonObject } from '../../workflows/plan/values/json.ts';
import type { TaskContext } from '../define-task.ts';
import { userFault } from '../run/errors.ts';
import { schemaErrors, withDoubles } from '../run/schema-errors.ts';
import { AnswerCache, cacheKey } from './answer-cache.ts';
import { httpFailure, limitOf, refusal, shownBody } from './http-failure.ts';
import type { Operation } from './openapi/operation.ts';
import { requestOf } from './openapi/request-of.ts';
import { atPointer } from './json-pointer.ts';
import { SharedCalls } from './shared-calls.ts';
import { IDEMPOTENCY_KEY } from '../../lib/idempotency-header.ts';

/** The parameters of a task: a request, or an operation with its parameters. */
export type GivenParams = Omit<HttpParams, 'path' | 'operation'> & {
  readonly path?: string;
  readonly operation?: Operation;
  readonly parameters?: JsonObject;
};

export interface HttpParams {
  readonly method?: string;
  readonly path: string;
  /** The operation that the request follows from. */
  readonly operation?: Operation;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Json;
  readonly form?: JsonObject;
  readonly timeout?: string;
  readonly cache?: string;
  readonly expect?: { readonly status?: readonly number[]; readonly json?: string };
  readonly extract?: Readonly<Record<string, string>>;
  readonly idempotency_key?: boolean;
  readonly pagination?: { readonly next: string; readonly max_pages?: number };
}

/** Output of an `http` task. */
export interface HttpResult {
  readonly status: number;
  /** The answer; with `pagination`, a list of the pages' answers. */
  readonly body: Json;
  readonly extracted: Readonly<Record<string, Json>>;
  readonly pages: number;
}

/** Limit for all pages together, in bytes of JSON: larger results belong in S3. */
const MOST = 10 * 1024 * 1024;

/** The answers that this process keeps for tasks with `cache`: at most 32 million characters of JSON. */
const answersKept = new AnswerCache(32 * 1024 * 1024);
/** The requests of tasks with `cache` that are under way. */
const underWay = new SharedCalls<HttpAnswer>();

/** Calls a service and follows its pages. */
export async function sendRequests(context: TaskContext, service: HttpConnection, given: GivenParams): Promise<HttpResult> {
  const params = requestFrom(given);
  const { pagination, extract = {} } = params;
  const answers = [await call(context, service, params, params.path)];
  const most = pagination?.max_pages ?? 100;
  const nextPage = nextPageOf(params);
  let bytes = 0;
  for (;;) {
    const last = answers.at(-1)?.body ?? null;
    const next = pagination === undefined ? undefined : atPointer(last, pagination.next);
    if (typeof next !== 'string' || next === '') break;
    bytes += JSON.stringify(last).length;
    if (answers.length >= most || bytes > MOST) {
      const limit = answers.length >= most ? `${most} pages (pagination.max_pages)` : '10 MiB';
      throw userFault(
        'OutputTooLarge',
        `${service.url} has more pages of ${params.path} than ${limit}. Ask for less, or load the data with a job.`,
      );
    }
    answers.push(await call(context, service, nextPage, next));
  }
  const first = answers[0]?.body ?? null;
  const body = pagination === undefined ? first : answers.map((answer) => answer.body);
  return {
    status: answers.at(-1)?.status ?? 0,
    body,
    extracted: Object.fromEntries(Object.entries(extract).map(([name, pointer]) => [name, found(first, name, pointer)])),
    pages: answers.length,
  };
}

async function call(context: TaskContext, service: HttpConnection, params: HttpParams, path: string): Promise<HttpAnswer> {
  const { cache, timeout, expect = {} } = params;
  const maxAgeMs = cache === undefined ? undefined : parseDuration(cache);
  if (maxAgeMs === undefined) return expected(context, service, params, { path, answer: await send(context, service, params, path) });
  const key = cacheKey(service, { ...params, path });
  const known = answersKept.get(key);
  if (known && !mistakeOf(context, service, params, { path, answer: known })) {
    context.log.info('The answer comes from the cache', { path, cache });
    return known;
  }
  const sameCall = JSON.stringify([key, timeout, expect.status]);
  const answer = await underWay.run(sameCall, context.signal, (signal) => send(context, service, params, path, signal));
  answersKept.set(key, expected(context, service, params, { path, answer }), maxAgeMs);
  return answer;
}

function requestFrom({ path = '', parameters = {}, operation, ...given }: GivenParams): HttpParams {
  if (!operation) return { path, ...given };
  const { headers, ...request } = requestOf(operation, parameters);
  return { ...given, ...request, operation, headers: { ...headers, ...given.headers } };
}

/** Sends one request. @throws the failure of a missing answer */
function send(
  context: TaskContext,
  service: HttpConnection,
  params: HttpParams,
  path: string,
  signal: AbortSignal = context.signal,
): Promise<HttpAnswer> {
  const { method = 'GET', headers, body, form, timeout, expect = {}, idempotency_key: withKey = true } = params;
  const changes = method !== 'GET';
  return callHttp(service, {
    method,
    path,
    // The standard header name: draft-ietf-httpapi-idempotency-key-header.
    headers: { ...(changes && withKey && { [IDEMPOTENCY_KEY]: headerKey(context.idempotencyKey) }), ...headers },
    ...(body !== undefined && { body }),
    ...(form && { form: textsOf(form) }),
    ...(expect.status && { redirect: expect.status }),
    ...limitOf(timeout),
    signal,
  }).catch((error: unknown) => {
    throw httpFailure(error, service, path, { method, limitKey: 'timeout' });
  });
}

/** @returns the answer @throws the failure of one that is not as `expect` says */
function expected(
  context: TaskContext,
  service: HttpConnection,
  params: HttpParams,
  given: { readonly path: string; readonly answer: HttpAnswer },
): HttpAnswer {
  const mistake = mistakeOf(context, service, params, given);
  if (mistake) throw mistake;
  return given.answer;
}

/** The failure of an answer that is not as `expect` says; undefined if it is. */
function mistakeOf(
  context: TaskContext,
  service: HttpConnection,
  { method = 'GET', expect = {}, operation }: HttpParams,
  { path, answer }: { readonly path: string; readonly answer: HttpAnswer },
): Error | undefined {
  const { status, body } = answer;
  const isRight = expect.status?.includes(status) ?? (status >= 200 && status <= 299);
  if (!isRight) return refusal(answer, service, `${method} ${path}`);
  const errors = operation?.answer && status <= 299 ? schemaErrors(Type.Unsafe(operation.answer), withDoubles(body)) : [];
  if (operation && errors.length > 0) {
    const differences = errors.slice(0, 5).map((each) => `${['body', ...each.steps].join('.')}: ${each.message}`);
    return userFault(
      'RequestRefused',
      `${service.url} answers ${method} ${path} with ${status}, but not what the operation '${operation.id}' describes: ` +
        `${differences.join('; ')}.${shownBody(body)}`,
    );
  }
  if (expect.json === undefined || context.holds(expect.json, { body })) return undefined;
  return refusal(answer, service, `${method} ${path}`, expect.json);
}

/** Keeps numbers as they were written. */
function textsOf(form: JsonObject): Record<string, string> {
  return Object.fromEntries(
    Object.entries(form).map(([name, value = null]) => [name, typeof value === 'string' ? value : exactJsonText(value)]),
  );
}

/** The next page of a POST search is only a URL; form and body belong to the first page. */
function nextPageOf(params: HttpParams): HttpParams {
  const { body, form, method = 'GET', ...page } = params;
  return { ...page, method: 'GET', ...(method === 'GET' && { ...(body !== undefined && { body }), ...(form && { form }) }) };
}

function found(body: Json, name: string, pointer: string): Json {
  const value = atPointer(body, pointer);
  if (value !== undefined) return value;
  throw userFault(
    'RequestRefused',
    `The answer has nothing at '${pointer}', which 'extract.${name}' asks for. It is: ${exactJsonText(body).slice(0, 300)}`,
  );
}
