import { setTimeout as delay } from 'node:timers/promises';
import type { RecordBatch } from '../../lib/kafka/record-source.ts';
import { ExpressionFailed, Evaluator } from '../../workflows/plan/expressions/evaluator.ts';
import type { JsonObject } from '../../workflows/plan/json.ts';
import type { RunEvent, WindowMode } from '../../workflows/plan/trigger.ts';
import { keyText, type Verdict } from '../event-judge.ts';
import { InParallel } from '../in-parallel.ts';
import { stopped } from '../run-sensor.ts';
import { WindowPanes } from '../window-panes.ts';
import { type KafkaCursor, keyOf } from './position.ts';
import { AT_ONCE, type HandlerContext, type RecordHandler } from './record-handler.ts';
import { sift } from './sift.ts';

/** Where the events of a pane begin in a partition. */
interface Mark {
  readonly time: number;
  readonly offset: string;
}

/** How far a partition has been read. */
interface Progress {
  batch: RecordBatch;
  /** The first offset of each pane that may be needed again, in the order of their offsets. */
  marks: Mark[];
  next: string;
  /** The latest time that was seen in it. */
  latest: number;
}

/**
 * Mode `window`: a run for a key and a window when its condition becomes true there. Time is that of the records. What is counted is in memory
 * only: a consumer that begins anew reads the records again that its windows need, for their offsets are not committed before. The ids of
 * runs follow from key and window, so that none is started twice.
 */
export class RecordWindows implements RecordHandler {
  private readonly panes: WindowPanes;
  private readonly evaluator = new Evaluator();
  private readonly progress = new Map<string, Progress>();
  private readonly paneMs: number;
  /** Windows that end at this time or before have been looked at. */
  private closed: number | undefined;
  /** When the first record was, and where time stands without records. */
  private earliest = Infinity;
  private idle = -Infinity;
  private turn: Promise<void> = Promise.resolve();

  constructor(
    private readonly context: HandlerContext,
    private readonly mode: WindowMode,
    /** Dead letters that are there already, by their origin: what is read again is not buried again. */
    private readonly buried: ReadonlySet<string>,
    /** What was in the partitions when the consumer began, by its end: windows wait until that has been read. */
    private readonly backlog: Map<string, string>,
  ) {
    this.paneMs = greatestCommonDivisor(mode.sizeMs, mode.slideMs);
    this.panes = new WindowPanes(this.paneMs, mode.aggregates);
    this.closed = ((context.sensor.journal.cursor ?? {}) as KafkaCursor).closed;
  }

  handle(batch: RecordBatch): Promise<void> {
    return this.inTurn(async () => {
      const { sensor, decode, position } = this.context;
      const progress = this.progressOf(batch);
      const values = new Map<RunEvent, readonly number[]>();
      const judge = (event: RunEvent): Verdict => {
        const verdict = sensor.judge.matches(event);
        if (verdict.kind !== 'run') return verdict;
        try {
          values.set(event, this.valuesOf(event));
          return verdict;
        } catch (error) {
          if (error instanceof ExpressionFailed) return { kind: 'invalid', reason: error.message };
          throw error;
        }
      };
      const { letters } = await sift(sensor, batch, { judge, decode }, ({ event }, record) => {
        const at = Date.parse(event.meta.timestamp);
        this.panes.add(this.keyFor(event), at, values.get(event) ?? []);
        values.delete(event);
        // A clock that is wrong does not end the windows of all others.
        progress.latest = Math.max(progress.latest, Math.min(at, Date.now()));
        this.earliest = Math.min(this.earliest, at);
        mark(progress, { time: Math.floor(at / this.paneMs) * this.paneMs, offset: record.offset });
        return undefined;
      });
      progress.next = batch.next;
      const end = this.backlog.get(keyOf(batch));
      if (end !== undefined && BigInt(batch.next) >= BigInt(end)) this.backlog.delete(keyOf(batch));
      const unburied = letters.filter(({ record }) => !this.buried.has(`${record.topic}-${record.partition}-${record.offset}`));
      await this.close();
      if (unburied.length > 0) await position.bury(unburied, batch, this.neededFrom(progress));
      else await position.reach(batch, this.neededFrom(progress), false);
    });
  }

  /** Without new records time goes on all the same, where all that there are have been read. */
  async tick(): Promise<void> {
    await this.inTurn(async () => {
      if (this.backlog.size > 0 || [...this.progress.values()].some(({ batch }) => batch.lag > 0)) return;
      this.idle = Date.now() - IDLE;
      await this.close();
    });
  }

