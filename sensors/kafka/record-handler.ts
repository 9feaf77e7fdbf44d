import type { Decoder } from '../../lib/kafka/decode-record.ts';
import type { RecordBatch } from '../../lib/kafka/record-source.ts';
import type { SensorContext } from '../define-trigger.ts';
import type { Incarnations } from './incarnation.ts';
import type { Position } from './position.ts';

/** Processes records: one implementation per trigger mode. */
export interface RecordHandler {
  /** Takes over records; those of one partition arrive in order, one batch at a time. An error ends the consumer. */
  handle(batch: RecordBatch): Promise<void>;
  /** Called regularly; an error ends the consumer. */
  tick?(): Promise<void>;
}

/** Dependencies of all handlers. */
export interface HandlerContext {
  readonly sensor: SensorContext;
  readonly decode: Decoder;
  readonly position: Position;
  readonly incarnations: Incarnations;
}

/** Interval of heartbeats to the broker while a consumer waits for Temporal, in milliseconds. */
export const HEARTBEAT_INTERVAL_MS = 2_000;
/** Maximum number of runs being started at the same time. */
export const MAX_CONCURRENT_STARTS = 200;
