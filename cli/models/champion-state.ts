import { ApplicationFailure } from '@temporalio/common';
import { findFileDamage } from '../../activities/models/model-files.ts';
import type { Champion } from '../../activities/models/model-registry.ts';
import type { Models } from '../../activities/models/model-tasks.ts';

/** Who is champion, as far as it can be told. */
export interface ChampionState {
  /** null: there was never one. */
  readonly champion: Champion | null;
  /** What is wrong with the champion; absent: nothing is. */
  readonly problem?: string;
}

/** Who is champion of a model, and whether it can be used. Where the registry is damaged, the champion is the last that it knows. */
export async function championOf({ registry, storage }: Models, model: string, signal: AbortSignal): Promise<ChampionState> {
  let champion: Champion | undefined;
  try {
    champion = (await registry.champion(model))?.champion;
  } catch (error) {
    if (!(error instanceof ApplicationFailure) || error.type !== 'DataMismatch') throw error;
    return { champion: (await registry.history(model))[0] ?? null, problem: error.message };
  }
  if (!champion) return { champion: null };
  if (champion.version === null) return { champion };
  const found = await registry.find(model, champion.version);
  const damage = found
    ? await findFileDamage(storage, found, signal)
    : `are not known: version '${champion.version}' is no longer in ${registry.place}`;
  if (damage === undefined) return { champion };
  const wayOut = `\`sluice models rollback ${model}\` goes back to the champion before; or restore them.`;
  return { champion, problem: `The files of the champion ${damage}. ${wayOut}` };
}
