import { isMap } from '../../workflows/plan/values/json.ts';
import { callHttp, type HttpService } from '../http.ts';
import { InvalidRequest } from '../http/http-errors.ts';
import { Undecodable } from './decode-record.ts';
import { errorText } from '../../workflows/plan/values/error-text.ts';

/** A schema in the registry. */
export interface RegisteredSchema {
  readonly id: number;
  readonly type: 'AVRO' | 'PROTOBUF' | 'JSON';
  readonly text: string;
  readonly references: readonly SchemaReference[];
}

/** A named reference to another schema. */
export interface SchemaReference {
  readonly name: string;
  readonly subject: string;
  readonly version: number;
}

/** Time limit for a response, in milliseconds. */
const TIMEOUT_MS = 10_000;
/** How long to cache the newest schema of a subject, in milliseconds. */
const REMEMBER = 30_000;

/** A Schema Registry with Confluent's API: https://docs.confluent.io/platform/current/schema-registry/develop/api.html */
export class SchemaRegistry {
  private readonly latest = new Map<string, { readonly at: number; readonly schema: Promise<RegisteredSchema | undefined> }>();

  /** @param url with user and password if the registry requires them */
  constructor(private readonly url: string) {}

  /** @throws Undecodable when the registry does not know the schema, Error when it does not answer */
  async byId(id: number): Promise<RegisteredSchema> {
    const found = await this.get(`schemas/ids/${id}`);
    if (!found) throw new Undecodable(`The Schema Registry knows no schema ${id}.`);
    return schemaOf({ ...found, id });
  }

  /** Returns the newest schema of a subject; undefined if the subject does not exist. @throws Error when the registry does not answer */
  newest(subject: string): Promise<RegisteredSchema | undefined> {
    const known = this.latest.get(subject);
    if (known && Date.now() - known.at < REMEMBER) return known.schema;
    const schema = this.get(`subjects/${encodeURIComponent(subject)}/versions/latest`).then((found) => found && schemaOf(found));
    this.latest.set(subject, { at: Date.now(), schema });
    schema.catch(() => this.latest.delete(subject));
    return schema;
  }

  /** @throws Undecodable when the registry does not know the schema, Error when it does not answer */
  async reference({ subject, version }: SchemaReference): Promise<RegisteredSchema> {
    const found = await this.get(`subjects/${encodeURIComponent(subject)}/versions/${version}`);
    if (!found) throw new Undecodable(`The Schema Registry knows no version ${version} of ${subject}.`);
    return schemaOf(found);
  }

  /** @returns undefined if the resource does not exist */
  private async get(path: string): Promise<Partial<Answer> | undefined> {
    const service = registryService(this.url);
    const call = { path, headers: { accept: 'application/vnd.schemaregistry.v1+json, application/json' }, timeoutMs: TIMEOUT_MS };
    const { status, body } = await callHttp(service, { ...call, signal: new AbortController().signal }).catch((error: unknown) => {
      if (error instanceof InvalidRequest) throw new Undecodable(error.message);
      throw new Error(`The Schema Registry at ${service.url} does not answer: ${errorText(error)}`);
    });
    if (status === 404) return undefined;
    if (status < 200 || status > 299 || !isMap(body))
      throw new Error(`The Schema Registry at ${service.url} answers /${path} with ${status}.`);
    return body;
  }
}

interface Answer {
  readonly id: number;
  /** Absent for Avro. */
  readonly schemaType: RegisteredSchema['type'];
  readonly schema: string;
  readonly references: readonly SchemaReference[];
}

function schemaOf({ id = 0, schemaType = 'AVRO', schema = '', references = [] }: Partial<Answer>): RegisteredSchema {
  return { id, type: schemaType, text: schema, references };
}

/** The service at the URL of a registry, which may contain user and password. */
export function registryService(text: string): HttpService {
  const url = new URL(text);
  const [username, password] = [decodeURIComponent(url.username), decodeURIComponent(url.password)];
  url.username = url.password = '';
  return { url: url.href.replace(/\/$/, ''), ...(username !== '' && { username, password }) };
}
