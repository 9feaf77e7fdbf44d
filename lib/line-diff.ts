/** A line that is in both texts, or only in one of them. */
export interface DiffLine {
  readonly sign: ' ' | '-' | '+';
  readonly line: string;
}

/** Limits the work: beyond it, everything between the common start and the common end counts as changed. */
const MAX_CELLS = 4_000_000;

/** Compares two texts line by line: lines only in `before` are removed, lines only in `after` are added. */
export function diffLines(before: readonly string[], after: readonly string[]): DiffLine[] {
  let from = 0;
  while (from < Math.min(before.length, after.length) && before[from] === after[from]) from++;
  let same = 0;
  while (same < Math.min(before.length, after.length) - from && before.at(-1 - same) === after.at(-1 - same)) same++;
  const [old, now] = [before.slice(from, before.length - same), after.slice(from, after.length - same)];
  return [
    ...before.slice(0, from).map((line): DiffLine => ({ sign: ' ', line })),
    ...(old.length * now.length > MAX_CELLS ? replaced(old, now) : longestCommon(old, now)),
    ...before.slice(before.length - same).map((line): DiffLine => ({ sign: ' ', line })),
  ];
}

function replaced(old: readonly string[], now: readonly string[]): DiffLine[] {
  return [...old.map((line): DiffLine => ({ sign: '-', line })), ...now.map((line): DiffLine => ({ sign: '+', line }))];
}

function longestCommon(old: readonly string[], now: readonly string[]): DiffLine[] {
  const width = now.length + 1;
  /** Number of common lines in the rests of both texts, from line i of one and line j of the other. */
  const common = new Uint32Array((old.length + 1) * width);
  const at = (i: number, j: number): number => common[i * width + j] ?? 0;
  for (let i = old.length - 1; i >= 0; i--)
    for (let j = now.length - 1; j >= 0; j--)
      common[i * width + j] = old[i] === now[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
  const lines: DiffLine[] = [];
  let [i, j] = [0, 0];
  while (i < old.length || j < now.length) {
    if (i < old.length && j < now.length && old[i] === now[j]) {
      lines.push({ sign: ' ', line: old[i] ?? '' });
      [i, j] = [i + 1, j + 1];
    } else if (i < old.length && (j === now.length || at(i + 1, j) >= at(i, j + 1))) lines.push({ sign: '-', line: old[i++] ?? '' });
    else lines.push({ sign: '+', line: now[j++] ?? '' });
  }
  return lines;
}
