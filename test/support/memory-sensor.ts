import assert from 'node:assert/strict';
import { setMaxListeners } from 'node:events';
import type { ConnectionKind, ConnectionOf } from '../../connections/catalog.ts';
import { parseConnection } from '../../connections/parse.ts';
import type { SensorContext } from '../../sensors/define-trigger.ts';
import type { KafkaRecord } from '../../lib/kafka/record-source.ts';
import { EventMatcher, MAX_EVENT_BYTES } from '../../sensors/events/event-matcher.ts';
import { EventRuns } from '../../sensors/events/event-runs.ts';
import { EachRecord } from '../../sensors/kafka/each-record.ts';
import { RecordBatches } from '../../sensors/kafka/record-batches.ts';
import type { HandlerContext, RecordHandler } from '../../sensors/kafka/record-handler.ts';
import { RecordWindows } from '../../sensors/kafka/record-windows.ts';
import type { RunStarts, RunRequest } from '../../sensors/run/run-starts.ts';
import { SensorJournal } from '../../sensors/run/sensor-journal.ts';
import { hasDotSegment } from '../../workflows/plan/values/dot-segments.ts';
import { exactJsonText, parseExactJson } from '../../workflows/plan/values/exact-json.ts';
import type { JsonObject } from '../../workflows/plan/values/json.ts';
import { NO_COUNTS } from '../../workflows/plan/sensor.ts';
import { compileYaml } from './compile-yaml.ts';

/** Starts runs in memory: rejects values that would be invalid for Temporal, S3, a header or a terminal. */
export class MemoryStarts implements RunStarts {
  started = 0;
  /** Called when a run has started; an error fails the sensor of the test. */
  onStart: (run: RunRequest) => unknown = () => undefined;
  readonly last: string[] = [];

  idOf({ plan, cause, id }: Pick<RunRequest, 'plan' | 'cause' | 'id'>): string {
    return `${plan.dagId}/${cause}/${id}`;
  }

  /** @param fail called with the error for an invalid run, because a sensor retries after any error thrown here */
  constructor(private readonly fail: (error: unknown) => void) {}

  /** Starts a run after the next turn of the event loop, like a server, so that code that does not await the start runs first. */
  async start(run: RunRequest): Promise<'started' | 'known'> {
    await new Promise((resolve) => setImmediate(resolve));
    try {
      this.check(run);
      this.started += 1;
      this.onStart(run);
    } catch (error) {
      this.fail(error);
      throw error;
    }
    this.last.splice(0, Math.max(0, this.last.length - 10));
    this.last.push(run.id);
    return 'started';
  }

  private check(run: RunRequest): void {
    const id = this.idOf(run);
    assert.match(id, /^[\x20-\x7e]+$/);
    assert.ok(Buffer.byteLength(id) <= 800 && !hasDotSegment(id), id);
    for (const former of run.former ?? []) assert.doesNotMatch(former.id, /\p{Cs}/u);
    const event = exactJsonText(run.event);
    assert.ok(Buffer.byteLength(exactJsonText(run.event.value)) <= MAX_EVENT_BYTES * 1.1);
    assert.deepEqual(Object.keys(parseExactJson(event) as JsonObject).sort(), ['meta', 'value']);
    exactJsonText(run.params);
  }

  upTo = (): Promise<undefined> => Promise.resolve(undefined);
  recent = (): Promise<string[]> => Promise.resolve([]);
  ended = (): Promise<[]> => Promise.resolve([]);
  open = (): Promise<string[]> => Promise.resolve([]);
  stillOpen = (): Promise<string[]> => Promise.resolve([]);
  report = (): Promise<void> => Promise.resolve();
  claim = (): Promise<undefined> => Promise.resolve(undefined);
}

/** A sensor without servers. */
export interface MemorySensor {
  readonly sensor: SensorContext;
  readonly starts: MemoryStarts;
  readonly stop: AbortController;
}

/**
 * Creates a sensor whose runs start in memory.
 * @param trigger the keys of a trigger, as YAML in braces
 * @param connection its connection, under any name
 */
export function sensorInMemory(trigger: string, connection?: string): MemorySensor {
  const plan = compileYaml(`
dag_id: fuzzed
schedule_interval: "@daily"
params: {x: "", y: ""}
triggers: [{name: m, ${trigger}}]
tasks: [{name: a, type: empty}]
`);
  const [planned] = plan.triggers ?? [];
  assert.ok(planned);
  const [stop, journal] = [new AbortController(), new SensorJournal(0, { counts: NO_COUNTS })];
  const starts = new MemoryStarts((error) => stop.abort(error));
  setMaxListeners(0, stop.signal);
  const sensor: SensorContext = {
    dagId: plan.dagId,
    name: plan.dagId,
    plan,
    trigger: planned,
    consumer: 0,
    since: '2026-01-01T00:00:00.000Z',
    connection: <T extends ConnectionKind>() => parseConnection('x', connection ?? '') as ConnectionOf<T>,
    matcher: new EventMatcher(plan, planned),
    runs: new EventRuns(plan, planned, 'sensor', starts, journal, stop.signal),
    journal,
    signal: stop.signal,
    log: { warn: () => undefined, info: () => undefined },
  };
  return { sensor, starts, stop };
}

/** Creates the record handler of a Kafka sensor, for the mode of its trigger. */
export function handlerInMemory(context: HandlerContext): RecordHandler {
  const { mode } = context.sensor.trigger;
  if (mode.kind === 'batch') return new RecordBatches(context, mode);
  if (mode.kind === 'window') return new RecordWindows(context, mode, new Set(), new Map());
  return new EachRecord(context);
}

/** A record of the topic `t` with the current time. @param more fields that differ */
export function recordInMemory(value: Buffer, offset: number, more: Partial<KafkaRecord> = {}): KafkaRecord {
  return { topic: 't', partition: 0, offset: String(offset), timestamp: String(Date.now()), key: null, headers: {}, value, ...more };
}
