import { setTimeout as delay } from 'node:timers/promises';
import { secureUrl } from '../lib/encryption.ts';
import { exchange } from '../lib/http/exchange.ts';
import type { Log } from '../lib/logging.ts';
import { withinTime } from '../lib/time-limit.ts';
import { errorText } from '../workflows/plan/values/error-text.ts';

/** Interval of calls to the dead man's switch, in milliseconds. */
const EVERY = 60_000;
/** Time limit of a call, in milliseconds. */
const WITHIN = 10_000;
/** Larger answers are refused. */
const MAX_BYTES = 1024 * 1024;

/**
 * Calls a URL regularly while this process is working. An external service (a dead man's switch) pages when the calls stop: then both
 * monitors are dead, or the network to the outside is down.
 * @param isWell whether to make the next call
 */
export async function callDeadMansSwitch(
  url: string,
  isWell: () => boolean,
  log: Log,
  signal: AbortSignal,
  everyMs = EVERY,
  withinMs = WITHIN,
): Promise<void> {
  while (!signal.aborted) {
    if (isWell()) {
      try {
        const status = await withinTime(withinMs, signal, (limited) => call(url, limited));
        if (status < 200 || status > 299) log.warn(`The dead man's switch has answered ${status}`);
      } catch (error) {
        if (!signal.aborted) log.warn(`The dead man's switch cannot be reached: ${errorText(error)}`);
      }
    }
    await delay(everyMs, undefined, { signal }).catch(() => undefined);
  }
}

async function call(url: string, signal: AbortSignal): Promise<number> {
  const { status } = await exchange({ method: 'POST', url: new URL(secureUrl(url)), headers: {} }, MAX_BYTES, signal);
  return status;
}
