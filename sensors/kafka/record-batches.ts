import type { KafkaRecord, RecordBatch } from '../../lib/kafka/record-source.ts';
import type { Json } from '../../workflows/plan/json.ts';
import type { RunEvent, TriggerMode } from '../../workflows/plan/trigger.ts';
import { MAX_EVENT_BYTES } from '../event-judge.ts';
import { ifRefused } from '../event-runs.ts';
import { stopped } from '../run-sensor.ts';
import { originOf } from './judge-record.ts';
import { keyOf } from './position.ts';
import type { HandlerContext, RecordHandler } from './record-handler.ts';
import { type Match, sift } from './sift.ts';

type BatchMode = Extract<TriggerMode, { kind: 'batch' }>;

/** What a run's event has beside the values of its records, in bytes. */
const FRAME = 1_000;

interface Kept {
  readonly match: Match;
  readonly record: KafkaRecord;
  readonly bytes: number;
}

/** The records of one partition that wait for their run. */
interface Waiting {
  /** Where they came from last: what commits their offsets. */
  batch: RecordBatch;
  kept: Kept[];
  bytes: number;
  /** When the first of them came, in milliseconds. */
  since: number;
  /** Work on it, one after the other. */
  turn: Promise<void>;
}

/**
 * Mode `batch`: a run for several records of a partition, named after the first of them. How many there were a run says itself: whoever
 * meets it again, after a crash, goes on behind its last record.
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
      // Offered again after a rebalance, what waits here would be there twice.
      const [first] = batch.records;
      if (first !== undefined) this.keep(waiting, (kept) => BigInt(kept.record.offset) < BigInt(first.offset));
      const { sensor, decode, position } = this.context;
      const judge = sensor.judge.matches.bind(sensor.judge);
      const { letters } = await sift(sensor, batch, { judge, decode }, async (match, record) => {
        await this.take(waiting, match, record);
      });
      if (letters.length > 0) {
        while (waiting.kept.length > 0) await this.flush(waiting);
        await position.bury(letters, batch, batch.next);
      } else if (waiting.kept.length === 0) await position.reach(batch, batch.next, false);
    });
  }

  async tick(): Promise<void> {
    const now = Date.now();
    for (const waiting of this.waiting.values()) {
      if (waiting.kept.length > 0 && now - waiting.since >= this.mode.withinMs) {
        await this.inTurn(waiting, () => (waiting.kept.length > 0 ? this.flush(waiting) : Promise.resolve()));
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

  private async take(waiting: Waiting, match: Match, record: KafkaRecord): Promise<void> {
    const bytes = Buffer.byteLength(JSON.stringify(match.event.value)) + 1;
    if (waiting.kept.length > 0 && waiting.bytes + bytes > MAX_EVENT_BYTES - FRAME) await this.flush(waiting);
    if (waiting.kept.length === 0) waiting.since = Date.now();
    waiting.kept.push({ match, record, bytes });
    waiting.bytes += bytes;
    if (waiting.kept.length >= this.mode.maxRecords) await this.flush(waiting);
  }

  private keep(waiting: Waiting, wanted: (kept: Kept) => boolean): void {
    waiting.kept = waiting.kept.filter(wanted);
    waiting.bytes = waiting.kept.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** Starts the run of what waits, and commits the offsets up to its last record. */
  private async flush(waiting: Waiting): Promise<void> {
    const { sensor, position, incarnations } = this.context;
    const [first] = waiting.kept;
    const last = waiting.kept.at(-1);
    if (!first || !last) return;
    const event = eventOf(waiting.kept);
    const verdict = sensor.judge.run(event);
    // That each of its records is well says nothing of all together: the parameters may not fit.
    if (verdict.kind !== 'run') throw stopped(`The batch that begins with ${originOf(first.record)} starts no run: ${reasonOf(verdict)}`);
    const until = await sensor.runs.start(event, verdict, incarnations.originOf(first.record), { upTo: last.record.offset }).catch(
      ifRefused((reason) => {
        throw stopped(`The batch that begins with ${originOf(first.record)} starts no run: ${reason}`);
      }),
    );
    const done = BigInt(until ?? last.record.offset);
    this.keep(waiting, ({ record }) => BigInt(record.offset) > done);
    waiting.since = Date.now();
    await position.reach(waiting.batch, (done + 1n).toString(), true);
  }
}

function reasonOf(verdict: { readonly kind: string; readonly reason?: string }): string {
  return verdict.reason ?? verdict.kind;
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
