import type { Cell } from './bundle-edges.ts';
import { countCrossings, type Segment } from './count-crossings.ts';
import { pack, slide, type Strip } from './strips.ts';

export interface Spacing {
  readonly width: (cell: Cell) => number;
  /** Between neighbours in a layer. */
  readonly columnGap: number;
  /** Between a group's edge and its cells. */
  readonly groupPadding: number;
}

export interface Columns {
  /** The left edge of each cell. */
  readonly left: ReadonlyMap<Cell, number>;
  /** In all layers from `first` to `last`, no other cell uses a group's columns. */
  readonly groups: readonly (Pick<Strip, 'first' | 'last' | 'left' | 'width'> & { readonly name: string })[];
  readonly width: number;
}

/** A cell within its block; `left` counts from the block's inner edge. */
interface Member extends Strip {
  readonly cell: Cell;
  readonly block: Block;
  readonly above: Member[];
  readonly below: Member[];
  readonly around: Member[];
}

/** A group with all its cells, or a single cell without a group. */
interface Block extends Strip {
  readonly group: string | undefined;
  readonly padding: number;
  members: Member[];
}

/** Which neighbours pull a member towards them. */
type Pull = 'above' | 'below' | 'around';

const ORDER_SWEEPS = 24;
/** Stop searching for an order after this many sweeps without an improvement. */
const PATIENCE = 8;
/** Limits cells and lines visited over all sweeps, so very large graphs get fewer sweeps. */
const ORDER_WORK = 200_000;
const SETTLE_SWEEPS = 6;

/** Assigns columns to all cells: first finds an order with few crossings, then aligns cells with their neighbours as that order allows. */
export function arrange(cells: readonly Cell[], spacing: Spacing): Columns {
  const blocks = findOrder(blocksOf(cells, spacing), spacing);
  place(blocks, spacing);
  for (let sweep = 0; sweep < SETTLE_SWEEPS; sweep++) {
    settle(
      sortedBy(blocks, ({ first }) => first),
      'above',
      spacing,
    );
    settle(
      sortedBy(blocks, ({ last }) => -last),
      'below',
      spacing,
    );
  }
  for (let sweep = 0; sweep < SETTLE_SWEEPS; sweep++) settle(blocks, 'around', spacing);

  const margin = blocks.reduce((least, { left }) => Math.min(least, left), Infinity);
  return {
    left: new Map(blocks.flatMap(({ members }) => members.map((member) => [member.cell, leftOf(member) - margin]))),
    groups: blocks.flatMap(({ group: name, first, last, left, width }) =>
      name === undefined ? [] : { name, first, last, left: left - margin, width },
    ),
    width: blocks.reduce((right, { left, width }) => Math.max(right, left + width - margin), 0),
  };
}

function blocksOf(cells: readonly Cell[], { width, groupPadding }: Spacing): Block[] {
  const inside = new Map<string | Cell, Cell[]>();
  for (const cell of cells) {
    const key = cell.group ?? cell;
    const group = inside.get(key);
    if (group) group.push(cell);
    else inside.set(key, [cell]);
  }
  const memberOf = new Map<Cell, Member>();
  const blocks = [...inside.values()].map((all): Block => {
    const group = all[0]?.group;
    const first = all.reduce((least, cell) => Math.min(least, cell.first), Infinity);
    const last = all.reduce((most, cell) => Math.max(most, cell.last), 0);
    const padding = group === undefined ? 0 : groupPadding;
    const block: Block = { first, last, width: 0, left: 0, before: [], after: [], group, padding, members: [] };
    block.members = all.map((cell) => {
      const strip: Strip = { first: cell.first, last: cell.last, width: width(cell), left: 0, before: [], after: [] };
      return { ...strip, cell, block, above: [], below: [], around: [] };
    });
    for (const member of block.members) memberOf.set(member.cell, member);
    return block;
  });
  for (const [cell, { above, below, around }] of memberOf) {
    above.push(...cell.above.flatMap((each) => memberOf.get(each) ?? []));
    below.push(...cell.below.flatMap((each) => memberOf.get(each) ?? []));
    around.push(...above, ...below);
  }
  return blocks;
}

