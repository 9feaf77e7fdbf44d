import { createHash } from 'node:crypto';
import { Evaluator, ExpressionFailed, type Variables } from '../workflows/plan/expressions/evaluator.ts';
import type { QuickCondition } from '../workflows/plan/expressions/quick-condition.ts';
import { identityText } from '../workflows/plan/exact-json.ts';
import type { Json, JsonObject } from '../workflows/plan/json.ts';
import type { Plan } from '../workflows/plan/plan.ts';
import { resolveRunParams } from '../workflows/plan/run-params.ts';
import type { RunEvent, TriggerPlan } from '../workflows/plan/trigger.ts';

/** What is to be done about an event. */
export type Verdict =
  | { readonly kind: 'none' }
  | { readonly kind: 'run'; readonly params: JsonObject; readonly id: string | undefined }
  | { readonly kind: 'invalid'; readonly reason: string };

const NONE: Verdict = { kind: 'none' };
const MATCH: Verdict = { kind: 'run', params: {}, id: undefined };

/** A run keeps its event; Temporal refuses inputs of 2 MB, and a run is copied often. */
export const MAX_EVENT_BYTES = 256 * 1024;
/** Longer ones become their hash: a workflow id may have 1,000 characters, and people read it. */
const MAX_KEY = 200;

/** An event whose numbers are perhaps not read yet as they were written. */
export interface JudgedEvent extends RunEvent {
  /** `value`, with numbers as `JSON.parse` makes them: enough for most conditions. Absent: it has cost as much as `value`. */
  readonly rounded?: Json;
}

/** Holds events against a trigger: whether one starts a run, and with what. Pure. */
export class EventJudge {
  private readonly evaluator = new Evaluator();
  /** null: the condition is not simple. */
  private quick: QuickCondition | null | undefined;
  private readonly names: QuickNames;

  constructor(
    private readonly plan: Plan,
    private readonly trigger: TriggerPlan,
  ) {
    this.names = new QuickNames(plan.dagId);
  }

  /** Whether an event starts a run, and with what. */
  judge(event: JudgedEvent): Verdict {
    try {
      return this.meets(event) ? this.wanted(event) : NONE;
    } catch (error) {
      return invalid(error);
    }
  }

  /** Whether an event meets the condition; what it starts is somebody else's to say. */
  matches(event: JudgedEvent): Verdict {
    try {
      return this.meets(event) ? MATCH : NONE;
    } catch (error) {
      return invalid(error);
    }
  }

  /** The run that an event starts, whether it meets the condition or not. */
  run(event: RunEvent): Verdict {
    try {
      return this.wanted(event);
    } catch (error) {
      return invalid(error);
    }
  }

  /** The value of an expression over an event. @throws ExpressionFailed */
  evaluate(expression: string, event: RunEvent): Json {
    return this.evaluator.evaluate(expression, this.variables(event));
  }

  private meets(event: JudgedEvent): boolean {
    const { when } = this.trigger;
    if (when === undefined) return true;
    if (this.quick === undefined) this.quick = this.evaluator.quick(when) ?? null;
    // Nearly every record of a topic is passed over: that has to be cheap.
    if (this.quick) {
      const first = event.rounded === undefined ? undefined : this.quick(this.names.of(event, event.rounded), true);
      const answer = first ?? this.quick(this.names.of(event, event.value));
      if (answer !== undefined) return answer;
    }
    return this.evaluator.test(when, this.variables(event));
  }

  private variables({ value, meta }: RunEvent): Variables {
    return { event: value, event_meta: meta, dag_id: this.plan.dagId };
  }

  private wanted(event: RunEvent): Verdict {
    const { dedupKey, runParams = {}, templates = [] } = this.trigger;
    const variables = this.variables(event);
    const id = dedupKey === undefined ? undefined : keyText(this.evaluator.render(`{{ ${dedupKey} }}`, variables));
    const params = this.evaluator.renderParams(runParams, templates, variables);
    const { mistakes } = resolveRunParams(this.plan, params);
    if (mistakes.length > 0) return { kind: 'invalid', reason: `The run's parameters do not fit: ${mistakes.join(' ')}` };
    const bytes = Buffer.byteLength(JSON.stringify(event.value));
    if (bytes > MAX_EVENT_BYTES) {
      return {
        kind: 'invalid',
        reason: `The event has ${bytes} bytes; a run keeps at most ${MAX_EVENT_BYTES}. Put the data in S3 and send where it is.`,
      };
    }
    return { kind: 'run', params, id };
  }
}

/** The verdict on an event over which an expression fails. */
function invalid(error: unknown): Verdict {
  if (error instanceof ExpressionFailed) return { kind: 'invalid', reason: error.message };
  throw error;
}

/** The names of a condition, with what is costly only where it is read; one object for all events. */
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

/** A value as part of an id. */
export function keyText(value: Json): string {
  const text = identityText(value);
  return text.length <= MAX_KEY && text !== '' ? text : createHash('sha256').update(text).digest('hex');
}
