import type { KafkaRecord, RecordBatch } from '../../lib/kafka/record-source.ts';
import type { Json } from '../../workflows/plan/values/json.ts';
import type { RunEvent, TriggerMode } from '../../workflows/plan/trigger.ts';
import { MAX_EVENT_BYTES, type EventMatch } from '../events/event-matcher.ts';
import { ifRefused } from '../events/event-runs.ts';
import { stopped } from '../run/sensor-stopped.ts';
import type { DeadLetter } from './dead-letters.ts';
import { originOf } from './match-record.ts';
import { keyOf } from './position.ts';
import type { HandlerContext, RecordHandler } from './record-handler.ts';
import { type Match, matchBatch } from './match-batch.ts';

type BatchMode = Extract<TriggerMode, { kind: 'batch' }>;

/** Size of a run's event without the values of its records, in bytes. */
const FRAME = 1_000;

interface Kept {
  readonly match: Match;
  readonly record: KafkaRecord;
  readonly bytes: number;
}

/** The records of one partition that wait for their run. */
interface Waiting {
  /** The batch they came from last, for commits. */
  batch: RecordBatch;
  kept: Kept[];
  bytes: number;
  /** When the first of them arrived, in milliseconds. */
  since: number;
  /** The last work on it: works run one by one. */
  turn: Promise<void>;
}

/**
 * Mode `batch`: one run for several records of a partition, named after the first one. The run records its last record, so that a sensor
 * that finds it after a crash continues after that record.
 */
export class RecordBatches implements RecordHandler {
  private readonly waiting = new Map<string, Waiting>();

  constructor(
    private readonly context: HandlerContext,
    private readonly mode: BatchMode,
  ) {}

  handle(batch: RecordBatch): Promise<void> {
    const waiting = this.waitingOf(batch);
    return this.inTurn(waiting, async () => {
      waiting.batch = batch;
      // After a rebalance records are offered again: drop waiting ones to avoid duplicates.
      const [first] = batch.records;
      if (first !== undefined) this.keep(waiting, (kept) => BigInt(kept.record.offset) < BigInt(first.offset));
      const { sensor, decode, position } = this.context;
      const match = (event: RunEvent): EventMatch => sensor.matcher.matches(event, true);
      const { letters } = await matchBatch(sensor, batch, { match, decode }, async (match, record, before) => {
        await this.take(waiting, { match, record }, before);
      });
      while (letters.length > 0 && waiting.kept.length > 0) await this.flush(waiting, letters);
      if (letters.length > 0) await position.commitWithDeadLetters(letters, batch, batch.next);
      else if (waiting.kept.length === 0) await position.reach(batch, batch.next, false);
    });
  }

  async tick(): Promise<void> {
    const now = Date.now();
    for (const waiting of this.waiting.values()) {
      if (waiting.kept.length > 0 && now - waiting.since >= this.mode.withinMs) {
        await this.inTurn(waiting, () => (waiting.kept.length > 0 ? this.flush(waiting, []) : Promise.resolve()));
      }
    }
  }

  private waitingOf(batch: RecordBatch): Waiting {
    const key = keyOf(batch);
    let found = this.waiting.get(key);
    if (!found) this.waiting.set(key, (found = { batch, kept: [], bytes: 0, since: 0, turn: Promise.resolve() }));
    return found;
  }

  private inTurn(waiting: Waiting, work: () => Promise<void>): Promise<void> {
    const done = waiting.turn.then(work);
    waiting.turn = done.catch(() => undefined);
    return done;
  }

  /** @param letters of records before this one */
  private async take(waiting: Waiting, { match, record }: Omit<Kept, 'bytes'>, letters: DeadLetter[]): Promise<void> {
    const bytes = Buffer.byteLength(JSON.stringify(match.event.value)) + 1;
    if (waiting.kept.length > 0 && waiting.bytes + bytes > MAX_EVENT_BYTES - FRAME) await this.flush(waiting, letters);
    if (waiting.kept.length === 0) waiting.since = Date.now();
    waiting.kept.push({ match, record, bytes });
    waiting.bytes += bytes;
    if (waiting.kept.length >= this.mode.maxRecords) await this.flush(waiting, letters);
  }

