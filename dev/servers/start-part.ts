import type { Progress, ProgressStep } from '../../lib/progress.ts';
import { withFileLock } from '../launch/file-lock.mjs';
import { errorText } from '../../workflows/plan/values/error-text.ts';
import { homePaths } from '../home.ts';
import type { Part, PartContext, Tool } from './parts/part.ts';
import { ToolFailed } from './run-tool.ts';
import { reuseServer, startServer } from './start-server.ts';
import { ToolMissing } from './tool-missing.ts';
import type { PartStatus } from '../stack-status.ts';

export interface StartedPart {
  readonly part: Part;
  readonly status: PartStatus;
  /** Its variables for the environment. */
  readonly environment: Record<string, string>;
  /** Whether this call started its server. */
  readonly startedHere: boolean;
}

/** Starts one part from any state. A machine that lacks a requirement is a status, not an error. */
export async function startPart(part: Part, context: PartContext, progress: Progress): Promise<StartedPart> {
  const external = await part.external(context);
  if (external !== undefined)
    return { part, status: { name: part.name, state: 'external', ...external }, environment: {}, startedHere: false };
  const step = progress.step(part.title);
  try {
    const onWait = (pid: number | undefined) => step.update(`another start (process ${pid ?? 'unknown'}) is at it, waiting`);
    const started = await withFileLock(homePaths.lock(context.home, part.name), () => startLocked(part, context, step), { onWait });
    step.done([started.status.address, started.status.detail].filter((text) => text !== undefined).join(', '));
    return started;
  } catch (error) {
    const line = missingLine(part, error);
    step.fail(line?.replace(`${part.title} `, '') ?? errorText(error).split('\n')[0] ?? '');
    if (line === undefined) throw error;
    return { part, status: { name: part.name, state: 'missing', detail: line }, environment: {}, startedHere: false };
  }
}

async function startLocked(part: Part, context: PartContext, step: ProgressStep): Promise<StartedPart> {
  const report = (text: string) => step.update(text);
  const recipe = part.server;
  if (recipe === undefined) {
    const tool = await obtain(part, context, step);
    const status: PartStatus = { name: part.name, state: 'running', detail: `ready, from ${tool.origin}; not a server` };
    return { part, status, environment: await part.environment(context, {}, tool), startedHere: false };
  }
  const reused = await reuseServer(part, recipe, context, report);
  const tool = reused === undefined ? await obtain(part, context, step) : undefined;
  const record = reused ?? (await startServer(part, recipe, context, tool as Tool, report));
  const detail = reused === undefined ? `started, from ${tool?.origin ?? ''}` : 'already running';
  const status: PartStatus = {
    name: part.name,
    state: 'running',
    address: recipe.address(record.ports),
    pid: record.pid,
    detail: record.note === undefined ? detail : `${detail}; ${record.note}`,
  };
  return { part, status, environment: await part.environment(context, record.ports), startedHere: reused === undefined };
}

async function obtain(part: Part, context: PartContext, step: ProgressStep): Promise<Tool> {
  step.update('looking for it');
  return (await part.find(context)) ?? part.fetch(context, (text) => step.update(text));
}

/** Describes in one line why a part is not available, or returns undefined for other errors. */
function missingLine(part: Part, error: unknown): string | undefined {
  const left = `${part.title} (${part.purpose}) is left out`;
  if (error instanceof ToolMissing) return `${left}: ${error.message}`;
  if (!(error instanceof ToolFailed)) return undefined;
  // The first and last lines usually contain the reason; the full message is too long for one line.
  const lines = error.message.split('\n').map((line) => line.trim());
  return `${left}: it could not be fetched: ${lines[0] ?? ''}; ${lines.at(-1) ?? ''}. Start again, or set ${part.variables[0] ?? ''} to one of your own`;
}
