import type { Json } from '../../workflows/plan/values/json.ts';
import type { Cursor } from './run-starts.ts';
import type { Sensor, SensorIdentity } from '../define-trigger.ts';
import { stopped } from './sensor-stopped.ts';

/** A cursor that is a time: where the sensor began, and the latest of what it has seen. ISO 8601. */
export interface TimeCursor {
  readonly since: string;
  readonly latest?: string;
  readonly [name: string]: Json | undefined;
}

/**
 * From when on there may be something that was not seen, where it can become visible by `late` milliseconds after its time. ISO 8601. A cursor
 * in the future, of a source whose clock is wrong, counts as the present.
 */
export function pollFrom({ since, latest = since }: TimeCursor, late: number): string {
  return new Date(Math.max(Date.parse(since), Math.min(Date.parse(latest), Date.now()) - late)).toISOString();
}

/** Moves a sensor whose cursor begins with a time. @throws ApplicationFailure when `to` is none */
export function resetToTime(_identity: SensorIdentity, to: string): Promise<Cursor> {
  const time = to === 'earliest' ? 0 : to === 'latest' ? Date.now() : Date.parse(to);
  if (Number.isNaN(time))
    return Promise.reject(stopped(`'${to}' is not a position. Allowed: earliest, latest, or a time such as 2024-01-31T06:00:00Z.`));
  return Promise.resolve({ since: new Date(time).toISOString() });
}

/** The answer of a source that cannot be gone back in. @param why ends a sentence */
export function cannotReset(why: string): Sensor['reset'] {
  return () => Promise.reject(stopped(`This sensor cannot be reset: ${why}.`));
}