  private keep(waiting: Waiting, isNeeded: (kept: Kept) => boolean): void {
    waiting.kept = waiting.kept.filter(isNeeded);
    waiting.bytes = waiting.kept.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /**
   * Starts the run for the waiting records, applies `on_invalid` to records that fit into no run, and commits the offsets up to the last
   * one.
   * @param pending dead letters of other records of the batch. Those before the committed offset are written with it, and removed
   */
  private async flush(waiting: Waiting, pending: DeadLetter[]): Promise<void> {
    const { sensor, position, incarnations } = this.context;
    const { onInvalid } = sensor.trigger;
    const last = waiting.kept.at(-1);
    if (!last) return;
    const { run, invalid } = this.separate(waiting.kept);
    const stopAt = ([letter]: readonly DeadLetter[]): void => {
      if (letter && onInvalid === 'stop') throw stopped(`${originOf(letter.record)} starts no run: ${letter.reason}`);
    };
    stopAt(invalid);
    const [first] = run?.kept ?? [];
    let until: string | undefined;
    if (run && first) {
      const upTo = run.kept.at(-1)?.record.offset ?? first.record.offset;
      until = await sensor.runs.start(run.event, run.match, incarnations.originOf(first.record), { upTo }).catch(
        ifRefused((reason) => {
          invalid.push(...run.kept.map(({ record }) => ({ record, reason })));
          stopAt(invalid);
          return undefined;
        }),
      );
    }
    const done = BigInt(until ?? last.record.offset);
    const isDone = ({ record }: { readonly record: KafkaRecord }): boolean => BigInt(record.offset) <= done;
    const unfit = invalid.filter(isDone);
    sensor.journal.count('invalid', unfit.length);
    // Letters in `pending` are sorted by offset, and already counted.
    const letters = [...pending.splice(0, pending.filter(isDone).length), ...(onInvalid === 'dead_letter' ? unfit : [])];
    this.keep(waiting, (kept) => !isDone(kept));
    waiting.since = Date.now();
    const next = (done + 1n).toString();
    if (letters.length > 0) await position.commitWithDeadLetters(letters, waiting.batch, next);
    else await position.reach(waiting.batch, next, true);
  }

  /** The run for all records that fit into one. Each meets the condition, but may still fail on parameters, size or depth. */
  private separate(kept: readonly Kept[]): { readonly run?: BatchRun; readonly invalid: DeadLetter[] } {
    const all = this.runOf(kept);
    if (typeof all !== 'string') return { run: all, invalid: [] };
    const alone = kept.map((each) => ({ each, reason: kept.length === 1 ? all : this.runOf([each]) }));
    const invalid = alone.flatMap(({ each, reason }) => (typeof reason === 'string' ? [{ record: each.record, reason }] : []));
    const others = alone.flatMap(({ each, reason }) => (typeof reason === 'string' ? [] : [each]));
    const rest = invalid.length > 0 && others.length > 0 ? this.runOf(others) : all;
    if (typeof rest !== 'string') return { run: rest, invalid };
    return { invalid: alone.map(({ each, reason }) => ({ record: each.record, reason: typeof reason === 'string' ? reason : rest })) };
  }

  /** @returns a run, or the reason why these records cannot have one, as a sentence */
  private runOf(kept: readonly Kept[]): BatchRun | string {
    const event = eventOf(kept);
    const match = this.context.sensor.matcher.run(event);
    if (match.kind === 'run') return { kept, event, match };
    return match.kind === 'invalid' ? match.reason : match.kind;
  }
}

/** Records that can start a run. */
interface BatchRun {
  readonly kept: readonly Kept[];
  readonly event: RunEvent;
  readonly match: Extract<EventMatch, { kind: 'run' }>;
}

/** Several records as one event. */
function eventOf(kept: readonly Kept[]): RunEvent {
  const [first, last] = [kept[0]?.match.event, kept.at(-1)?.match.event];
  const records: Json[] = kept.map(({ match }) => match.event.value);
  return {
    value: { records, count: records.length },
    meta: { ...first?.meta, timestamp: first?.meta.timestamp ?? '', last_offset: last?.meta.offset ?? null },
  };
}
