import { withinTime } from '../time-limit.ts';
import { Undecodable } from './decode-record.ts';

/** A schema as the registry has it. */
export interface RegisteredSchema {
  readonly id: number;
  readonly type: 'AVRO' | 'PROTOBUF' | 'JSON';
  readonly text: string;
  readonly references: readonly SchemaReference[];
}

/** Another schema that this one refers to by a name. */
export interface SchemaReference {
  readonly name: string;
  readonly subject: string;
  readonly version: number;
}

/** How long an answer may take, in milliseconds. */
const WITHIN = 10_000;
/** How long it is remembered, in milliseconds, which schema of a subject is the newest. */
const REMEMBER = 30_000;

/** A Schema Registry with Confluent's API: https://docs.confluent.io/platform/current/schema-registry/develop/api.html */
export class SchemaRegistry {
  private readonly latest = new Map<string, { readonly at: number; readonly schema: Promise<RegisteredSchema | undefined> }>();

  /** @param url with user and password where it asks for them */
  constructor(private readonly url: string) {}

  /** @throws Undecodable when it does not know it, Error when it does not answer */
  async byId(id: number): Promise<RegisteredSchema> {
    const found = await this.get(`schemas/ids/${id}`);
    if (!found) throw new Undecodable(`The Schema Registry knows no schema ${id}.`);
    return schemaOf({ ...found, id });
  }

  /** The newest schema of a subject; undefined when there is no such subject. @throws Error when it does not answer */
  newest(subject: string): Promise<RegisteredSchema | undefined> {
    const known = this.latest.get(subject);
    if (known && Date.now() - known.at < REMEMBER) return known.schema;
    const schema = this.get(`subjects/${encodeURIComponent(subject)}/versions/latest`).then((found) => found && schemaOf(found));
    this.latest.set(subject, { at: Date.now(), schema });
    schema.catch(() => this.latest.delete(subject));
    return schema;
  }

  /** @throws Undecodable when it does not know it, Error when it does not answer */
  async reference({ subject, version }: SchemaReference): Promise<RegisteredSchema> {
    const found = await this.get(`subjects/${encodeURIComponent(subject)}/versions/${version}`);
    if (!found) throw new Undecodable(`The Schema Registry knows no version ${version} of ${subject}.`);
    return schemaOf(found);
  }

  /** @returns undefined for what there is not */
  private async get(path: string): Promise<Partial<Answer> | undefined> {
    const { username, password, ...url } = credentials(this.url);
    const headers = {
      accept: 'application/vnd.schemaregistry.v1+json, application/json',
      ...(username !== '' && { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` }),
    };
    const { status, value } = await withinTime(WITHIN, undefined, async (signal) => {
      const response = await fetch(`${url.address}/${path}`, { headers, signal });
      return { status: response.status, value: response.ok ? ((await response.json()) as Partial<Answer>) : undefined };
    }).catch((error: unknown) => {
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
      throw new Error(`The Schema Registry at ${url.address} does not answer: ${cause instanceof Error ? cause.message : String(cause)}`);
    });
    if (status === 404) return undefined;
    if (value === undefined) throw new Error(`The Schema Registry at ${url.address} answers /${path} with ${status}.`);
    return value;
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

function credentials(text: string): { readonly address: string; readonly username: string; readonly password: string } {
  const url = new URL(text);
  const [username, password] = [decodeURIComponent(url.username), decodeURIComponent(url.password)];
  url.username = url.password = '';
  return { address: url.href.replace(/\/$/, ''), username, password };
}
