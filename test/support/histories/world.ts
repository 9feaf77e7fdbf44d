import { type Clock, type History, type Interval, intervalOf, type Row, type Selection, type Start, type Step, timeOf } from './history.ts';

/** A run, reduced to the data that it creates. */
export interface RunFact {
  /** The workflow id without the pipeline's name. */
  readonly name: string;
  readonly interval: Interval;
  /** Distinguishes its data from other data of its interval: a region, an event. Empty for scheduled runs. */
  readonly variant: string;
  readonly region: Selection;
  readonly state: 'success' | 'failed';
  /** The rows that its extract task read. */
  readonly data: readonly Row[];
}

/** An append recorded in the warehouse's ledger. */
interface Append {
  readonly interval: Interval;
  readonly variant: string;
}

/**
 * The content of the source and the warehouse, and all runs: computed from the history alone, without product code. Immutable: each step
 * creates new worlds.
 */
export interface World {
  readonly clock: Clock;
  readonly source: readonly Row[];
  readonly table: readonly Row[];
  readonly appends: readonly Append[];
  /** In start order; a reused id occurs twice. */
  readonly runs: readonly RunFact[];
  /** The data folders by interval and variant, oldest first: the number of later folders determines what may be deleted. */
  readonly published: readonly { readonly run: RunFact; readonly isConcurrent: boolean }[];
  readonly nextId: number;
}

export function firstWorld(history: History): World {
  const source = history.rows.map((row, id): Row => ({ ...row, id, v: 0 }));
  return { clock: history.clock, source, table: [], appends: [], runs: [], published: [], nextId: source.length };
}

/** A run that a step starts. */
export interface Wanted {
  readonly name: string;
  readonly interval: Interval;
  readonly variant: string;
  readonly region: Selection;
}

/** The run that a start requests; undefined if it was already started, or nothing can be rerun. */
export function wantedRun(world: World, start: Start, step: number): Wanted | undefined {
  const known = (name: string): boolean => world.runs.some((run) => run.name === name);
  if (start.kind === 'again') {
    const last = world.runs.findLast(({ name }) => name.startsWith('manual/'));
    return last && { name: last.name, interval: last.interval, variant: last.variant, region: last.region };
  }
  const interval = intervalOf(world.clock, start.interval);
  if (start.kind === 'tick') {
    const name = `scheduled-${isoOf(interval.end)}`;
    return known(name) ? undefined : { name, interval, variant: '', region: 'all' };
  }
  const { region } = start;
  if (start.kind === 'run') return { name: `manual/${step}`, interval, variant: region === 'all' ? '' : region, region };
  const name = `event/k${start.key}`;
  return known(name) ? undefined : { name, interval, variant: name, region };
}

/** The rows that a run's extract task reads. */
export function extract(history: History, world: World, { interval, region }: Pick<Wanted, 'interval' | 'region'>): Row[] {
  return world.source.filter(
    (row) => (region === 'all' || row.region === region) && (!history.incremental || isWithin(timeOf(row), interval)),
  );
}

/** The world after a run that extracted `data`. */
export function afterRun(history: History, world: World, wanted: Wanted, data: readonly Row[], isConcurrent = false): World {
  const loaded = load(history, world, wanted, data);
  const run: RunFact = { ...wanted, data, state: loaded ? 'success' : 'failed' };
  return { ...world, ...loaded, runs: [...world.runs, run], published: [...world.published, { run, isConcurrent }] };
}

/** The table after a load; undefined if the load is rejected. */
export function load(
  history: History,
  world: World,
  { interval, variant }: Pick<Wanted, 'interval' | 'variant'>,
  data: readonly Row[],
): Pick<World, 'table' | 'appends'> | undefined {
  const { table, appends } = world;
  const added = [...appends, { interval, variant }];
  switch (history.method) {
    case 'replace':
    case 'merge':
      // An empty extract does not replace existing rows.
      return data.length === 0 && table.length > 0 ? undefined : { table: data, appends };
    case 'upsert': {
      const ids = new Set(data.map(({ id }) => id));
      return { table: [...table.filter(({ id }) => !ids.has(id)), ...data], appends };
    }
    case 'append': {
      const overlapping = appends.filter((append) => overlap(append.interval, interval));
      const isTwice = overlapping.some((append) => append.variant === variant);
      if (!isTwice || history.onOverlap === 'append') return { table: [...table, ...data], appends: added };
      if (history.onOverlap === undefined || overlapping.some((append) => append.variant !== variant)) return undefined;
      return { table: [...table.filter((row) => !isWithin(timeOf(row), interval)), ...data], appends: added };
    }
  }
}

/** Whether the data that a run extracted is still in S3: certainly or perhaps. */
export function keepsData(world: World, run: RunFact): 'yes' | 'perhaps' {
  const same = world.published.filter(({ run: { interval, variant } }) => isSame(interval, run.interval) && variant === run.variant);
  const later = same.length - 1 - same.findLastIndex((each) => each.run.data === run.data);
  return later < (same.some(({ isConcurrent }) => isConcurrent) ? 2 : 3) ? 'yes' : 'perhaps';
}

/** The intervals that a backfill runs, in order. */
export function backfilled(world: World, { interval, count, reprocess }: Step & { readonly kind: 'backfill' }): Interval[] {
  const all = Array.from({ length: world.clock === 'days' ? 2 : 8 }, (_, number) => intervalOf(world.clock, number));
  const first = interval % all.length;
  return all.slice(first, first + count).filter((each) => {
    const ordinary = world.runs.filter(({ variant }) => variant === '');
    const covering = ordinary.filter((run) => run.interval.start <= each.start && run.interval.end >= each.end);
    const good = ordinary.filter(({ state }) => state === 'success');
    const instants = Array.from({ length: 8 }, (_, number) => intervalOf('quarters', number)).filter(({ start }) => isWithin(start, each));
    const isCovered = instants.every(({ start, end }) => good.some((run) => run.interval.start <= start && run.interval.end >= end));
    if (reprocess === 'all') return true;
    return isCovered ? false : covering.length === 0 || reprocess === 'failed';
  });
}

export function isoOf(instant: number): string {
  return new Date(instant).toISOString().replace('.000Z', 'Z');
}

function isWithin(instant: number, { start, end }: Interval): boolean {
  return instant >= start && instant < end;
}

function isSame(a: Interval, b: Interval): boolean {
  return a.start === b.start && a.end === b.end;
}

function overlap(a: Interval, b: Interval): boolean {
  return a.start < b.end && b.start < a.end;
}
