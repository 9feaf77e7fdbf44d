import { distance } from 'fastest-levenshtein';

/**
 * The names most similar to `given`, nearest first; equally near names keep their order.
 * @param most maximum number of names
 */
export function nearest(given: string, names: Iterable<string>, most = 3): string[] {
  return [...new Set(names)]
    .map((name) => ({ name, far: farness(given.toLowerCase(), name.toLowerCase()) }))
    .filter(({ far }) => far < Infinity)
    .sort((a, b) => a.far - b.far)
    .slice(0, most)
    .map(({ name }) => name);
}

/** The edit distance of two names; Infinity if neither is a likely misspelling of the other. */
function farness(given: string, name: string): number {
  const [one, other] = differingWords(given, name);
  // In a short word everything is near everything: `step` is not `http`.
  const farthest = one.length <= 4 ? Math.min(one.length - 1, 1) : Math.ceil(Math.min(one.length, 18) / 3);
  const between = areSwapped(one, other) ? 1 : distance(one, other);
  return between <= farthest ? between : Infinity;
}

/** Whether two words differ by one swap of neighbouring letters: `elt` and `etl`. */
function areSwapped(one: string, other: string): boolean {
  const at = [...one].findIndex((_, index) => one[index] !== other[index]);
  return at >= 0 && other === `${one.slice(0, at)}${one[at + 1] ?? ''}${one[at] ?? ''}${one.slice(at + 2)}`;
}

/** Removes the common words at the start and end of two names: `spark_default` is not near to `mlflow_default`. */
function differingWords(one: string, other: string): [string, string] {
  const [ones, others] = [one.split(WORD_ENDS), other.split(WORD_ENDS)];
  const shared = (at: (words: readonly string[], index: number) => string | undefined): number => {
    let count = 0;
    while (count < Math.min(ones.length, others.length) - 1 && at(ones, count) === at(others, count)) count++;
    return count;
  };
  const first = shared((words, index) => words[index]);
  const last = Math.min(
    shared((words, index) => words.at(-1 - index)),
    Math.min(ones.length, others.length) - 1 - first,
  );
  const rest = (words: readonly string[]): string => words.slice(first, words.length - last).join('');
  return [rest(ones), rest(others)];
}

const WORD_ENDS = /(?<=[_\-./])/;

/** ` Did you mean 'a' or 'b'?`, with a leading space; empty when no name is near. */
export function didYouMean(given: string, names: readonly string[]): string {
  const near = nearest(given, names).map((name) => `'${name}'`);
  return near.length === 0 ? '' : ` Did you mean ${near.join(' or ')}?`;
}

/** Names for a message, cut off when the list gets too long: `a, b, c and 40 more`. */
export function listNames(names: readonly string[], most = 30): string {
  if (names.length === 0) return '(none)';
  return names.slice(0, most).join(', ') + (names.length > most ? ` and ${names.length - most} more` : '');
}
