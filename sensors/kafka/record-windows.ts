import { setTimeout as delay } from 'node:timers/promises';
import type { RecordBatch } from '../../lib/kafka/record-source.ts';
import { Decimal } from '../../workflows/plan/values/decimal.ts';
import { exactJsonText } from '../../workflows/plan/values/exact-json.ts';
import { ExpressionFailed } from '../../workflows/plan/expressions/evaluator.ts';
import { type ExactNumber, isExactNumber } from '../../workflows/plan/values/json.ts';
import type { RunEvent, WindowMode } from '../../workflows/plan/trigger.ts';
import { keyText } from '../events/event-id.ts';
import type { EventMatch } from '../events/event-matcher.ts';
import { ifRefused } from '../events/event-runs.ts';
import { InParallel } from '../run/in-parallel.ts';
import { stopped } from '../run/sensor-stopped.ts';
import { type EventOfWindow, type FailedWindow, WindowEvents } from '../events/window-events.ts';
import type { DeadLetter } from './dead-letters.ts';
import { WindowPanes } from '../events/window-panes.ts';
import { originOf } from './match-record.ts';
import { type KafkaCursor, keyOf } from './position.ts';
import { HEARTBEAT_INTERVAL_MS, MAX_CONCURRENT_STARTS, type HandlerContext, type RecordHandler } from './record-handler.ts';
import { matchBatch } from './match-batch.ts';
import { errorText } from '../../workflows/plan/values/error-text.ts';

/** The first offset of a pane's events in a partition. */
interface Mark {
  readonly time: number;
  readonly offset: string;
}

/** The part of an event that windows need. */
interface Counted {
  readonly key: string;
  /** The input of each aggregate. */
  readonly values: readonly (number | ExactNumber)[];
}

/** The progress in a partition. */
interface Progress {
  batch: RecordBatch;
  /** The first offset of each pane that may still be needed, sorted by offset. */
  marks: Mark[];
  /** Records before this offset are counted: after a rebalance, records from `marks` on are offered again. */
  next: bigint;
  /** Invalid records before this offset are already dead-lettered. */
  deadLettered: bigint;
  /** The latest event time seen. */
  latest: number;
}

/**
 * Mode `window`: starts runs for windows that have ended, in event time. Counts exist only in memory: a restarted consumer reads again the
 * records that its windows need, because their offsets are not committed earlier. Run ids are derived from the windows, so that no run is
 * started twice.
 */
export class RecordWindows implements RecordHandler {
  private readonly panes: WindowPanes;
  private readonly events: WindowEvents;
  private readonly progress = new Map<string, Progress>();
  private readonly paneMs: number;
  /** Windows that end at or before this time are processed. */
  private closed: number | undefined;
  /** The time of the first record, and the current time in the absence of records. */
  private earliest = Infinity;
  private idle = -Infinity;
  private turn: Promise<void> | undefined;
  /** The origins of rejected events of windows that are still open. */
  private readonly rejected = new Set<string>();

  constructor(
    private readonly context: HandlerContext,
    private readonly mode: WindowMode,
    /** Origins of existing dead letters: a record that is read again is not dead-lettered again. */
    private readonly deadLettered: ReadonlySet<string>,
    /** End offsets of the partitions when the consumer started: windows wait until everything before them has been read. */
    private readonly backlog: Map<string, string>,
  ) {
    this.paneMs = greatestCommonDivisor(mode.sizeMs, mode.slideMs);
    this.panes = new WindowPanes(this.paneMs, mode.aggregates);
    this.events = new WindowEvents(mode, this.panes, context.sensor.plan.dateZone);
    this.closed = ((context.sensor.journal.cursor ?? {}) as KafkaCursor).closed;
  }

