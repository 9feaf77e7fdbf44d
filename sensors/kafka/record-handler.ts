import type { Decoder } from '../../lib/kafka/decode-record.ts';
import type { RecordBatch } from '../../lib/kafka/record-source.ts';
import type { SensorContext } from '../define-trigger.ts';
import type { Incarnations } from './incarnation.ts';
import type { Position } from './position.ts';

/** What happens to records: one of the modes of a trigger. */
export interface RecordHandler {
  /** Takes records over; those of one partition come in order, and one batch at a time. What it throws ends the consumer. */
  handle(batch: RecordBatch): Promise<void>;
  /** Called now and then; what it throws ends the consumer. */
  tick?(): Promise<void>;
}

/** What all of them work with. */
export interface HandlerContext {
  readonly sensor: SensorContext;
  readonly decode: Decoder;
  readonly position: Position;
  readonly incarnations: Incarnations;
}

/** How often the broker hears, in milliseconds, that a consumer lives which waits for Temporal. */
export const HEARTBEAT_INTERVAL_MS = 2_000;
/** Runs that are being started at the same time. */
export const MAX_CONCURRENT_STARTS = 200;
