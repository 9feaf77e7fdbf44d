import Type, { type Static, type TObject } from 'typebox';
import type { ConnectionKind, ConnectionOf } from '../connections/catalog.ts';
import { connectionField } from '../connections/connection-field.ts';
import type { JsonObject } from '../workflows/plan/values/json.ts';
import type { Difference, Fields } from './fields.ts';

/** The name of a resource on its server. */
export interface ResourceName {
  readonly description: string;
  /** A regular expression for the whole name. */
  readonly pattern: string;
  /** Describes `pattern` for messages. */
  readonly form: string;
  readonly example: string;
}

/** A mistake in keys that are valid one by one. */
export interface KeyMistake {
  /** The path to the key. */
  readonly at: readonly (string | number)[];
  /** One sentence. */
  readonly message: string;
  /** What to do: `remove it`. */
  readonly hint?: string;
}

/** What a resource type may read besides its own keys. */
export interface SecretReader {
  /** A field of a connection, which may be secret. @throws ConnectionError */
  secret(connection: string, field: string): string;
}

/** A connection to a server, used for all resources of one type on it. Every method may throw; the resource is then `unknown`, or its change failed. */
export interface ResourceServer<K = JsonObject> {
  /** The fields of the resource that `keys` declare, and those that the file would have to declare; undefined: it does not exist. Changes nothing. */
  read(name: string, keys: K): Promise<Fields | undefined>;
  create(name: string, keys: K, fields: Fields): Promise<void>;
  /** Changes the differing fields in place. */
  update(name: string, keys: K, fields: Fields, differences: readonly Difference[]): Promise<void>;
  /** What a deletion would lose, such as `3 messages`; undefined: nothing. Changes nothing. */
  contents(name: string): Promise<string | undefined>;
  /** Deletes the resource. One that is gone counts as deleted. */
  delete(name: string): Promise<void>;
  close(): Promise<void>;
}

/** A resource type: things of one kind on a server, which files in `resources/` declare. */
export interface ResourceType<K = JsonObject, T extends ConnectionKind = ConnectionKind> {
  /** The `type` in YAML: `kafka_topic`. */
  readonly type: string;
  /** One sentence for documentation and editors. */
  readonly description: string;
  readonly name: ResourceName;
  readonly connection: { readonly default: string; readonly types: readonly T[] };
  /** The keys in addition to `name`, `type` and `conn_id`. */
  readonly params: TObject;
  /** A key that names a file beside the resource file, whose text becomes the value of another key. */
  readonly file?: { readonly key: string; readonly holds: string };
  /** Keys that are kept in the record of applied resources, because monitors need them. They may not hold secrets. */
  readonly recorded?: readonly string[];
  /** Checks what a schema cannot express. `keys` match the schema. */
  mistakes?(keys: K): readonly KeyMistake[];
  /** The declared state. Keys that are not declared are left out, unless their absence is a state of its own. */
  fields(keys: K, secrets: SecretReader): Fields;
  /** Why a difference cannot be changed in place, and what to do instead, as a sentence; undefined: it can. */
  whyFixed?(difference: Difference): string | undefined;
  /** Whether a deletion may lose contents. False: a resource with contents is never deleted. */
  readonly deletesContents: boolean;
  open(connection: ConnectionOf<T>, signal: AbortSignal): Promise<ResourceServer<K>>;
  /** A YAML resource that compiles: shown in the docs, and compiled by a test. */
  readonly example: JsonObject;
}

/** Keys of all resources. */
export const COMMON_KEYS: readonly string[] = ['name', 'type', 'conn_id'];

/**
 * Defines a resource type: a file in `resources/`, listed in `resources/catalog.ts`. The YAML schema, validation, the reference page, and
 * what `sluice plan` and `sluice apply` show and change are derived from it.
 *
 * Every resource also has the keys `name`, `type` and `conn_id`. `fields` gives the declared state and `read` the actual one, as flat maps;
 * what differs is shown by `plan` and converged by `update`, unless `whyFixed` says why it cannot be. `read` and `contents` must change
 * nothing on the server. All methods of a server must stop within 30 s.
 * @param definition see ResourceType for each field
 * @returns the resource type, for the catalog
 * @throws Error when a key has the name of a key that every resource has
 * @example
 * // resources/shared-folder.ts
 * import Type from 'typebox';
 * import { callHttp } from '../lib/http.ts';
 * import { text } from '../lib/schema-fields.ts';
 * import { defineResource } from './define-resource.ts';
 *
 * export const sharedFolder = defineResource({
 *   type: 'shared_folder',
 *   description: 'A folder of a file service.',
 *   name: { description: 'The name of the folder.', pattern: '^[a-z]+$', form: 'lowercase letters', example: 'orders' },
 *   connection: { default: 'http_default', types: ['http'] },
 *   params: Type.Object({ owner: text('Owner', 'Who may write to it.', 'data') }),
 *   fields: ({ owner }) => ({ owner }),
 *   deletesContents: false,
 *   open: (connection, signal) => {
 *     const call = async (method: string, name: string, body = {}) => callHttp(connection, { method, path: `folders/${name}`, body, signal });
 *     return Promise.resolve({
 *       async read(name) {
 *         const { status, body } = await callHttp(connection, { path: `folders/${name}`, signal });
 *         return status === 404 ? undefined : { owner: String((body as { owner?: unknown }).owner) };
 *       },
 *       create: async (name, { owner }) => void (await call('PUT', name, { owner })),
 *       update: async (name, { owner }) => void (await call('PUT', name, { owner })),
 *       contents: () => Promise.resolve(undefined),
 *       delete: async (name) => void (await call('DELETE', name)),
 *       close: () => Promise.resolve(),
 *     });
 *   },
 *   example: { name: 'orders', type: 'shared_folder', owner: 'data' },
 * });
 */
export function defineResource<P extends TObject, const T extends ConnectionKind>(
  definition: Omit<ResourceType<Static<P>, T>, 'params'> & { readonly params: P },
): ResourceType {
  const { type, params, connection } = definition;
  const shadowing = Object.keys(params.properties).find((key) => COMMON_KEYS.includes(key));
  if (shadowing !== undefined)
    throw new Error(`The key '${shadowing}' of the resource type '${type}' has the name of a key that every resource has. Rename it.`);
  const named = {
    conn_id: Type.Optional(
      connectionField(`The server that has it. Default: ${connection.default}.`, connection.default, connection.types),
    ),
  };
  // The catalog's type does not know the keys of each type; the compiler checks them against `params`.
  return {
    ...definition,
    params: Type.Object({ ...named, ...params.properties }, { additionalProperties: false }),
  } as unknown as ResourceType;
}
