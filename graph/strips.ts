/** An element that occupies the same columns in each layer from `first` to `last`. */
export interface Strip {
  readonly first: number;
  readonly last: number;
  width: number;
  left: number;
  /** Its neighbours to the left and right, across all its layers. */
  before: Strip[];
  after: Strip[];
}

/** Places strips in order, each as far left as possible, and sets their neighbours. @returns the total width */
export function pack(strips: readonly Strip[], gap: number): number {
  const rightmost: Strip[] = [];
  let width = 0;
  for (const strip of strips) {
    strip.before = [];
    strip.after = [];
    for (let layer = strip.first; layer <= strip.last; layer++) {
      const neighbour = rightmost[layer];
      rightmost[layer] = strip;
      if (!neighbour || strip.before.at(-1) === neighbour) continue;
      strip.before.push(neighbour);
      neighbour.after.push(strip);
    }
    strip.left = 0;
    for (const { left, width: taken } of strip.before) strip.left = Math.max(strip.left, left + taken + gap);
    width = Math.max(width, strip.left + strip.width);
  }
  return width;
}

/** Moves a packed strip by `by` columns, or as far as its neighbours, `min` and `max` allow. */
export function slide(strip: Strip, by: number, gap: number, min: number, max: number): void {
  let lowest = min;
  for (const { left, width } of strip.before) lowest = Math.max(lowest, left + width + gap);
  let highest = max;
  for (const { left } of strip.after) highest = Math.min(highest, left - gap);
  strip.left = Math.min(Math.max(Math.round(strip.left + by), lowest), highest - strip.width);
}
