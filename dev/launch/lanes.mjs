// Plain JavaScript: used by dev/launch/run-mode.mjs.
import { ended, start } from './child.mjs';

/** Number of lines shown from the end of a lane that printed no summary. */
const LAST_LINES = 40;

/**
 * Runs commands concurrently, each as a lane. Prints the lines of the first lane immediately, and those of the others at the end, because
 * interleaved lines could not be attributed. Failed lanes come last, followed by the summaries.
 * @param {readonly import('./lanes.d.mts').Lane[]} lanes
 * @param {(text: string | Uint8Array) => void} [print]
 * @returns {Promise<number>} the exit code: 0, or 1 when a lane failed
 */
export async function runLanes(lanes, print = (text) => void process.stdout.write(text)) {
  const results = await Promise.all(lanes.map((lane, index) => runLane(lane, index === 0 ? print : undefined)));
  const [first, ...others] = results;
  const failed = results.filter(({ code }) => code !== 0);
  for (const { code, output } of others) if (code === 0) print(output);
  for (const lane of failed) if (lane !== first) print(lane.output);
  const isAlreadyLast = failed.length === 1 && (failed[0] !== first || others.length === 0);
  if (!isAlreadyLast) for (const { name, output } of failed) print(`\nFailed: ${name}\n${summaryOf(output)}`);
  return failed.length === 0 ? 0 : 1;
}

/**
 * @param {import('./lanes.d.mts').Lane} lane
 * @param {((text: Uint8Array) => void) | undefined} print prints its lines immediately
 */
async function runLane({ name, command, environment }, print) {
  const child = start(command, environment, 'pipe');
  /** @type {Buffer[]} */
  const chunks = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (/** @type {Buffer} */ chunk) => {
      chunks.push(chunk);
      print?.(chunk);
    });
  }
  const code = await ended(child);
  return { name, code, output: Buffer.concat(chunks).toString() };
}

/** The summary that mocha prints last, from 'N passing'; the last lines of a run without one. */
function summaryOf(/** @type {string} */ output) {
  const [start] = [...output.matchAll(/^.*\b\d+ passing\b/gm)].slice(-1);
  return start ? output.slice(start.index) : `${output.trimEnd().split('\n').slice(-LAST_LINES).join('\n')}\n`;
}
