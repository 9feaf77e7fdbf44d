import type { JsonObject } from '../workflows/plan/values/json.ts';

/** What identifies a resource: two connections may lead to the same server, so only together with the connection. */
export interface ResourceId {
  readonly type: string;
  /** The name of its connection. */
  readonly connId: string;
  /** Its name on the server. */
  readonly name: string;
}

/** A resource that a file declares. */
export interface DeclaredResource extends ResourceId {
  /** The keys of its type. */
  readonly keys: JsonObject;
  /** The file's path relative to the project root, with `/`. */
  readonly file: string;
}

/** The resources that the files of one project declare. */
export interface ProjectResources {
  readonly project: string;
  /** The files and folders that were read, relative to the project root, with `/`. Resources from other files are not touched. */
  readonly paths: readonly string[];
  readonly resources: readonly DeclaredResource[];
  /** Files with mistakes, relative to the project root. */
  readonly broken: readonly string[];
}

export function isSame(a: ResourceId, b: ResourceId): boolean {
  return a.type === b.type && a.connId === b.connId && a.name === b.name;
}

/** A resource for messages: `kafka_topic product-updates`. */
export function resourceTitle({ type, name }: ResourceId): string {
  return `${type} ${name}`;
}
