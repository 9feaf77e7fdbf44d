/** Python's directives, with the letters of our date patterns. */
const DIRECTIVES: Readonly<Record<string, string>> = {
  Y: 'yyyy',
  y: 'yy',
  m: 'MM',
  '-m': 'M',
  d: 'dd',
  '-d': 'd',
  H: 'HH',
  '-H': 'H',
  M: 'mm',
  S: 'ss',
  f: "SSS'000'",
  j: 'DDD',
  b: 'MMM',
  h: 'MMM',
  B: 'MMMM',
  a: 'EEE',
  A: 'EEEE',
  F: 'yyyy-MM-dd',
  T: 'HH:mm:ss',
  R: 'HH:mm',
  D: 'MM/dd/yy',
  G: 'YYYY',
  V: 'ww',
};

/** Pendulum's tokens, with ours; the longest first. */
const TOKENS: readonly (readonly [string, string])[] = [
  ['YYYY', 'yyyy'],
  ['YY', 'yy'],
  ['MMMM', 'MMMM'],
  ['MMM', 'MMM'],
  ['MM', 'MM'],
  ['M', 'M'],
  ['DDDD', 'DDD'],
  ['DD', 'dd'],
  ['D', 'd'],
  ['dddd', 'EEEE'],
  ['ddd', 'EEE'],
  ['HH', 'HH'],
  ['H', 'H'],
  ['mm', 'mm'],
  ['ss', 'ss'],
  ['SSS', 'SSS'],
  ['Q', 'Q'],
  ['Z', 'XXX'],
];

/** Converts a Python `strftime` format to a date pattern; undefined if part of it has no equivalent. */
export function fromDirectives(format: string): string | undefined {
  const parts = format.match(/%-?[A-Za-z]|%%|[^%]+|%/g) ?? [];
  return joined(parts.map((part) => (part === '%%' ? literal('%') : part.startsWith('%') ? DIRECTIVES[part.slice(1)] : literal(part))));
}

/** Converts a Pendulum format to a date pattern; undefined if part of it has no equivalent. */
export function fromTokens(format: string): string | undefined {
  const parts: (string | undefined)[] = [];
  for (let rest = format; rest !== '';) {
    const quoted = /^\[([^\]]*)\]/.exec(rest);
    const token = quoted ? undefined : TOKENS.find(([theirs]) => rest.startsWith(theirs));
    const length = quoted?.[0].length ?? token?.[0].length ?? 1;
    const first = rest.charAt(0);
    parts.push(quoted ? literal(quoted[1] ?? '') : (token?.[1] ?? (/[A-Za-z]/.test(first) && first !== 'T' ? undefined : literal(first))));
    rest = rest.slice(length);
  }
  return joined(parts);
}

/** Whether a pattern includes a time of day. */
export function hasClock(pattern: string): boolean {
  return /[HmsSX]/.test(pattern.replace(/'[^']*'/g, ''));
}

function literal(text: string): string {
  return text.replace(/[A-Za-z']+/g, (letters) => `'${letters.replace(/'/g, "''")}'`);
}

function joined(parts: readonly (string | undefined)[]): string | undefined {
  return parts.includes(undefined) ? undefined : parts.join('').replace(/(?<=[^'])''(?=[^'])/g, '');
}
