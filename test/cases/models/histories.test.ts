import assert from 'node:assert/strict';
import fc from 'fast-check';
import { after, before, describe, it } from 'mocha';
import { inTurns } from '../../../workflows/plan/values/in-turns.ts';
import { modelHistories, playModels } from '../../support/model-histories.ts';
import { createModelRuns, type ModelRuns } from '../../support/model-runs.ts';

const IS_FULL = process.env['SLUICE_CHAOS'] === 'full';
/** `SLUICE_HISTORIES=12` plays so many; `SLUICE_SEED=-123` the same ones again; `SLUICE_PATH=7` the eighth of them alone. */
const COUNT = Number(process.env['SLUICE_HISTORIES'] ?? (IS_FULL ? 200 : 4));
/** The suite plays the same ones each time, so that it fails for what has changed; `SLUICE_CHAOS=full` plays others. */
const SEED = Number(process.env['SLUICE_SEED'] ?? (IS_FULL ? Date.now() % 2 ** 31 : 20_261_128));
const ONLY = process.env['SLUICE_PATH'];
const STEPS = IS_FULL ? 12 : 8;
/** Histories at the same time. */
const AT_ONCE = 4;

describe(`random histories of models, seed ${SEED}`, function () {
  this.timeout(IS_FULL ? '3h' : '10m');
  let models: ModelRuns;

  before(async () => {
    models = await createModelRuns();
  });
  after(() => models.close());

  it(`after each step of ${COUNT} histories the champion is the best that was promoted by the rules, and is served`, async () => {
    const all = fc.sample(modelHistories(STEPS), { seed: SEED, numRuns: COUNT });
    const chosen = ONLY === undefined ? [...all.keys()] : [Number(ONLY)];
    const failures: string[] = [];
    await inTurns(chosen, AT_ONCE, async (index) => {
      if (failures.length > 0) return;
      await playModels(models, `history_${index}`, all[index] ?? []).catch((error: unknown) => {
        const again = `SLUICE_SEED=${SEED} SLUICE_HISTORIES=${COUNT} SLUICE_PATH=${index}${IS_FULL ? ' SLUICE_CHAOS=full' : ''}`;
        failures.push(`History ${index} fails; play it again with ${again}.\n${JSON.stringify(all[index])}\n${(error as Error).stack}`);
      });
    });
    assert.equal(failures.length, 0, failures.join('\n\n'));
  });
});
