import { type PruneOptions, whyNotDeleted } from '../../lib/deletion-limit.ts';
import { errorText } from '../../workflows/plan/values/error-text.ts';
import { inTurns } from '../../workflows/plan/values/in-turns.ts';
import { type DeclaredResource, isSame, type ProjectResources, type ResourceId } from '../declared-resource.ts';
import type { ResourceType, SecretReader } from '../define-resource.ts';
import { diffFields, type Difference, type Fields } from '../fields.ts';
import type { RecordedResource, ResourceRecord } from '../record.ts';
import type { OpenServers } from './open-servers.ts';

export interface ResourceOptions extends PruneOptions {
  /** Whether to take over resources that exist already, but not as declared. Default: no. */
  readonly adopt: boolean;
}

/**
 * `adopt`: it exists as declared, and is managed from now on. `release`: it stays on the server, and is no longer managed. `unknown`: it
 * could not be compared.
 */
export type ResourceAction = 'create' | 'update' | 'adopt' | 'delete' | 'release' | 'unchanged' | 'unknown';

/** One change that makes a server match the files. */
export interface ResourceChange extends ResourceId {
  readonly action: ResourceAction;
  /** A short description. */
  readonly detail: string;
  readonly differences: readonly Difference[];
  /** Why the change is not made; of `unknown`: why it could not be compared. */
  readonly withheld?: string;
  /** Absent for a resource that no file declares any more. */
  readonly declared?: DeclaredResource;
  /** The declared state; with `declared`, unless the resource is `unknown`. */
  readonly fields?: Fields;
  /** Whether a later deletion may delete it: see RecordedResource. */
  readonly isOwn: boolean;
}

/** The number of resources that are read at the same time. */
const AT_ONCE = 10;

/** What resources are compared with. */
export interface ResourceSetting {
  readonly types: readonly ResourceType[];
  readonly servers: OpenServers;
  readonly secrets: SecretReader;
  readonly record: ResourceRecord;
}

/**
 * Determines what applying the resource files changes. Changes nothing on the servers.
 *
 * A missing declaration alone never causes a deletion: that requires `prune`, a resource that this deployment created or took over, and
 * no file with mistakes. A server that does not answer makes its resources `unknown`, and does not affect the others.
 * @returns in the order in which they are applied
 */
export async function compareResources(
  wanted: ProjectResources,
  setting: ResourceSetting,
  options: ResourceOptions,
): Promise<readonly ResourceChange[]> {
  const changes: ResourceChange[] = [];
  await inTurns(wanted.resources, AT_ONCE, async (resource) => void changes.push(await compareDeclared(resource, setting, options)));
  const gone = setting.record.filter((each) => isGone(each, wanted));
  const deletions = gone.filter((each) => each.isOwn && !isDeclaredElsewhere(each, wanted)).length;
  await inTurns(gone, AT_ONCE, async (each) => void changes.push(await compareGone(each, wanted, setting, options, deletions)));
  return inOrder(changes, setting.types);
}

function isGone(recorded: RecordedResource, { resources, paths }: ProjectResources): boolean {
  const isRead = paths.some((path) => path === '' || recorded.file === path || recorded.file.startsWith(`${path}/`));
  return isRead && !resources.some((each) => isSame(each, recorded));
}

