import { ApplicationFailure } from '@temporalio/common';
import { findFileDamage } from '../../activities/support/models/model-files.ts';
import type { Champion } from '../../activities/support/models/model-registry.ts';
import type { Models } from '../../activities/support/models/model-tasks.ts';

/** The champion, as far as it is known. */
export interface ChampionState {
  /** null: there was never one. */
  readonly champion: Champion | null;
  /** What is wrong with the champion; absent: nothing is. */
  readonly problem?: string;
}

/** The champion of a model, and whether it can be used. Where the registry is damaged, the champion is the last that it knows. */
export async function championOf({ registry, storage }: Models, model: string, signal: AbortSignal): Promise<ChampionState> {
  try {
    const champion = (await registry.champion(model))?.champion ?? null;
    const problem = champion && (await problemOf({ registry, storage }, model, champion, signal));
    return { champion, ...(problem && { problem }) };
  } catch (error) {
    // A bucket that is gone, or an alias that is damaged: that of one model hides no other.
    if (!(error instanceof ApplicationFailure)) throw error;
    return { champion: (await registry.history(model))[0] ?? null, problem: error.message };
  }
}

/** What is wrong with a champion; undefined: nothing is. */
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