  handle(batch: RecordBatch): Promise<void> {
    const { sensor, decode, position, incarnations } = this.context;
    const alive = async (): Promise<void> => {
      await delay(HEARTBEAT_INTERVAL_MS, undefined, { signal: sensor.signal });
      await batch.alive();
    };
    return this.inTurn(alive, async () => {
      const progress = this.progressOf(batch);
      const counted = new Map<RunEvent, Counted>();
      const match = (event: RunEvent): EventMatch => {
        const match = sensor.matcher.matches(event);
        if (match.kind !== 'run') return match;
        try {
          counted.set(event, this.countedOf(event));
          return match;
        } catch (error) {
          return { kind: 'invalid', reason: errorText(error) };
        }
      };
      const { letters } = await matchBatch(sensor, batch, { match, decode }, ({ event }, record) => {
        const at = Date.parse(event.meta.timestamp);
        const { key, values } = counted.get(event) ?? this.countedOf(event);
        counted.delete(event);
        if (BigInt(record.offset) < progress.next) return undefined;
        progress.next = BigInt(record.offset) + 1n;
        this.panes.add(key, at, values);
        // A wrong clock in one partition must not end the windows of the others.
        progress.latest = Math.max(progress.latest, Math.min(at, Date.now()));
        this.earliest = Math.min(this.earliest, at);
        mark(progress, { time: Math.floor(at / this.paneMs) * this.paneMs, offset: record.offset });
        return undefined;
      });
      progress.next = later(progress.next, batch.next);
      const end = this.backlog.get(keyOf(batch));
      if (end !== undefined && BigInt(batch.next) >= BigInt(end)) this.backlog.delete(keyOf(batch));
      const notDeadLettered = letters.filter(
        ({ record }) => BigInt(record.offset) >= progress.deadLettered && !this.deadLettered.has(incarnations.originOf(record)),
      );
      await this.close(alive);
      if (notDeadLettered.length > 0) await position.commitWithDeadLetters(notDeadLettered, batch, this.neededFrom(progress));
      else await position.reach(batch, this.neededFrom(progress), false);
      progress.deadLettered = later(progress.deadLettered, batch.next);
    });
  }

  /** Advances time without new records, once all existing ones have been read. */
  async tick(): Promise<void> {
    const resting = (): Promise<void> => delay(1_000, undefined, { signal: this.context.sensor.signal });
    await this.inTurn(resting, async () => {
      if (this.backlog.size > 0 || [...this.progress.values()].some(({ batch }) => batch.lag > 0)) return;
      this.idle = Date.now() - IDLE;
      await this.close(resting);
    });
  }

  /** The time up to which all records are assumed to be read. */
  private get watermark(): number {
    const behind = [...this.backlog.keys()].map((key) => this.progress.get(key)?.latest ?? -Infinity);
    for (const { batch, latest } of this.progress.values()) if (batch.lag > 0) behind.push(latest);
    if (behind.length > 0) return Math.min(...behind);
    return Math.max(this.idle, ...[...this.progress.values()].map(({ latest }) => latest));
  }

  /** @param meanwhile called repeatedly while the work waits for its turn; its error ends the waiting */
  private inTurn(meanwhile: () => Promise<void>, work: () => Promise<void>): Promise<void> {
    const before = this.turn;
    const done = before ? new InParallel(1, meanwhile).add(before).then(work) : work();
    const turn = Promise.allSettled([before, done]).then(() => {
      if (this.turn === turn) this.turn = undefined;
    });
    this.turn = turn;
    return done;
  }

  private progressOf(batch: RecordBatch): Progress {
    const key = keyOf(batch);
    let found = this.progress.get(key);
    if (!found) this.progress.set(key, (found = { batch, marks: [], next: 0n, deadLettered: 0n, latest: -Infinity }));
    found.batch = batch;
    return found;
  }

  /** @throws ExpressionFailed */
  private countedOf(event: RunEvent): Counted {
    const { matcher } = this.context.sensor;
    const { key, aggregates } = this.mode;
    const values = Object.values(aggregates).map(({ of }) => {
      if (of === undefined) return 0;
      const value = matcher.evaluate(of, event);
      if (typeof value === 'number') return value;
      if (isExactNumber(value)) {
        if (Math.abs(Decimal.of(value.$number).exponent) < MAX_EXPONENT) return value;
        throw new ExpressionFailed(`\`${of}\` is ${value.$number.slice(0, 40)}, which is too large or too small to be added up.`);
      }
      throw new ExpressionFailed(`\`${of}\` is ${exactJsonText(value)}, which is not a number.`);
    });
    return { key: key === undefined ? '' : keyText(matcher.evaluate(key, event)), values };
  }

