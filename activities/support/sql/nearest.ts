import { distance } from 'fastest-levenshtein';

/** The candidates that `wanted` may have been meant to be, the nearest first; at most three. */
export function nearest(wanted: string, candidates: readonly string[]): string[] {
  const near = Math.max(2, Math.floor(wanted.length / 3));
  const lower = wanted.toLowerCase();
  return [...new Set(candidates)]
    .map((name) => ({ name, far: distance(lower, name.toLowerCase()) }))
    .filter(({ far }) => far <= near)
    .sort((one, other) => one.far - other.far || (one.name < other.name ? -1 : 1))
    .slice(0, 3)
    .map(({ name }) => name);
}

/** ` Did you mean 'a' or 'b'?`, with the space before it; nothing when no candidate is near. */
export function didYouMean(wanted: string, candidates: readonly string[]): string {
  const names = nearest(wanted, candidates).map((name) => `'${name}'`);
  return names.length === 0 ? '' : ` Did you mean ${names.join(' or ')}?`;
}

/** Names for a message, cut where a list would no longer be read: `a, b, c and 40 more`. */
export function listNames(names: readonly string[], most = 30): string {
  if (names.length === 0) return '(none)';
  return names.slice(0, most).join(', ') + (names.length > most ? ` and ${names.length - most} more` : '');
}
