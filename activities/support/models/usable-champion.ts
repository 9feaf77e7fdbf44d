import type { TaskContext } from '../../define-task.ts';
import { findFileDamage } from './model-files.ts';
import type { Champion, ModelVersion, CurrentChampion } from './model-registry.ts';
import type { Models } from './model-tasks.ts';

/**
 * The version that others are compared with: the champion, or the latest one before it that still has its version and files. A champion
 * without files cannot be measured: it blocks no training, but does not make any version "the first" either.
 * @param current the current champion
 * @returns undefined when there is none
 */
export async function findUsableChampion(
  ctx: Pick<TaskContext, 'log' | 'signal'>,
  models: Models,
  model: string,
  current: CurrentChampion | undefined,
): Promise<ModelVersion | undefined> {
  const now = current?.champion.version ?? null;
  if (now === null) return undefined;
  const intact = await findIntact(models, model, now, ctx.signal);
  if (typeof intact !== 'string') return intact;
  ctx.log.warn('The champion cannot be compared with: the one before it is', { model, version: now, why: intact });
  for (const version of line(await models.registry.history(model)).slice(1)) {
    const earlier = await findIntact(models, model, version, ctx.signal);
    if (typeof earlier !== 'string') return earlier;
  }
  return undefined;
}

/**
 * The latest usable version that was champion before the current one.
 * @returns a message if there is none
 */
export async function findPreviousChampion(models: Models, model: string, signal: AbortSignal): Promise<ModelVersion | string> {
  const history = await models.registry.history(model);
  const [now] = history;
  if (!now) return `Model '${model}' has never had a champion in ${models.registry.place}.`;
  // If the champion was cleared, it comes back.
  const earlier = now.version === null ? line(history.slice(history.findIndex(({ version }) => version !== null))) : line(history).slice(1);
  const why: string[] = [];
  for (const version of earlier) {
    const found = await findIntact(models, model, version, signal);
    if (typeof found !== 'string') return found;
    why.push(`${version}: ${found}`);
  }
  const there = why.length === 0 ? 'there was none' : why.join('; ');
  return `Model '${model}' has no champion before ${now.version ?? 'the last'} that can be used: ${there}. \`sluice models promote ${model} VERSION\` names another.`;
}

/** @returns the version, or a message if it cannot be used */
async function findIntact(
  { registry, storage }: Models,
  model: string,
  version: string,
  signal: AbortSignal,
): Promise<ModelVersion | string> {
  const found = await registry.find(model, version);
  if (!found) return `version '${version}' is not in ${registry.place}`;
  const damage = await findFileDamage(storage, found, signal);
  return damage === undefined ? found : `its files ${damage}`;
}

/**
 * The champion and its predecessors in order, without promotions that were rolled back, and without champions from before a clearing.
 * @param history newest first
 */
function line(history: readonly Champion[]): string[] {
  const stack: string[] = [];
  for (const { version } of [...history].reverse()) {
    if (version === null) stack.length = 0;
    else if (stack.includes(version)) stack.length = stack.indexOf(version) + 1;
    else stack.push(version);
  }
  return stack.reverse();
}