async function compareDeclared(
  declared: DeclaredResource,
  { types, servers, secrets, record }: ResourceSetting,
  { adopt }: ResourceOptions,
): Promise<ResourceChange> {
  const { type: typeName, connId, name, keys } = declared;
  const known = record.find((each) => isSame(each, declared));
  const base = { type: typeName, connId, name, declared, differences: [], isOwn: known?.isOwn ?? true };
  try {
    const type = typeOf(types, typeName);
    const fields = type.fields(keys, secrets);
    const actual = await servers.use(type, connId, (server) => server.read(name, keys));
    if (!actual) {
      const detail = known ? 'it was deleted outside of Sluice' : 'it does not exist';
      return { ...base, action: 'create', fields, detail, isOwn: true };
    }
    const differences = diffFields(fields, actual);
    if (differences.length === 0) {
      if (known) return { ...base, action: 'unchanged', fields, detail: 'as declared' };
      return { ...base, action: 'adopt', fields, detail: 'it exists already, as declared', isOwn: adopt };
    }
    const fixed = differences.flatMap((difference) => type.whyFixed?.(difference) ?? []);
    const foreign = known || adopt ? [] : ['it exists already and differs, and this deployment did not create it; `--adopt` takes it over'];
    const reasons = [...fixed, ...foreign];
    return {
      ...base,
      action: 'update',
      fields,
      differences,
      detail: known ? 'it differs from its file' : 'it exists already, and differs',
      ...(reasons.length > 0 && { withheld: reasons.join(' ') }),
    };
  } catch (error) {
    return { ...base, action: 'unknown', detail: 'it could not be compared', withheld: errorText(error) };
  }
}

async function compareGone(
  recorded: RecordedResource,
  wanted: ProjectResources,
  { types, servers, record }: ResourceSetting,
  options: ResourceOptions,
  deletions: number,
): Promise<ResourceChange> {
  const { type: typeName, connId, name, file, isOwn } = recorded;
  const base = { type: typeName, connId, name, differences: [], isOwn };
  const [broken] = wanted.broken;
  const withheld = broken === undefined ? undefined : `${broken} has mistakes, and may declare it`;
  const removed = `${file} no longer declares it`;
  if (!isOwn || isDeclaredElsewhere(recorded, wanted)) {
    const why = isOwn ? 'another connection declares it now' : 'it existed before it was declared, and stays';
    const reason = withheld ?? (options.prune ? undefined : '`--prune` stops managing it; it stays on its server');
    return { ...base, action: 'release', detail: `${removed}; ${why}`, ...(reason !== undefined && { withheld: reason }) };
  }
  const reason = withheld ?? whyNotDeleted(deletions, record.length, 'resources', options);
  try {
    const type = typeOf(types, typeName);
    const contents = await servers.use(type, connId, (server) => server.contents(name));
    const detail = contents === undefined ? removed : `${removed}; it holds ${contents}`;
    const refusal = contents === undefined || type.deletesContents ? undefined : `it holds ${contents}; empty it first`;
    const why = reason ?? refusal;
    return { ...base, action: 'delete', detail, ...(why !== undefined && { withheld: why }) };
  } catch (error) {
    return { ...base, action: 'unknown', detail: removed, withheld: errorText(error) };
  }
}

/** Whether a resource is declared with another connection, which may lead to the same server. */
function isDeclaredElsewhere(recorded: ResourceId, { resources }: ProjectResources): boolean {
  return resources.some(({ type, name, connId }) => type === recorded.type && name === recorded.name && connId !== recorded.connId);
}

/** @throws Error for a type that is not in the catalog, as after the removal of a plugin */
export function typeOf(types: readonly ResourceType[], name: string): ResourceType {
  const found = types.find(({ type }) => type === name);
  if (!found) throw new Error(`This project has no resource type '${name}'. Add the definition again, or delete the resource by hand.`);
  return found;
}

/** Creations in the order of the catalog, then deletions in the opposite one. */
function inOrder(changes: readonly ResourceChange[], types: readonly ResourceType[]): readonly ResourceChange[] {
  const rank = new Map(types.map(({ type }, index) => [type, index]));
  const rankOf = ({ type, declared }: ResourceChange): number =>
    declared ? (rank.get(type) ?? 0) : 2 * types.length - (rank.get(type) ?? 0);
  const key = ({ connId, name }: ResourceChange): string => `${name} ${connId}`;
  return [...changes].sort((a, b) => rankOf(a) - rankOf(b) || (key(a) < key(b) ? -1 : 1));
}
