import { errorText } from '../../workflows/plan/values/error-text.ts';
import { canonicalJson } from '../../workflows/plan/values/json.ts';
import { isSame } from '../declared-resource.ts';
import type { ResourceRecord } from '../record.ts';
import { type ResourceChange, type ResourceSetting, typeOf } from './compare.ts';

/**
 * Makes changes one after the other. A failed change is reported and does not stop the others. Skips withheld and unknown ones. Can be
 * interrupted anywhere: what was created but not recorded is adopted by the next call, and never deleted.
 * @param onFailure called for each change that failed, with the reason
 * @returns the new record
 */
export async function applyResources(
  changes: readonly ResourceChange[],
  setting: ResourceSetting,
  onFailure: (change: ResourceChange, reason: string) => void,
): Promise<ResourceRecord> {
  let record = setting.record;
  for (const change of changes) {
    if (change.withheld !== undefined) continue;
    try {
      await make(change, setting);
    } catch (error) {
      onFailure(change, errorText(error));
      continue;
    }
    record = recordAfter(record, change, setting);
  }
  return record;
}

async function make(
  { action, type: typeName, connId, name, declared, fields = {}, differences }: ResourceChange,
  setting: ResourceSetting,
): Promise<void> {
  const type = typeOf(setting.types, typeName);
  const { servers } = setting;
  const keys = declared?.keys ?? {};
  switch (action) {
    case 'create':
      return servers.use(type, connId, (server) => server.create(name, keys, fields));
    case 'update':
      return servers.use(type, connId, (server) => server.update(name, keys, fields, differences));
    case 'delete':
      return servers.use(type, connId, async (server) => {
        // It may have been used since the comparison.
        const contents = type.deletesContents ? undefined : await server.contents(name);
        if (contents !== undefined) throw new Error(`It holds ${contents}; empty it first.`);
        await server.delete(name);
      });
    case 'adopt':
    case 'release':
    case 'unchanged':
    case 'unknown':
      return;
  }
}

function recordAfter(record: ResourceRecord, change: ResourceChange, { types }: ResourceSetting): ResourceRecord {
  const { type, connId, name, declared, isOwn } = change;
  const others = record.filter((each) => !isSame(each, change));
  if (!declared) return others;
  const recorded = typeOf(types, type).recorded ?? [];
  const kept = Object.entries(declared.keys).filter(([key]) => recorded.includes(key));
  return [...others, { type, connId, name, file: declared.file, isOwn, ...(kept.length > 0 && { keys: Object.fromEntries(kept) }) }];
}

/** Whether two records are equal, in any order. */
export function isSameRecord(a: ResourceRecord, b: ResourceRecord): boolean {
  const textOf = (record: ResourceRecord): string =>
    JSON.stringify(
      record.map(({ type, connId, name, file, isOwn, keys = {} }) => [type, connId, name, file, isOwn, canonicalJson(keys)]).sort(),
    );
  return textOf(a) === textOf(b);
}
