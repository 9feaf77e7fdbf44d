import { Evaluator, ExpressionFailed, type Variables } from '../../workflows/plan/expressions/evaluator.ts';
import type { QuickCondition } from '../../workflows/plan/expressions/quick-condition.ts';
import type { Json, JsonObject } from '../../workflows/plan/values/json.ts';
import type { Plan } from '../../workflows/plan/plan.ts';
import { resolveRunParams } from '../../workflows/plan/runs/run-params.ts';
import { dataIntervalAt } from '../../workflows/plan/timetable/schedule.ts';
import type { RunEvent, TriggerPlan } from '../../workflows/plan/trigger.ts';
import { type FormerId, keyedId } from './event-id.ts';
import { errorText } from '../../workflows/plan/values/error-text.ts';

/** The decision about an event. */
export type EventMatch =
  | { readonly kind: 'none' }
  | { readonly kind: 'run'; readonly params: JsonObject; readonly id: string | undefined; readonly former?: readonly FormerId[] }
  | { readonly kind: 'invalid'; readonly reason: string };

const NONE: EventMatch = { kind: 'none' };
const MATCH: EventMatch = { kind: 'run', params: {}, id: undefined };

/** Maximum size of a run's event. Temporal refuses inputs of 2 MB, and a run's input is copied often. */
export const MAX_EVENT_BYTES = 256 * 1024;
/** Maximum nesting of a run's event: its readers are recursive. */
export const MAX_EVENT_DEPTH = 100;
/** How far an event's time may be ahead of this machine's clock, in milliseconds: it determines the run's data interval. */
const MAX_AHEAD_MS = 24 * 3_600_000;

/** An event whose numbers may not be parsed exactly yet. */
export interface IncomingEvent extends RunEvent {
  /** `value` with numbers from `JSON.parse`: sufficient for most conditions. Absent if it costs as much as `value`. */
  readonly rounded?: Json;
}

/** Matches events against a trigger: decides whether an event starts a run, and with which input. Pure. */
export class EventMatcher {
  private readonly evaluator: Evaluator;
  /** null: the condition is not simple. */
  private quick: QuickCondition | null | undefined;
  private readonly names: QuickNames;

  constructor(
    private readonly plan: Plan,
    private readonly trigger: TriggerPlan,
  ) {
    this.evaluator = new Evaluator({}, plan.dateZone);
    this.names = new QuickNames(plan.dagId);
  }

  /** Decides whether an event starts a run, and with which input. */
  match(event: IncomingEvent): EventMatch {
    try {
      return this.satisfiesCondition(event) ? this.runFor(event) : NONE;
    } catch (error) {
      return invalid(error);
    }
  }

  /**
   * Whether an event meets the condition; the caller decides which run it starts.
   * @param isKept whether it becomes part of a run's event
   */
  matches(event: IncomingEvent, isKept = false): EventMatch {
    try {
      if (!this.satisfiesCondition(event)) return NONE;
      this.checkTime(event);
      if (isKept) checkDepth(event.value);
      return MATCH;
    } catch (error) {
      return invalid(error);
    }
  }

  /** The run that an event starts, without checking the condition. */
  run(event: RunEvent): EventMatch {
    try {
      return this.runFor(event);
    } catch (error) {
      return invalid(error);
    }
  }

  /** Evaluates an expression on an event. @throws ExpressionFailed */
  evaluate(expression: string, event: RunEvent): Json {
    return this.evaluator.evaluate(expression, this.variables(event));
  }

  private satisfiesCondition(event: IncomingEvent): boolean {
    const { when } = this.trigger;
    if (when === undefined) return true;
    if (this.quick === undefined) this.quick = this.evaluator.quick(when) ?? null;
    // Nearly all records of a topic are skipped, so this must be cheap.
    if (this.quick) {
      const first = event.rounded === undefined ? undefined : this.quick(this.names.of(event, event.rounded), true);
      const answer = first ?? this.quick(this.names.of(event, event.value));
      if (answer !== undefined) return answer;
    }
    return this.evaluator.test(when, this.variables(event));
  }

  /** @throws InvalidEvent when the event's time or its data interval is out of range */
  private checkTime({ meta: { timestamp } }: RunEvent): void {
    const at = Date.parse(timestamp);
    if (!(at >= 0 && at <= Date.now() + MAX_AHEAD_MS)) {
      throw new InvalidEvent(`The event's time is ${timestamp}; it must be after 1970, and at most a day ahead of the sensor's clock.`);
    }
    const { start } = dataIntervalAt(this.plan.schedule, at);
    if (Date.parse(start) < 0) throw new InvalidEvent(`The event's time ${timestamp} chooses the data interval of ${start}, before 1970.`);
  }

  private variables({ value, meta }: RunEvent): Variables {
    return { event: value, event_meta: meta, dag_id: this.plan.dagId };
  }

  private runFor(event: RunEvent): EventMatch {
    const { dedupKey, runParams = {}, templates = [] } = this.trigger;
    const variables = this.variables(event);
    this.checkTime(event);
    const key =
      dedupKey === undefined ? undefined : keyedId(this.plan, this.trigger, this.evaluator.render(`{{ ${dedupKey} }}`, variables));
    const params = this.evaluator.renderParams(runParams, templates, variables);
    const { mistakes } = resolveRunParams(this.plan, params);
    if (mistakes.length > 0) return { kind: 'invalid', reason: `The run's parameters do not fit: ${mistakes.join(' ')}` };
    checkDepth(event.value);
    const bytes = Buffer.byteLength(JSON.stringify(event.value));
    if (bytes > MAX_EVENT_BYTES) {
      return {
        kind: 'invalid',
        reason: `The event has ${bytes} bytes; a run keeps at most ${MAX_EVENT_BYTES}. Put the data in S3 and send where it is.`,
      };
    }
    return { kind: 'run', params, id: key?.id, ...(key?.former && { former: key.former }) };
  }
}

/** Marks an event as invalid after an evaluation error, so that the sensor can continue with the next event. */
function invalid(error: unknown): EventMatch {
  if (error instanceof ExpressionFailed || error instanceof InvalidEvent) return { kind: 'invalid', reason: error.message };
  return { kind: 'invalid', reason: `The event cannot be handled: ${errorText(error)}` };
}

/** Thrown for an event that cannot start a run. */
class InvalidEvent extends Error {
  override readonly name = 'InvalidEvent';
}

/** @throws InvalidEvent when a value is nested too deeply */
function checkDepth(value: Json): void {
  let level: readonly (Json | undefined)[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > MAX_EVENT_DEPTH) throw new InvalidEvent(`The event is nested more than ${MAX_EVENT_DEPTH} levels deep.`);
    level = level.flatMap((each) => (typeof each === 'object' && each !== null ? Object.values(each as JsonObject) : []));
  }
}

/** The variables of a condition; expensive ones are computed on demand. One object is reused for all events. */
class QuickNames {
  [name: string]: unknown;
  event: Json | undefined;
  private current: RunEvent | undefined;

  constructor(readonly dag_id: string) {}

  of(event: RunEvent, value: Json): this {
    this.current = event;
    this.event = value;
    return this;
  }

  get event_meta(): RunEvent['meta'] | undefined {
    return this.current?.meta;
  }
}
