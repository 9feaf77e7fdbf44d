// Calls a service that never answers, in every way that has a time limit, while the garbage collector runs. Prints how many calls have
// ended. Run with --expose-gc and the service's address.
import { setTimeout as delay } from 'node:timers/promises';
import { callHttp } from '../../lib/http.ts';
import { linkedController } from '../../lib/linked-controller.ts';
import { withinTime } from '../../lib/time-limit.ts';
import { callDeadMansSwitch } from '../../monitors/dead-man.ts';

const LIMIT_MS = 300;
/** More than all limits together on a slow machine. */
const GIVE_UP_MS = 15_000;
const [, , url = ''] = process.argv;
const { gc: collect } = globalThis;
if (!collect) throw new Error('Start it with --expose-gc.');
const task = new AbortController();
let [started, ended] = [0, 0];

function count(work: Promise<unknown>): void {
  started += 1;
  const end = (): void => void (ended += 1);
  work.then(end, end);
}

for (let round = 0; round < 8; round++) {
  count(callHttp({ url }, { path: '/', timeoutMs: LIMIT_MS, signal: task.signal }));
  count(withinTime(LIMIT_MS, task.signal, (signal) => fetch(url, { signal })));
  // Work that only awaits a signal: nested limits, and a controller that follows both.
  count(
    withinTime(LIMIT_MS, task.signal, (outer) =>
      withinTime(60_000, outer, (inner) => delay(120_000, 0, { signal: linkedController(inner).signal })),
    ),
  );
}
const stop = new AbortController();
const nothing = (): void => undefined;
const calls: string[] = [];
const log = { debug: nothing, info: nothing, warn: (text: string) => void calls.push(text), error: nothing };
const isWell = (): boolean => {
  if (calls.length >= 2) stop.abort();
  return !stop.signal.aborted;
};
count(callDeadMansSwitch(url, isWell, log, stop.signal, 1, LIMIT_MS));

const giveUpAt = performance.now() + GIVE_UP_MS;
while (ended < started && performance.now() < giveUpAt) {
  collect();
  await delay(20);
}
process.stdout.write(`${ended} of ${started}`);
process.exit();
