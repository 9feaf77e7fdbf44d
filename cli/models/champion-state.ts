import { ApplicationFailure } from '@temporalio/common';
import { findFileDamage } from '../../activities/support/models/model-files.ts';
import type { Champion } from '../../activities/support/models/model-registry.ts';
import type { Models } from '../../activities/support/models/model-tasks.ts';

/** What is known about the champion of a model. */
export interface ChampionState {
  /** null: the model never had one. */
  readonly champion: Champion | null;
  /** Why the champion cannot be used; absent if it can. */
  readonly problem?: string;
}

/** Reads the champion of a model and checks it. If the registry is damaged, returns the last champion that it knows. */
export async function championOf({ registry, storage }: Models, model: string, signal: AbortSignal): Promise<ChampionState> {
  try {
    const champion = (await registry.champion(model))?.champion ?? null;
    const problem = champion && (await problemOf({ registry, storage }, model, champion, signal));
    return { champion, ...(problem && { problem }) };
  } catch (error) {
    // A missing bucket or a damaged alias of one model must not hide other models.
    if (!(error instanceof ApplicationFailure)) throw error;
    return { champion: (await registry.history(model))[0] ?? null, problem: error.message };
  }
}

/** Why a champion cannot be used; undefined if it can. */
async function problemOf(
  { registry, storage }: Pick<Models, 'registry' | 'storage'>,
  model: string,
  champion: Champion,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (champion.version === null) return undefined;
  const found = await registry.find(model, champion.version);
  const damage = found
    ? await findFileDamage(storage, found, signal)
    : `are missing: version '${champion.version}' is no longer in ${registry.place}`;
  if (damage === undefined) return undefined;
  const wayOut = `\`sluice models rollback ${model}\` restores the previous champion; or restore the files.`;
  return `The files of the champion ${damage}. ${wayOut}`;
}
