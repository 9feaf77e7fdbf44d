import { setTimeout as delay } from 'node:timers/promises';
import { errorText } from '../../workflows/plan/values/error-text.ts';
import { isMap, type Json } from '../../workflows/plan/values/json.ts';
import { callHttp, type HttpAnswer, type HttpService } from '../http.ts';
import { ConnectRefused, ConnectUnavailable } from './connect-errors.ts';
import { type ConnectorConfig, type ConnectorOffset, type ConnectorStatus, readStatus } from './connector.ts';

/** A group of Kafka Connect's workers. */
export interface KafkaConnectConnection extends HttpService {
  readonly type: 'kafka_connect';
}

type Method = 'GET' | 'PUT' | 'POST' | 'DELETE' | 'PATCH';

/** Time limit for one answer, in milliseconds. Connect itself gives up after 90 s. */
const TIMEOUT_MS = 30_000;
/** How long to repeat a request that a rebalance of the workers prevents, in milliseconds. */
const REBALANCE_MS = 30_000;
/** Pause between such requests, in milliseconds. */
const REBALANCE_PAUSE_MS = 500;

/**
 * A client for the REST API of Kafka Connect (https://kafka.apache.org/documentation/#connect_rest), version 3.6 or later. Any worker of
 * a group answers for all of them. During a rebalance of the workers a request waits up to 30 s for its end.
 *
 * All methods throw ConnectUnavailable when a later attempt may succeed, else ConnectRefused. A method that returns undefined, or false,
 * found no connector of that name.
 */
export class KafkaConnect {
  readonly #service: HttpService;
  /** The connection, for messages. */
  readonly #named: string;
  readonly #signal: AbortSignal;

  /** @param name of the connection, for messages */
  constructor(service: HttpService, signal: AbortSignal, name?: string) {
    this.#service = service;
    this.#named = name === undefined ? 'its connection' : `connection '${name}'`;
    this.#signal = signal;
  }

  /** Returns the version of Kafka that the worker has, and the id of the cluster that it uses. */
  async server(): Promise<{ readonly version: string; readonly clusterId: string }> {
    const { body } = await this.#ask('GET', '');
    if (!isMap(body) || typeof body.version !== 'string') throw this.#foreign('GET', '', 200);
    return { version: body.version, clusterId: String(body.kafka_cluster_id) };
  }

  /** Returns the names of all connectors. */
  async connectors(): Promise<readonly string[]> {
    const { body } = await this.#ask('GET', 'connectors');
    if (!Array.isArray(body)) throw this.#foreign('GET', 'connectors', 200);
    return body.map(String);
  }

  /** Returns the classes of the connectors that the workers can run. */
  async plugins(): Promise<readonly string[]> {
    const { body } = await this.#ask('GET', 'connector-plugins');
    if (!Array.isArray(body)) throw this.#foreign('GET', 'connector-plugins', 200);
    return body.filter(isMap).map((plugin) => String(plugin.class));
  }

  /** Returns the configuration of a connector. It includes its `name`. */
  async config(connector: string): Promise<ConnectorConfig | undefined> {
    const path = `${pathOf(connector)}/config`;
    const answer = await this.#ask('GET', path, { missing: true });
    if (answer === undefined) return undefined;
    if (!isMap(answer.body)) throw this.#foreign('GET', path, 200);
    return Object.fromEntries(Object.entries(answer.body).map(([key, value]) => [key, String(value)]));
  }

  /** Creates a connector, or changes its configuration. @returns whether it was created @throws ConnectRefused with every mistake in it */
  async putConfig(connector: string, config: ConnectorConfig): Promise<boolean> {
    const { status } = await this.#ask('PUT', `${pathOf(connector)}/config`, { body: { ...config } });
    return status === 201;
  }