/** Repeatedly moves every cell towards its neighbours, and returns the best order found. */
function findOrder(start: Block[], spacing: Spacing): Block[] {
  const members = start.flatMap((block) => block.members);
  const size = members.reduce((sum, { first, last, below }) => sum + last - first + 1 + below.length, 1);
  const sweeps = Math.min(ORDER_SWEEPS, Math.ceil(ORDER_WORK / size));
  const pulls = ['around', 'above', 'around', 'below'] as const;
  let blocks = start;
  let best = { sweep: 0, crossings: Infinity, length: Infinity, order: start.map((block) => [block, block.members] as const) };
  for (let sweep = 0; sweep < sweeps && sweep <= best.sweep + PATIENCE; sweep++) {
    place(blocks, spacing);
    settle(blocks, 'around', spacing);
    const { crossings, length } = measureLines(members);
    if (crossings < best.crossings || (crossings === best.crossings && length < best.length)) {
      best = { sweep, crossings, length, order: blocks.map((block) => [block, block.members] as const) };
    }
    const ideal = new Map(members.map((member) => [member, centreOf(member) + pullOn(member, pulls[sweep % pulls.length] ?? 'around')]));
    const want = (member: Member) => ideal.get(member) ?? 0;
    for (const block of blocks) block.members = sortedBy(block.members, want);
    blocks = sortedBy(blocks, (block) => block.members.reduce((sum, member) => sum + want(member), 0) / block.members.length);
  }
  return best.order.map(([block, inside]) => {
    block.members = inside;
    return block;
  });
}

/** Measures the lines of the current placement. Lanes count as lines in the layers they pass. */
function measureLines(members: readonly Member[]): { crossings: number; length: number } {
  const segments: Segment[][] = [];
  let length = 0;
  for (const member of members) {
    const from = centreOf(member);
    for (let layer = member.first; layer < member.last; layer++) (segments[layer] ??= []).push([from, from]);
    for (const target of member.below) {
      const to = centreOf(target);
      (segments[target.first - 1] ??= []).push([from, to]);
      length += Math.abs(from - to);
    }
  }
  return { crossings: segments.reduce((sum, each) => sum + countCrossings(each), 0), length };
}

/** Places all blocks as far left as their order allows. */
function place(blocks: readonly Block[], { columnGap }: Spacing): void {
  for (const block of blocks) block.width = pack(block.members, columnGap) + 2 * block.padding;
  pack(blocks, columnGap);
}

/** Moves members towards their pull, from right to left and back, so that neighbours make room. */
function settle(blocks: readonly Block[], pull: Pull, { columnGap }: Spacing): void {
  for (const order of [blocks.toReversed(), blocks]) {
    for (const block of order) {
      let sum = 0;
      for (const member of block.members) sum += pullOn(member, pull);
      slide(block, sum / block.members.length, columnGap, -Infinity, Infinity);
      if (block.group === undefined) continue;
      for (const member of block.members) slide(member, pullOn(member, pull), columnGap, 0, block.width - 2 * block.padding);
    }
  }
}

/** The distance between a member and the middle of the neighbours that pull it. */
function pullOn(member: Member, pull: Pull): number {
  const near = member[pull];
  let sum = 0;
  for (const each of near) sum += centreOf(each);
  return near.length === 0 ? 0 : sum / near.length - centreOf(member);
}

const leftOf = ({ block, left }: Member) => block.left + block.padding + left;
const centreOf = (member: Member) => leftOf(member) + Math.floor(member.width / 2);

function sortedBy<T>(values: readonly T[], key: (value: T) => number): T[] {
  return values
    .map((value) => ({ value, key: key(value) }))
    .sort((a, b) => a.key - b.key)
    .map(({ value }) => value);
}
