import { setTimeout as delay } from 'node:timers/promises';
import type { Connections } from '../connections/connections.ts';
import type { Scrubber } from '../lib/scrubbing/scrub.ts';
import type { Log } from '../lib/logging.ts';
import type { Notice, Page } from '../workflows/plan/incidents/incident.ts';
import { notify } from './notify.ts';
import { errorText } from '../workflows/plan/values/error-text.ts';

/** How often Temporal is checked, and how long it may be down before the watch pages. Milliseconds. */
const EVERY = 2_000;
const PATIENCE = 40_000;

export interface TemporalWatch {
  /** Throws, or takes too long, if Temporal does not answer. */
  ask(): Promise<void>;
  readonly connections: Connections;
  /** Secrets that must not appear in a page. */
  readonly secrets: Scrubber;
  /** The connection to page through. */
  readonly connection: string;
  /** Temporal's name in the page: its address. */
  readonly name: string;
  readonly log: Log;
  readonly signal: AbortSignal;
  readonly patienceMs?: number;
}

/**
 * Watches Temporal itself, from this process alone: without Temporal there are no incidents. All monitors page with the same key, so that
 * PagerDuty merges them into one alert.
 */
export async function watchTemporal(watch: TemporalWatch): Promise<void> {
  const { ask, name, log, signal, patienceMs = PATIENCE } = watch;
  let awaySince: number | undefined;
  let paged = false;
  while (!signal.aborted) {
    const asked = performance.now();
    const answers = await ask().then(
      () => true,
      () => false,
    );
    if (signal.aborted) return;
    if (answers) {
      awaySince = undefined;
      if (paged) paged = !(await say(watch, 'resolve', `Temporal at ${name} responds again.`));
    } else {
      awaySince ??= asked;
      if (!paged && performance.now() - awaySince >= patienceMs) {
        paged = await say(
          watch,
          'trigger',
          `Temporal at ${name} has not answered for ${Math.round((performance.now() - awaySince) / 1000)} s: no pipeline runs.`,
        );
        if (paged) log.warn('Temporal does not respond; a page was sent');
      }
    }
    await delay(EVERY, undefined, { signal }).catch(() => undefined);
  }
}

/** @returns whether the page was accepted; if not, it is sent again */
async function say(
  { connections, secrets, connection, name, log, signal }: TemporalWatch,
  action: Notice['action'],
  summary: string,
): Promise<boolean> {
  const page: Page = {
    summary,
    severity: 'critical',
    source: name,
    kind: 'temporal_away',
    since: new Date().toISOString(),
    details: {
      what_it_means: 'Runs are paused and continue where they were when Temporal is back. Nothing is lost.',
      what_to_do: 'Check the Temporal server and its database.',
    },
    links: [],
  };
  try {
    await notify(
      connections,
      secrets,
      { channel: 'pagerduty', connection, action, key: `sluice/temporal/${name}`, page },
      { cancelled: signal },
    );
    return true;
  } catch (error) {
    log.warn(`The page about Temporal could not be sent: ${errorText(error)}`);
    return false;
  }
}