  /**
   * Processes the windows that have ended, and starts their runs.
   * @param meanwhile called repeatedly while they start; its error aborts, and the windows are processed again
   */
  private async close(meanwhile: () => Promise<void>): Promise<void> {
    const { sizeMs, slideMs, latenessMs } = this.mode;
    const { watermark } = this;
    if (watermark === -Infinity || this.earliest === Infinity) return;
    const until = Math.floor((watermark - latenessMs) / slideMs) * slideMs;
    const first = this.closed ?? Math.floor(this.earliest / slideMs) * slideMs;
    const from = Math.max(first, until - MOST_WINDOWS * slideMs);
    if (until <= from) return;
    const starts = new InParallel(MAX_CONCURRENT_STARTS, meanwhile);
    const failed: FailedWindow[] = [];
    for (let end = from + slideMs; end <= until; end += slideMs) {
      for (const each of this.events.of(end)) await starts.add(this.start(each, failed));
      failed.push(...this.events.failed);
      if (failed.length >= LETTERS_AT_ONCE) await this.reject(failed.splice(0));
    }
    await starts.done();
    await this.reject(failed);
    this.closed = until;
    this.rejected.clear();
    const { journal } = this.context.sensor;
    journal.cursor = { ...(journal.cursor as KafkaCursor | undefined), closed: until };
    const needed = until - sizeMs - slideMs;
    this.panes.forget(needed);
    for (const progress of this.progress.values()) progress.marks = progress.marks.filter(({ time }) => time >= needed);
  }

  private async start(window: EventOfWindow, failed: FailedWindow[]): Promise<void> {
    const { runs, matcher } = this.context.sensor;
    const match = matcher.run(window.event);
    if (match.kind === 'run') {
      const refused = ifRefused((reason) => void failed.push({ ...window, reason }));
      await runs.start(window.event, match, window.id).catch(refused);
    } else failed.push({ ...window, reason: match.kind === 'invalid' ? match.reason : match.kind });
  }

  /** Applies `on_invalid` to windows that start no run. A window that is processed again is rejected only once. */
  private async reject(failed: readonly FailedWindow[]): Promise<void> {
    const { sensor, position } = this.context;
    const { trigger, journal, log } = sensor;
    const fresh = failed
      .map((window) => ({ window, letter: letterOf(window, [trigger.source.topic].flat().join(',')) }))
      .filter(({ letter }) => !this.deadLettered.has(originOf(letter.record)) && !this.rejected.has(originOf(letter.record)));
    const [first] = fresh;
    if (!first) return;
    if (trigger.onInvalid === 'stop') throw stopped(`The window '${first.window.id}' starts no run: ${first.window.reason}`);
    log.warn('Windows start no run', { windows: fresh.length, id: first.window.id, reason: first.window.reason });
    for (let from = 0; trigger.onInvalid === 'dead_letter' && from < fresh.length; from += LETTERS_AT_ONCE)
      await position.writeDeadLetters(fresh.slice(from, from + LETTERS_AT_ONCE).map(({ letter }) => letter));
    for (const { letter } of fresh) this.rejected.add(originOf(letter.record));
    journal.count('invalid', fresh.length);
  }

  /** The first offset that future windows need. */
  private neededFrom({ marks, next }: Progress): string {
    return marks[0]?.offset ?? next.toString();
  }
}

/** A window in the form of a record: for all partitions, with its id as the offset. */
function letterOf({ id, event, reason }: FailedWindow, topic: string): DeadLetter {
  const value = Buffer.from(exactJsonText(event.value));
  const timestamp = String(Date.parse(event.meta.timestamp));
  return { record: { topic, partition: -1, offset: id, timestamp, key: null, value, headers: {} }, reason };
}

function later(a: bigint, b: string): bigint {
  return BigInt(b) > a ? BigInt(b) : a;
}

/** After this time without records, in milliseconds, the clock determines the time: records in transit arrive earlier. */
const IDLE = 2_000;
/** Numbers with more digits than this are not added up: each sum would contain all digits. */
const MAX_EXPONENT = 1_000;
/** Dead letters per transaction. */
const LETTERS_AT_ONCE = 1_000;
/** Maximum number of windows processed after a long pause, newest first. */
const MOST_WINDOWS = 100_000;

/** Records the start of a pane: marks are sorted by offset, and one after a mark of an older pane is not needed. */
function mark(progress: Progress, { time, offset }: Mark): void {
  if (!progress.marks.some((known) => known.time === time)) progress.marks.push({ time, offset });
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
