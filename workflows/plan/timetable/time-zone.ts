/** Wall times of an IANA zone. A wall time is represented by the milliseconds that it would be in UTC. */

const formats = new Map<string, Intl.DateTimeFormat>();

/** Whether the runtime's time zone database knows `zone`. */
export function isTimeZone(zone: string): boolean {
  try {
    return Boolean(new Intl.DateTimeFormat('en-US', { timeZone: zone }));
  } catch {
    return false;
  }
}

/** The wall time in `zone` at the instant `utc` (both milliseconds). */
export function wallTime(utc: number, zone: string): number {
  return zone === 'UTC' ? utc : utc + offsetAt(utc, zone);
}

/** Formats a wall time: `2024-03-31 06:00 Europe/Berlin`. */
export function formatWallTime(utc: number, zone: string): string {
  return `${new Date(wallTime(utc, zone)).toISOString().slice(0, 16).replace('T', ' ')} ${zone}`;
}

/**
 * The instants at which the wall time in `zone` is `wall`, in order: none if clocks skip it when they move forward, two if it occurs twice
 * when they move back.
 */
export function instantsOf(wall: number, zone: string): number[] {
  if (zone === 'UTC') return [wall];
  const before = offsetAt(wall - DAY, zone);
  const after = offsetAt(wall + DAY, zone);
  const instants = before === after ? [wall - before] : [wall - before, wall - after].sort((a, b) => a - b);
  return instants.filter((instant) => wallTime(instant, zone) === wall);
}

/** For a wall time that clocks in `zone` skip: the instant when it would have occurred. 02:30 of such a day becomes 03:30. */
export function shiftedInstant(wall: number, zone: string): number {
  return wall - offsetAt(wall - DAY, zone);
}

/** The UTC offset of `zone` on a day (given as its midnight) and around it; undefined when it changes. */
export function steadyOffset(day: number, zone: string): number | undefined {
  if (zone === 'UTC') return 0;
  const offset = offsetAt(day - DAY, zone);
  return offset === offsetAt(day + 2 * DAY, zone) ? offset : undefined;
}

/** The instants in `(from, to]` at which the UTC offset of `zone` changes. */
export function clockChanges(zone: string, from: number, to: number): number[] {
  const changes: number[] = [];
  for (let start = from; start < to; start += DAY) {
    const end = Math.min(start + DAY, to);
    if (zone === 'UTC' || offsetAt(start, zone) === offsetAt(end, zone)) continue;
    let [low, high] = [start, end];
    while (high - low > 1000) {
      const middle = Math.floor((low + high) / 2);
      if (offsetAt(middle, zone) === offsetAt(start, zone)) low = middle;
      else high = middle;
    }
    changes.push(Math.round(high / QUARTER) * QUARTER);
  }
  return changes;
}

const DAY = 86_400_000;
/** Since 1972, offsets change only at full quarter hours in UTC. Between those, one lookup is enough. */
const QUARTER = 900_000;
const MAX_REMEMBERED = 50_000;
const offsets = new Map<string, Map<number, number>>();

/** The UTC offset of `zone`. A lookup takes a thousand times as long as reading the cache. */
function offsetAt(instant: number, zone: string): number {
  let known = offsets.get(zone);
  if (!known) offsets.set(zone, (known = new Map<number, number>()));
  const quarter = Math.floor(instant / QUARTER) * QUARTER;
  let offset = known.get(quarter);
  if (offset === undefined) {
    if (known.size >= MAX_REMEMBERED) known.clear();
    known.set(quarter, (offset = shown(quarter, zone) - quarter));
  }
  return offset;
}

function shown(instant: number, zone: string): number {
  let format = formats.get(zone);
  if (!format) {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
    formats.set(zone, format);
  }
  const part: Record<string, number> = {};
  for (const { type, value } of format.formatToParts(instant)) part[type] = Number(value);
  return Date.UTC(part.year ?? 0, (part.month ?? 1) - 1, part.day, part.hour, part.minute, part.second);
}
