import type { Json } from '../../workflows/plan/values/json.ts';
import type { Cursor } from './run-starts.ts';
import type { Sensor, SensorIdentity } from '../define-trigger.ts';
import { stopped } from './sensor-stopped.ts';

/** A time-based cursor: when the sensor started, and the latest time seen. ISO 8601. */
export interface TimeCursor {
  readonly since: string;
  readonly latest?: string;
  readonly [name: string]: Json | undefined;
}

/**
 * The time from which unseen items may exist, if an item can become visible up to `late` milliseconds after its time. ISO 8601. A cursor in
 * the future, from a source with a wrong clock, counts as now.
 */
export function pollFrom({ since, latest = since }: TimeCursor, late: number): string {
  return new Date(Math.max(Date.parse(since), Math.min(Date.parse(latest), Date.now()) - late)).toISOString();
}

/** Resets a sensor with a time-based cursor. @throws ApplicationFailure when `to` is not a time */
export function resetToTime(_identity: SensorIdentity, to: string): Promise<Cursor> {
  const time = to === 'earliest' ? 0 : to === 'latest' ? Date.now() : Date.parse(to);
  if (Number.isNaN(time))
    return Promise.reject(stopped(`'${to}' is not a position. Allowed: earliest, latest, or a time such as 2024-01-31T06:00:00Z.`));
  return Promise.resolve({ since: new Date(time).toISOString() });
}

/** The reset function of a source that cannot be rewound. @param why ends a sentence */
export function cannotReset(why: string): Sensor['reset'] {
  return () => Promise.reject(stopped(`This sensor cannot be reset: ${why}.`));
}
