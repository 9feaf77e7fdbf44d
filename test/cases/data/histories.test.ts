import assert from 'node:assert/strict';
import fc from 'fast-check';
import { after, before, describe, it } from 'mocha';
import { inTurns } from '../../../workflows/plan/values/in-turns.ts';
import { histories, type History } from '../../support/histories/history.ts';
import { play } from '../../support/histories/play.ts';
import { openStage, type Stage } from '../../support/histories/stage.ts';

const IS_FULL = process.env.SLUICE_CHAOS === 'full';
/** `SLUICE_HISTORIES=12` plays so many; `SLUICE_SEED=-123` the same ones again; `SLUICE_PATH=7` the eighth of them alone. */
const COUNT = Number(process.env.SLUICE_HISTORIES ?? (IS_FULL ? 2_000 : 100));
/** The suite plays the same ones each time, so that it fails for what has changed; `SLUICE_CHAOS=full` plays others. */
const SEED = Number(process.env.SLUICE_SEED ?? (IS_FULL ? Date.now() % 2 ** 31 : 568_748_870));
const ONLY = process.env.SLUICE_PATH;

const STEPS = 6;
const WORKERS = 3;
/** Histories at the same time. */
const AT_ONCE = 12;
/** How long a history that failed is made smaller, in milliseconds. */
const SHRINK_MS = 180_000;

describe(`random histories of data, seed ${SEED}`, function () {
  this.timeout(IS_FULL ? '3h' : '20m');
  let stage: Stage;

  before(async () => {
    stage = await openStage(WORKERS);
  });
  after(() => stage.close());

  it(`after each step of ${COUNT} histories the warehouse holds what the history says`, async () => {
    const arbitrary = histories(STEPS);
    const all = fc.sample(arbitrary, { seed: SEED, numRuns: COUNT });
    const chosen = ONLY === undefined ? [...all.keys()] : [Number(ONLY)];
    const failures: { readonly index: number; readonly error: unknown }[] = [];
    await inTurns(chosen, AT_ONCE, async (index) => {
      if (failures.length > 0) return;
      await play(stage, all[index] as History).catch((error: unknown) => void failures.push({ index, error }));
    });
    const [first] = failures;
    if (!first) return;
    const message = first.error instanceof Error ? (first.error.stack ?? first.error.message) : String(first.error);
    const again = `SLUICE_SEED=${SEED} SLUICE_HISTORIES=${COUNT} SLUICE_PATH=${first.index}`;
    const found = `History ${first.index} fails; play it again with ${again}.\n${JSON.stringify(all[first.index])}\n${message}\n`;
    // Making it smaller takes minutes.
    process.stderr.write(found);
    assert.fail(found + (await shrink(arbitrary, first.index)));
  });

  /** Makes a history that fails smaller, as long as it fails. */
  async function shrink(arbitrary: fc.Arbitrary<History>, index: number): Promise<string> {
    const property = fc.asyncProperty(arbitrary, (history) => play(stage, history));
    const found = await fc.check(property, {
      seed: SEED,
      path: String(index),
      numRuns: index + 1,
      interruptAfterTimeLimit: SHRINK_MS,
      markInterruptAsFailure: false,
    });
    return found.failed
      ? `The smallest that fails: ${JSON.stringify(found.counterexample)}\n${String(found.errorInstance)}`
      : 'It passed when it was played alone.';
  }
});
