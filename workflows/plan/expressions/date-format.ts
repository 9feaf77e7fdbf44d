/** Patterns of `date(x, "yyyy-MM")`: the letters that Java and Unicode use, in English. */

const MONTHS = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December'];
const WEEKDAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const DAY_MS = 86_400_000;

const pad = (value: number, length = 2): string => String(value).padStart(length, '0');

/** How each group of letters is formatted. `wall`: wall time, as a time in UTC; `offset`: minutes ahead of UTC. */
const LETTERS: Readonly<Record<string, (wall: Date, offset: number) => string>> = {
  yyyy: (wall) => pad(wall.getUTCFullYear(), 4),
  yy: (wall) => pad(wall.getUTCFullYear() % 100),
  Q: (wall) => String(Math.floor(wall.getUTCMonth() / 3) + 1),
  MMMM: (wall) => MONTHS[wall.getUTCMonth()] ?? '',
  MMM: (wall) => (MONTHS[wall.getUTCMonth()] ?? '').slice(0, 3),
  MM: (wall) => pad(wall.getUTCMonth() + 1),
  M: (wall) => String(wall.getUTCMonth() + 1),
  YYYY: (wall) => pad(thursdayOf(wall).getUTCFullYear(), 4),
  ww: (wall) => pad(Math.ceil(dayOfYear(thursdayOf(wall)) / 7)),
  DDD: (wall) => pad(dayOfYear(wall), 3),
  dd: (wall) => pad(wall.getUTCDate()),
  d: (wall) => String(wall.getUTCDate()),
  EEEE: (wall) => WEEKDAYS[wall.getUTCDay()] ?? '',
  EEE: (wall) => (WEEKDAYS[wall.getUTCDay()] ?? '').slice(0, 3),
  HH: (wall) => pad(wall.getUTCHours()),
  H: (wall) => String(wall.getUTCHours()),
  mm: (wall) => pad(wall.getUTCMinutes()),
  ss: (wall) => pad(wall.getUTCSeconds()),
  SSS: (wall) => pad(wall.getUTCMilliseconds(), 3),
  XXX: (_, offset) => `${offset < 0 ? '-' : '+'}${pad(Math.floor(Math.abs(offset) / 60))}:${pad(Math.floor(Math.abs(offset) % 60))}`,
};

/** The groups of letters that a pattern may contain. */
export const FORMAT_LETTERS: readonly string[] = Object.keys(LETTERS);

/** Python's directives and their equivalents here. */
const DIRECTIVES: Readonly<Record<string, string>> = {
  Y: 'yyyy',
  y: 'yy',
  m: 'MM',
  d: 'dd',
  H: 'HH',
  M: 'mm',
  S: 'ss',
  j: 'DDD',
  b: 'MMM',
  B: 'MMMM',
  a: 'EEE',
  A: 'EEEE',
  F: 'yyyy-MM-dd',
  T: 'HH:mm:ss',
};

const PART = /'((?:[^']|'')*)'|([A-Za-z])\2*|[^A-Za-z']+|'/g;

/** Replaces commonly confused letters in a pattern by those most likely meant. */
function repaired(pattern: string): string {
  const years = pattern.replace('YYYY', 'yyyy').replace('DD', 'dd');
  const clocks = years.replace(MONTH_AFTER_HOUR, (_, hour: string) => `${hour}mm`);
  return clocks.replace(new RegExp(MINUTES_ALONE, 'g'), 'MM');
}

/** Months right after hours, where minutes are meant: `HH:MM`, `HHMM`. */
const MONTH_AFTER_HOUR = /(H[^A-Za-z]?)MM/g;
/** Minutes that no hour precedes and no seconds follow, where months are meant. */
const MINUTES_ALONE = /(?<!H[^A-Za-z]?(?:'[^']*')?)mm(?!(?:'[^']*'|[^A-Za-z])*ss)/;

/** What is wrong with a pattern, with a suggestion; undefined when it is valid. */
export function formatMistake(pattern: string): { readonly message: string; readonly hint: string } | undefined {
  if (/%[A-Za-z]/.test(pattern)) {
    const meant = pattern.replace(/%([A-Za-z])/g, (directive, letter: string) => DIRECTIVES[letter] ?? directive);
    return {
      message: `'${pattern}' has Python's directives, which are not the letters of a date pattern.`,
      hint: meant.includes('%') ? `allowed: ${FORMAT_LETTERS.join(', ')}` : `write "${meant}"`,
    };
  }
  const groups = [...pattern.matchAll(PART)].map(([text]) => text).filter((text) => /^[A-Za-z]/.test(text));
  if (pattern.replace(PART, (text) => (text === "'" ? '\0' : '')).includes('\0')) {
    return { message: `'${pattern}' has a quote that is never closed.`, hint: "plain words stand between quotes: yyyy-MM-dd'T'HH" };
  }
  if (groups.includes('YYYY') && !groups.includes('ww')) {
    return {
      message: `'YYYY' in '${pattern}' is the year of an ISO week: around New Year it is another year than the day's.`,
      hint: `write "${repaired(pattern)}"`,
    };
  }
  if (groups.includes('mm') && MINUTES_ALONE.test(pattern)) {
    return { message: `'mm' in '${pattern}' means minutes; months are MM.`, hint: `write "${repaired(pattern)}"` };
  }
  if (pattern.search(MONTH_AFTER_HOUR) >= 0) {
    return { message: `'MM' in '${pattern}' means months; minutes are mm.`, hint: `write "${repaired(pattern)}"` };
  }
  const unknown = groups.find((group) => !Object.hasOwn(LETTERS, group));
  if (unknown === undefined) return undefined;
  const meant: Readonly<Record<string, string>> = {
    DD: 'dd',
    D: 'd',
    DDDD: 'EEEE',
    YY: 'yy',
    hh: 'HH',
    h: 'H',
    m: 'mm',
    s: 'ss',
    Z: 'XXX',
    T: "'T'",
    E: 'EEE',
  };
  const instead = meant[unknown];
  return {
    message: `'${unknown}' in '${pattern}' is not part of a date pattern.`,
    hint: instead === undefined ? `allowed: ${FORMAT_LETTERS.join(', ')}; put other text in quotes` : `write ${instead}`,
  };
}

/**
 * Formats a time with a pattern.
 * @param wall the wall time, as milliseconds in UTC
 * @param offset minutes ahead of UTC
 * @throws RangeError for an invalid pattern
 */
export function formatWall(wall: number, offset: number, pattern: string): string {
  const mistake = formatMistake(pattern);
  if (mistake) throw new RangeError(`${mistake.message} ${mistake.hint}`);
  const date = new Date(wall);
  return pattern.replace(PART, (text, quoted: string | undefined) =>
    quoted === undefined ? (LETTERS[text]?.(date, offset) ?? text) : quoted === '' ? "'" : quoted.replaceAll("''", "'"),
  );
}

function dayOfYear(date: Date): number {
  return Math.floor((date.getTime() - Date.UTC(date.getUTCFullYear(), 0, 1)) / DAY_MS) + 1;
}

/** The Thursday of the ISO week: its year is the week's year. */
function thursdayOf(date: Date): Date {
  return new Date(date.getTime() + (4 - (date.getUTCDay() || 7)) * DAY_MS);
}
