import { setTimeout as delay } from 'node:timers/promises';
import type { MlflowConnection } from '../../../../connections/mlflow.ts';
import { callHttp, type HttpAnswer } from '../../../../lib/http.ts';
import { isMap, type JsonObject } from '../../../../workflows/plan/values/json.ts';
import { platformFault, userFault } from '../../../run/errors.ts';
import { httpFailure, refusal } from '../../../http/http-failure.ts';

/** Method and path: `POST model-versions/create`. */
export type MlflowCall = `${'GET' | 'POST' | 'DELETE'} ${string}`;

/** MLflow errors that callers handle. */
export type MlflowError = 'RESOURCE_ALREADY_EXISTS' | 'RESOURCE_DOES_NOT_EXIST';

/** Error codes for a busy database or a write conflict: the slower request wrote nothing. */
const CONTENTION: ReadonlySet<unknown> = new Set(['TEMPORARILY_UNAVAILABLE', 'INTERNAL_ERROR', 'BAD_REQUEST']);
const ATTEMPTS = 6;
/** Maximum pause before the second attempt, in milliseconds; it doubles with each further attempt. */
const PAUSE = 50;

/** A client for MLflow's REST API. */
export class MlflowClient {
  readonly url: string;
  /** The name of the connection, for messages. */
  readonly connection: string;
  readonly #service: MlflowConnection;
  readonly #signal: AbortSignal;

  /** @param name of the connection, for messages */
  constructor(service: MlflowConnection, name: string, signal: AbortSignal) {
    this.url = service.url;
    this.#service = service;
    this.connection = name;
    this.#signal = signal;
  }

  /** @throws ApplicationFailure */
  async ask<T>(call: MlflowCall, fields: JsonObject): Promise<T> {
    return this.#result(call, await this.#settled(call, fields)) as T;
  }

  /** Like `ask`, but returns undefined for this MLflow error. */
  async askUnless<T>(error: MlflowError, call: MlflowCall, fields: JsonObject): Promise<T | undefined> {
    const answer = await this.#settled(call, fields);
    return codeOf(answer) === error ? undefined : (this.#result(call, answer) as T);
  }

  /** Repeats a call until its answer is not a temporary conflict. */
  async #settled(call: MlflowCall, fields: JsonObject): Promise<HttpAnswer> {
    for (let attempt = 1; ; attempt++) {
      const answer = await this.#send(call, fields);
      if (attempt === ATTEMPTS || !CONTENTION.has(codeOf(answer))) return answer;
      await delay(Math.random() * PAUSE * 2 ** (attempt - 1), undefined, { signal: this.#signal });
    }
  }

  async #send(call: MlflowCall, fields: JsonObject): Promise<HttpAnswer> {
    const [method = '', endpoint = ''] = call.split(' ');
    const path = `api/2.0/mlflow/${endpoint}`;
    const query = Object.entries(fields).map(([name, value]): [string, string] => [name, String(value)]);
    return callHttp(this.#service, {
      method,
      ...(method === 'GET' ? { path: `${path}?${new URLSearchParams(query).toString()}` } : { path, body: fields }),
      redirect: 'manual',
      signal: this.#signal,
    }).catch((error: unknown) => {
      throw httpFailure(error, this.#service, path);
    });
  }

  #result(call: MlflowCall, answer: HttpAnswer): JsonObject {
    const { status, body } = answer;
    const code = codeOf(answer);
    if (status === 200 && isMap(body)) return body;
    const failure = refusal(answer, this.#service, call);
    if (status === 401 || status === 403) {
      const advice = `Check user and password, or the token, of connection '${this.connection}', and that they may do this.`;
      throw userFault('AccessDenied', `${failure.message.replace(/[.]?$/, '.')} ${advice}`);
    }
    if (code === undefined && status < 500 && status !== 429) {
      throw userFault(
        'RequestRefused',
        `${this.url} answers ${call} with ${status}, and not as MLflow does. Connection '${this.connection}' must hold the address of MLflow itself, ` +
          'with the path under which it is served, and without a page for logging in before it.',
      );
    }
    throw CONTENTION.has(code) ? platformFault('ServiceUnavailable', failure.message) : failure;
  }
}

function codeOf({ status, body }: HttpAnswer): unknown {
  return status !== 200 && isMap(body) ? body.error_code : undefined;
}
