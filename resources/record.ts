import type { JsonObject } from '../workflows/plan/values/json.ts';
import type { ResourceId } from './declared-resource.ts';

/** A resource that a deployment manages. */
export interface RecordedResource extends ResourceId {
  /** The file that declared it, relative to the project root, with `/`. */
  readonly file: string;
  /** Whether the deployment created it, or took it over on request. One that existed before, as declared, is never deleted. */
  readonly isOwn: boolean;
  /** Its keys that monitors need: see `recorded` of ResourceType. Absent: none. */
  readonly keys?: JsonObject;
}

/** The resources that one deployment manages for one project. Persisted in Temporal as JSON. */
export type ResourceRecord = readonly RecordedResource[];
