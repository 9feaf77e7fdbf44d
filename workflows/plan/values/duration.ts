const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };
const SHORT = /^(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+)s)?(?:(\d+)ms)?$/;
const ISO = /^P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$/;

/** Valid durations, for messages. */
export const DURATION_HELP = 'a duration such as 30s, 15m, 1h30m, 7d or PT15M';

/** The longest duration. Temporal refuses durations that its protocol cannot hold; ten years exceeds every use. */
const LONGEST = 3650 * 86_400_000;

/** Milliseconds of `text` (`15m`, `1h30m`, ISO 8601's `PT15M`), or undefined when it is not a duration of at most ten years. */
export function parseDuration(text: string): number | undefined {
  const match = SHORT.exec(text) ?? ISO.exec(text);
  const parts = match?.slice(1) ?? [];
  if (!parts.some((part) => part !== undefined)) return undefined;
  const units = ['w', 'd', 'h', 'm', 's', 'ms'];
  const total = parts.reduce((sum, part, index) => sum + Number(part ?? 0) * (UNITS[units[index] ?? ''] ?? 0), 0);
  return total <= LONGEST ? total : undefined;
}

/** `ms` as people write it: `1h 30m`, `4.2s`, `350ms`. At most two units. */
export function formatDuration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)}ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0).replace(/\.0$/, '')}s`;
  const parts: string[] = [];
  let rest = Math.round(ms / 1000) * 1000;
  for (const unit of ['d', 'h', 'm', 's']) {
    const size = UNITS[unit] ?? 1;
    const amount = Math.floor(rest / size);
    rest -= amount * size;
    if (amount > 0) parts.push(`${amount}${unit}`);
  }
  return parts.slice(0, 2).join(' ');
}
