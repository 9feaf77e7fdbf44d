import { errorText } from '../workflows/plan/values/error-text.ts';
import { isMap, type Json } from '../workflows/plan/values/json.ts';
import { callHttp } from './http.ts';
import type { RabbitMQConnection } from './rabbitmq.ts';

/** Time limit for an answer, in milliseconds. */
const TIMEOUT_MS = 10_000;

/** Thrown when RabbitMQ refuses a request, or its management API does not answer. */
export class ManagementError extends Error {
  override readonly name = 'ManagementError';
}

/** A client for the management API of RabbitMQ: https://www.rabbitmq.com/docs/http-api-reference. It needs the plugin `rabbitmq_management`. */
export class RabbitMQManagement {
  private readonly url: string;

  constructor(
    private readonly connection: RabbitMQConnection,
    private readonly signal: AbortSignal,
  ) {
    const { host, tls, management_url: url } = connection;
    const name = host.includes(':') ? `[${host}]` : host;
    this.url = url ?? (tls ? `https://${name}:15671` : `http://${name}:15672`);
  }

  /**
   * Reads something of the virtual host.
   * @param path after the virtual host: `queues`, a name, …; each part is encoded
   * @returns undefined if it does not exist
   */
  async get(kind: string, ...path: readonly string[]): Promise<Json | undefined> {
    const { status, body } = await this.call('GET', this.pathOf(kind, path));
    if (status === 404) return undefined;
    return this.accepted(status, body);
  }

  /** @throws ManagementError with RabbitMQ's reason */
  async put(body: Json, kind: string, ...path: readonly string[]): Promise<void> {
    const answer = await this.call('PUT', this.pathOf(kind, path), body);
    this.accepted(answer.status, answer.body);
  }

  /** @throws ManagementError with RabbitMQ's reason */
  async post(body: Json, kind: string, ...path: readonly string[]): Promise<void> {
    const answer = await this.call('POST', this.pathOf(kind, path), body);
    this.accepted(answer.status, answer.body);
  }

  /** Deletes something; what is gone counts as deleted. @param condition a query such as `if-empty=true` @throws ManagementError */
  async delete(condition: string, kind: string, ...path: readonly string[]): Promise<void> {
    const query = condition === '' ? '' : `?${condition}`;
    const { status, body } = await this.call('DELETE', `${this.pathOf(kind, path)}${query}`);
    if (status !== 404) this.accepted(status, body);
  }

  private pathOf(kind: string, path: readonly string[]): string {
    return ['api', kind, this.connection.vhost, ...path].map(encodeURIComponent).join('/');
  }

  private async call(method: string, path: string, body?: Json) {
    const { user, password } = this.connection;
    const service = { url: this.url, username: user, password };
    const call = { method, path, ...(body !== undefined && { body }), timeoutMs: TIMEOUT_MS, signal: this.signal };
    return callHttp(service, call).catch((error: unknown) => {
      throw new ManagementError(
        `The management API of RabbitMQ at ${this.url} does not answer: ${errorText(error)}. Enable its plugin rabbitmq_management, or set 'management_url' of the connection.`,
      );
    });
  }

  private accepted(status: number, body: Json): Json {
    if (status >= 200 && status < 300) return body;
    const reason = isMap(body) && typeof body.reason === 'string' ? body.reason : `status ${status}`;
    throw new ManagementError(`RabbitMQ refuses it: ${reason}.`);
  }
}
