import { type Clock, type History, type Interval, intervalOf, type Row, type Selection, type Start, type Step, timeOf } from './history.ts';

/** A run, as far as the data that it makes is concerned. */
export interface RunFact {
  /** The workflow id without the pipeline's name. */
  readonly name: string;
  readonly interval: Interval;
  /** What tells its data from other data of its interval: a region, an event. Empty for what the clock makes. */
  readonly variant: string;
  readonly region: Selection;
  readonly state: 'success' | 'failed';
  /** What its extract has read. */
  readonly data: readonly Row[];
}

/** An append that the ledger of the warehouse knows. */
interface Append {
  readonly interval: Interval;
  readonly variant: string;
}

/**
 * What the source and the warehouse hold, and which runs there were: computed from the history alone, without any code of the product.
 * Every step makes new worlds, and leaves the old ones as they are.
 */
export interface World {
  readonly clock: Clock;
  readonly source: readonly Row[];
  readonly table: readonly Row[];
  readonly appends: readonly Append[];
  /** In the order of their starts; an id that was used again is there twice. */
  readonly runs: readonly RunFact[];
  /** The folders of data by interval and variant, oldest first: how many later ones there are decides what may be deleted. */
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

/** The run that a start asks for; undefined when that run was started before, or there is none to start again. */
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

/** What a run's extract reads. */
export function extract(history: History, world: World, { interval, region }: Pick<Wanted, 'interval' | 'region'>): Row[] {
  return world.source.filter(
    (row) => (region === 'all' || row.region === region) && (!history.incremental || isWithin(timeOf(row), interval)),
  );
}

/** The world after a run that has extracted `data`. */
export function afterRun(history: History, world: World, wanted: Wanted, data: readonly Row[], isConcurrent = false): World {
  const loaded = load(history, world, wanted, data);
  const run: RunFact = { ...wanted, data, state: loaded ? 'success' : 'failed' };
  return { ...world, ...loaded, runs: [...world.runs, run], published: [...world.published, { run, isConcurrent }] };
}

/** What the table holds after a load; undefined when the load is refused. */
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
      // Nothing is not put in place of something.
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

/** Whether the data that a run has extracted is still in S3: certainly, perhaps, or not. */
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
