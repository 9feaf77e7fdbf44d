import { parseDuration } from '../values/duration.ts';
import { type DataInterval, iso } from './schedule.ts';
import { instantsOf, shiftedInstant, wallTime } from './time-zone.ts';

const DAY = 86_400_000;

/**
 * Shifts an interval back by `offset`. Whole days use wall time, so that the time of day stays the same across clock changes.
 * @param offset `1d`, `2h30m`; a minus shifts it forward
 */
export function intervalOffset({ start, end }: DataInterval, offset: string, zone: string): DataInterval {
  const sign = offset.startsWith('-') ? -1 : 1;
  const ms = parseDuration(offset.replace(/^-/, '')) ?? 0;
  const earlier = (time: string): string => {
    const wall = wallTime(Date.parse(time), zone) - sign * Math.floor(ms / DAY) * DAY;
    const day = ms < DAY ? Date.parse(time) : (instantsOf(wall, zone)[0] ?? shiftedInstant(wall, zone));
    return iso(day - sign * (ms % DAY));
  };
  return { start: earlier(start), end: earlier(end) };
}
