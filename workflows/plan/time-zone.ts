/** Wall-clock times of an IANA zone. A wall time is given as the milliseconds that it would be in UTC. */

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
  if (zone === 'UTC') return utc;
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
  for (const { type, value } of format.formatToParts(utc)) part[type] = Number(value);
  return Date.UTC(part.year ?? 0, (part.month ?? 1) - 1, part.day, part.hour, part.minute, part.second);
}

/**
 * The instant at which clocks in `zone` show `wall`; undefined where they jump over it. Shown twice, it is the later one: so Temporal's
 * Schedules fire (seen on server 1.29.1).
 */
export function instantOf(wall: number, zone: string): number | undefined {
  if (zone === 'UTC') return wall;
  const day = 86_400_000;
  const offsets = [wall - day, wall + day].map((instant) => wallTime(instant, zone) - instant);
  const instants = offsets.map((offset) => wall - offset).filter((instant) => wallTime(instant, zone) === wall);
  return instants.length > 0 ? Math.max(...instants) : undefined;
}