  /** The time up to which all records have been read, as far as one can know. */
  private get watermark(): number {
    const behind = [...this.backlog.keys()].map((key) => this.progress.get(key)?.latest ?? -Infinity);
    for (const { batch, latest } of this.progress.values()) if (batch.lag > 0) behind.push(latest);
    if (behind.length > 0) return Math.min(...behind);
    return Math.max(this.idle, ...[...this.progress.values()].map(({ latest }) => latest));
  }

  private inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.turn.then(work);
    this.turn = done.catch(() => undefined);
    return done;
  }

  private progressOf(batch: RecordBatch): Progress {
    const key = keyOf(batch);
    let found = this.progress.get(key);
    if (!found) this.progress.set(key, (found = { batch, marks: [], next: batch.next, latest: -Infinity }));
    found.batch = batch;
    return found;
  }

  private keyFor(event: RunEvent): string {
    const { key } = this.mode;
    if (key === undefined) return '';
    const value = this.context.sensor.judge.evaluate(key, event);
    return keyText(value);
  }

  /** @throws ExpressionFailed */
  private valuesOf(event: RunEvent): number[] {
    this.keyFor(event);
    return Object.values(this.mode.aggregates).map(({ of }) => {
      if (of === undefined) return 0;
      const value = this.context.sensor.judge.evaluate(of, event);
      if (typeof value === 'number') return value;
      throw new ExpressionFailed(`\`${of}\` is ${JSON.stringify(value)}, which is no number.`);
    });
  }

  /** Looks at the windows that have ended by now, and starts their runs. */
  private async close(): Promise<void> {
    const { sizeMs, slideMs, latenessMs } = this.mode;
    const { watermark } = this;
    if (watermark === -Infinity || this.earliest === Infinity) return;
    const until = Math.floor((watermark - latenessMs) / slideMs) * slideMs;
    const first = this.closed ?? Math.floor(this.earliest / slideMs) * slideMs;
    const from = Math.max(first, until - MOST_WINDOWS * slideMs);
    if (until <= from) return;
    const starts = new InParallel(AT_ONCE, () => delay(1_000, undefined, { signal: this.context.sensor.signal }));
    for (let end = from + slideMs; end <= until; end += slideMs) {
      for (const key of this.panes.known()) {
        const found = this.panes.over(key, end - sizeMs, end);
        if (!found || !this.meets(found)) continue;
        // A run when it becomes true, not as long as it is.
        const before = this.mode.having === undefined ? undefined : this.panes.over(key, end - slideMs - sizeMs, end - slideMs);
        if (before && this.meets(before)) continue;
        await starts.add(this.start(key, end, found));
      }
    }
    await starts.done();
    this.closed = until;
    const { journal } = this.context.sensor;
    journal.cursor = { ...(journal.cursor as KafkaCursor | undefined), closed: until };
    const needed = until - sizeMs - slideMs;
    this.panes.forget(needed);
    for (const progress of this.progress.values()) progress.marks = progress.marks.filter(({ time }) => time >= needed);
  }

  private meets(aggregates: Record<string, number>): boolean {
    const { having } = this.mode;
    return having === undefined || this.evaluator.test(having, aggregates);
  }

  private async start(key: string, end: number, aggregates: JsonObject): Promise<void> {
    const { runs, judge } = this.context.sensor;
    const [start, until] = [new Date(end - this.mode.sizeMs).toISOString(), new Date(end).toISOString()];
    const event: RunEvent = { value: { key, window_start: start, window_end: until, ...aggregates }, meta: { timestamp: until } };
    const verdict = judge.run(event);
    if (verdict.kind !== 'run') {
      throw stopped(`The window of '${key}' until ${until} starts no run: ${verdict.kind === 'invalid' ? verdict.reason : verdict.kind}`);
    }
    await runs.start(event, verdict, `${key === '' ? '' : `${key}@`}${until}`);
  }

  /** The offset from which on records are needed for windows that are to come. */
  private neededFrom({ marks, next }: Progress): string {
    return marks[0]?.offset ?? next;
  }
}

/** Without records for so long, in milliseconds, time is taken from the clock: what is on its way arrives before. */
const IDLE = 2_000;
/** After a long rest no more windows are looked at than these, the newest. */
const MOST_WINDOWS = 100_000;

/** Remembers where a pane begins: marks are in the order of their offsets, and one behind a mark of an older pane is not needed. */
function mark(progress: Progress, { time, offset }: Mark): void {
  if (!progress.marks.some((known) => known.time === time)) progress.marks.push({ time, offset });
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
