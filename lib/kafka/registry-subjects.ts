import { errorText } from '../../workflows/plan/values/error-text.ts';
import { isMap, type Json, type JsonObject } from '../../workflows/plan/values/json.ts';
import { callHttp, type HttpAnswer } from '../http.ts';
import { registryService } from './schema-registry.ts';

/** Time limit for an answer, in milliseconds. */
const TIMEOUT_MS = 10_000;
const CONTENT_TYPE = 'application/vnd.schemaregistry.v1+json';

/** A schema as the registry takes it. */
export interface NewSchema {
  readonly schema: string;
  readonly schemaType: 'AVRO' | 'PROTOBUF' | 'JSON';
}

/** Thrown when a Schema Registry refuses a request, or does not answer. */
export class RegistryRefused extends Error {
  override readonly name = 'RegistryRefused';
}

/** Subjects of a Schema Registry with Confluent's API: https://docs.confluent.io/platform/current/schema-registry/develop/api.html */
export class RegistrySubjects {
  /** @param url with user and password if the registry requires them */
  constructor(
    private readonly url: string,
    private readonly signal: AbortSignal,
  ) {}

  /** The versions of a subject; undefined if it does not exist. */
  async versions(subject: string): Promise<readonly number[] | undefined> {
    const body = await this.ask('GET', `subjects/${encodeURIComponent(subject)}/versions`);
    return Array.isArray(body) ? body.map(Number) : undefined;
  }

  /** The version of a subject that has this schema; undefined if none has. */
  async versionOf(subject: string, schema: NewSchema): Promise<number | undefined> {
    const body = await this.ask('POST', `subjects/${encodeURIComponent(subject)}`, { ...schema });
    return isMap(body) ? Number(body.version) : undefined;
  }

  /** Registers a schema as the next version. @throws RegistryRefused when it is not compatible */
  async register(subject: string, schema: NewSchema): Promise<void> {
    await this.ask('POST', `subjects/${encodeURIComponent(subject)}/versions`, { ...schema });
  }

  /** The compatibility level of the subject itself; undefined if it has the level of the registry. */
  async compatibility(subject: string): Promise<string | undefined> {
    const body = await this.ask('GET', `config/${encodeURIComponent(subject)}`);
    return isMap(body) ? String(body.compatibilityLevel ?? body.compatibility) : undefined;
  }

  async setCompatibility(subject: string, compatibility: string): Promise<void> {
    await this.ask('PUT', `config/${encodeURIComponent(subject)}`, { compatibility });
  }

  /** Deletes all versions; records that were written with them can still be read. A missing subject counts as deleted. */
  async delete(subject: string): Promise<void> {
    await this.ask('DELETE', `subjects/${encodeURIComponent(subject)}`);
  }

  /** @returns undefined for 404 @throws RegistryRefused */
  private async ask(method: string, path: string, body?: JsonObject): Promise<Json | undefined> {
    const service = registryService(this.url);
    const headers = { accept: `${CONTENT_TYPE}, application/json`, ...(body && { 'content-type': CONTENT_TYPE }) };
    const call = { method, path, headers, ...(body && { body }), timeoutMs: TIMEOUT_MS, signal: this.signal };
    const answer = await callHttp(service, call).catch((error: unknown) => {
      throw new RegistryRefused(`The Schema Registry at ${service.url} does not answer: ${errorText(error)}`);
    });
    if (answer.status === 404) return undefined;
    if (answer.status >= 200 && answer.status < 300) return answer.body;
    throw new RegistryRefused(`The Schema Registry refuses it: ${reasonOf(answer)}`);
  }
}

function reasonOf({ status, body }: HttpAnswer): string {
  return isMap(body) && typeof body.message === 'string' ? body.message : `status ${status}`;
}
