import { homePaths } from './home.ts';
import { partsNamed } from './servers/parts/catalog.ts';
import { type Part, type PartContext, type PartName, partNames, usualParts } from './servers/parts/part.ts';
import { isAlive, readRecord } from './servers/server-process.ts';
import { readStackEnvironment, withoutOwnValues } from './stack-environment.ts';

export interface PartStatus {
  readonly name: PartName;
  /** `missing`: not installed, and the machine lacks what is needed to fetch it. */
  readonly state: 'running' | 'external' | 'stopped' | 'missing';
  readonly address?: string;
  readonly pid?: number;
  readonly detail: string;
}

/** Returns the status of each default part, and of others that have been started. Does not start or fetch anything. */
export async function stackStatus(home: string, environment: NodeJS.ProcessEnv = process.env): Promise<PartStatus[]> {
  const context = { home, environment: await withoutOwnValues(home, environment) };
  const started = await Promise.all(
    partNames.map(async (name) => usualParts.includes(name) || (await readRecord(home, name)) !== undefined),
  );
  return Promise.all(partsNamed(partNames.filter((_, index) => started[index])).map((part) => statusOf(part, context)));
}

async function statusOf(part: Part, context: PartContext): Promise<PartStatus> {
  const { name } = part;
  const external = await part.external(context);
  if (external !== undefined) return { name, state: 'external', ...external };
  const record = await readRecord(context.home, name);
  if (part.server !== undefined && record !== undefined) {
    const address = part.server.address(record.ports);
    if (!isAlive(record))
      return { name, state: 'stopped', detail: `process ${record.pid} has ended; a start brings it back with its data` };
    const healthy = await part.server.healthy(context, record.ports);
    if (healthy) return { name, state: 'running', address, pid: record.pid, detail: record.note ?? `since ${record.startedAt}` };
    return {
      name,
      state: 'stopped',
      pid: record.pid,
      detail: `the process lives and does not answer; see ${homePaths.log(context.home, name)}`,
    };
  }
  const lacking = await part.lacking(context);
  if (lacking !== undefined) return { name, state: 'missing', detail: `for: ${part.purpose}; ${lacking}` };
  const tool = await part.find(context);
  const detail = tool === undefined ? 'is fetched at the first start' : `from ${tool.origin}`;
  const given = await readStackEnvironment(context.home);
  const inUse = part.server === undefined && tool !== undefined && part.variables.every((variable) => given[variable] !== undefined);
  return inUse ? { name, state: 'running', detail: `ready, ${detail}; not a server` } : { name, state: 'stopped', detail };
}
