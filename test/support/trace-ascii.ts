/** The sides to which each glyph connects. A crossing is drawn as the vertical line: a horizontal line continues straight. */
const SIDES: Readonly<Record<string, string>> = {
  '│': 'ud',
  '─': 'lr',
  '┘': 'ul',
  '┐': 'dl',
  '┤': 'udl',
  '└': 'ur',
  '┌': 'dr',
  '├': 'udr',
  '┴': 'ulr',
  '┬': 'dlr',
  '┼': 'udlr',
};
const STEPS = { d: [0, 1], l: [-1, 0], r: [1, 0] } as const;
type Side = keyof typeof STEPS;
const OPPOSITE = { d: 'u', l: 'r', r: 'l' } as const;

interface Box {
  readonly label: string;
  readonly left: number;
  readonly right: number;
  readonly top: number;
}

/** The boxes in a picture, each with one line of text. */
export function boxesIn(picture: string): Box[] {
  const rows = picture.split('\n');
  return rows.flatMap((row, top) =>
    [...row.matchAll(/┌─+┐/g)].flatMap(({ index: left, 0: edge }) => {
      const right = left + edge.length - 1;
      const middle = rows[top + 1]?.slice(left, right + 1) ?? '';
      const bottom = rows[top + 2]?.slice(left, right + 1) ?? '';
      return /^│ .*│$/.test(middle) && /^└[─┬]+┘$/.test(bottom) ? { label: middle.slice(1, -1).trim(), left, right, top } : [];
    }),
  );
}

/** Reads a picture like a person: follows the lines from every box down to other boxes. Returns `from→to`, sorted. */
export function traceAscii(picture: string): string[] {
  const rows = picture.split('\n');
  const boxes = boxesIn(picture);
  const traced = boxes.flatMap(({ label, left, right, top }) => {
    const bottom = rows[top + 2]?.slice(left, right + 1) ?? '';
    return [...bottom.matchAll(/┬/g)].flatMap(({ index }) =>
      arrowsFrom(rows, left + index, top + 3).map((arrow) => {
        const target = boxes.find((box) => box.top === arrow.y + 1 && box.left < arrow.x && arrow.x < box.right);
        return `${label}→${target?.label}`;
      }),
    );
  });
  return traced.sort();
}

function arrowsFrom(rows: readonly string[], startX: number, startY: number): { x: number; y: number }[] {
  const arrows: { x: number; y: number }[] = [];
  const open: { x: number; y: number; going: Side }[] = [{ x: startX, y: startY, going: 'd' }];
  const seen = new Set<string>();
  for (let now = open.pop(); now; now = open.pop()) {
    const { x, y, going } = now;
    const glyph = rows[y]?.[x] ?? ' ';
    if (seen.has(`${x},${y},${going}`)) continue;
    seen.add(`${x},${y},${going}`);
    if (glyph === '▼') arrows.push({ x, y });
    const sides = SIDES[glyph] ?? '';
    const onwards = sides.includes(OPPOSITE[going]) ? sides : glyph === '│' ? going : '';
    for (const side of ['d', 'l', 'r'] as const) {
      if (onwards.includes(side) && side !== OPPOSITE[going]) open.push({ x: x + STEPS[side][0], y: y + STEPS[side][1], going: side });
    }
  }
  return arrows;
}
