import { parseDuration } from '../values/duration.ts';
import { type DataInterval, iso } from './schedule.ts';
import { instantsOf, shiftedInstant, wallTime } from './time-zone.ts';

const DAY = 86_400_000;

/**
 * The times so much before an interval: whole days by the clocks of a zone, so that they stay the same time of day when clocks are changed.
 * @param offset `1d`, `2h30m`; with a minus so much after it
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