  /** Deletes a connector. Its offsets stay: one of the same name continues there. @returns whether it existed */
  async delete(connector: string): Promise<boolean> {
    return (await this.#ask('DELETE', pathOf(connector), { missing: true })) !== undefined;
  }

  /** Returns the states of a connector and its tasks. Just after its creation there may be none yet, as if it did not exist. */
  async status(connector: string): Promise<ConnectorStatus | undefined> {
    const path = `${pathOf(connector)}/status`;
    const answer = await this.#ask('GET', path, { missing: true });
    if (answer === undefined) return undefined;
    const status = readStatus(answer.body);
    if (status === undefined) throw this.#foreign('GET', path, 200);
    return status;
  }

  /** Returns the states of all connectors, by name. Those without a status yet are left out. */
  async statuses(): Promise<ReadonlyMap<string, ConnectorStatus>> {
    const path = 'connectors?expand=status';
    const { body } = await this.#ask('GET', path);
    if (!isMap(body)) throw this.#foreign('GET', path, 200);
    return new Map(
      Object.entries(body).map(([connector, each]) => {
        const status = isMap(each) ? readStatus(each.status ?? null) : undefined;
        if (status === undefined) throw this.#foreign('GET', path, 200);
        return [connector, status];
      }),
    );
  }

  /** Restarts what has failed of a connector: itself, its tasks, or both. @returns whether the connector exists */
  async restartFailed(connector: string): Promise<boolean> {
    const path = `${pathOf(connector)}/restart?includeTasks=true&onlyFailed=true`;
    return (await this.#ask('POST', path, { missing: true })) !== undefined;
  }

  /** Pauses a connector, resumes it, or stops it: a stopped connector has no tasks, and its offsets can be changed. */
  async setState(connector: string, state: 'pause' | 'resume' | 'stop'): Promise<boolean> {
    return (await this.#ask('PUT', `${pathOf(connector)}/${state}`, { missing: true })) !== undefined;
  }

  /** Returns the positions of a connector. */
  async offsets(connector: string): Promise<readonly ConnectorOffset[] | undefined> {
    const path = `${pathOf(connector)}/offsets`;
    const answer = await this.#ask('GET', path, { missing: true });
    if (answer === undefined) return undefined;
    const offsets = isMap(answer.body) ? answer.body.offsets : undefined;
    if (!Array.isArray(offsets)) throw this.#foreign('GET', path, 200);
    return offsets.map((each) => {
      if (!isMap(each) || !isMap(each.partition)) throw this.#foreign('GET', path, 200);
      return { partition: each.partition, offset: isMap(each.offset) ? each.offset : null };
    });
  }

  /** Forgets the positions of a stopped connector: when it is resumed, it starts as if it were new. @returns whether it exists */
  async resetOffsets(connector: string): Promise<boolean> {
    return (await this.#ask('DELETE', `${pathOf(connector)}/offsets`, { missing: true })) !== undefined;
  }

  async #ask(method: Method, path: string, options: { readonly body?: Json; readonly missing: true }): Promise<HttpAnswer | undefined>;
  async #ask(method: Method, path: string, options?: { readonly body?: Json }): Promise<HttpAnswer>;
  /** @param options `missing`: undefined is returned for 404 */
  async #ask(
    method: Method,
    path: string,
    { body, missing }: { readonly body?: Json; readonly missing?: true } = {},
  ): Promise<HttpAnswer | undefined> {
    const until = performance.now() + REBALANCE_MS;
    for (;;) {
      const answer = await this.#send(method, path, body);
      if (answer.status >= 200 && answer.status < 300) return answer;
      if (answer.status === 404 && missing && isConnectError(answer)) return undefined;
      const isRebalance = answer.status === 409 && /rebalanc|stale configuration/i.test(reasonOf(answer));
      if (!isRebalance || performance.now() > until) throw this.#failure(method, path, answer, isRebalance);
      await delay(REBALANCE_PAUSE_MS, undefined, { signal: this.#signal });
    }
  }

  async #send(method: Method, path: string, body: Json | undefined): Promise<HttpAnswer> {
    const call = { method, path, ...(body !== undefined && { body }), timeoutMs: TIMEOUT_MS, signal: this.#signal };
    try {
      return await callHttp(this.#service, call);
    } catch (error) {
      this.#signal.throwIfAborted();
      throw new ConnectUnavailable(
        `Kafka Connect at ${this.#service.url} does not answer: ${errorText(error)}. Check that a worker runs there, and the address in ${this.#named}.`,
        { cause: error },
      );
    }
  }

  #failure(method: Method, path: string, answer: HttpAnswer, isRebalance: boolean): Error {
    const { status } = answer;
    const reason = reasonOf(answer);
    const says = `Kafka Connect at ${this.#service.url} answers ${method} /${path} with ${status}${reason === '' ? '' : `: ${reason}`}`;
    if (isRebalance)
      return new ConnectUnavailable(`${says}. Its workers have been rebalancing for ${REBALANCE_MS / 1_000} s: check their logs.`);
    if (status === 401 || status === 403)
      return new ConnectRefused(`${says}. Check user and password of ${this.#named}, and that they may do this.`, status);
    if (!isConnectError(answer) && status < 500) return this.#foreign(method, path, status);
    // With 500 Connect also reports that the topics of its workers, or the leader of the group, are out of reach.
    return status >= 500 || status === 429 ? new ConnectUnavailable(`${says}.`) : new ConnectRefused(`${says}.`, status);
  }

  #foreign(method: Method, path: string, status: number): ConnectRefused {
    return new ConnectRefused(
      `${this.#service.url} answers ${method} /${path} with ${status}, and not as Kafka Connect does. Write the address of Kafka Connect's REST API in ${this.#named}.`,
      status,
    );
  }
}

/** `my-connector` as `connectors/my-connector`; a name may contain any character. */
function pathOf(connector: string): string {
  return `connectors/${encodeURIComponent(connector)}`;
}

/** Connect's errors have a code; those of a proxy or of another service do not. */
function isConnectError({ body }: HttpAnswer): boolean {
  return isMap(body) && body.error_code !== undefined;
}

/** Connect's own words, without the full stop at the end, and without its hint at another part of its API. */
function reasonOf({ body }: HttpAnswer): string {
  const message = isMap(body) ? body.message : undefined;
  if (typeof message !== 'string') return '';
  return message
    .replace(/\nYou can also find the above list of errors.*/s, '')
    .trim()
    .replace(/\.$/, '');
}
