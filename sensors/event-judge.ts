import { createHash } from 'node:crypto';
import { Evaluator, ExpressionFailed } from '../workflows/plan/expressions/evaluator.ts';
import type { JsonObject } from '../workflows/plan/json.ts';
import type { Plan } from '../workflows/plan/plan.ts';
import { resolveRunParams } from '../workflows/plan/run-params.ts';
import type { RunEvent, TriggerPlan } from '../workflows/plan/trigger.ts';

/** What is to be done about an event. */
export type Verdict =
  | { readonly kind: 'none' }
  | { readonly kind: 'run'; readonly params: JsonObject; readonly id: string | undefined }
  | { readonly kind: 'invalid'; readonly reason: string };

const NONE: Verdict = { kind: 'none' };

/** A run keeps its event; Temporal refuses inputs of 2 MB, and a run is copied often. */
const MAX_EVENT_BYTES = 256 * 1024;
/** Longer ones become their hash: a workflow id may have 1,000 characters, and people read it. */
const MAX_KEY = 200;

/** Holds events against a trigger: whether one starts a run, and with what. Pure. */
export class EventJudge {
  private readonly evaluator = new Evaluator();

  constructor(
    private readonly plan: Plan,
    private readonly trigger: TriggerPlan,
  ) {}

  judge(event: RunEvent): Verdict {
    const { when, dedupKey, runParams = {}, templates = [] } = this.trigger;
    const variables = { event: event.value, event_meta: event.meta as JsonObject, dag_id: this.plan.dagId };
    try {
      if (when !== undefined && !this.evaluator.test(when, variables)) return NONE;
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
    } catch (error) {
      if (error instanceof ExpressionFailed) return { kind: 'invalid', reason: error.message };
      throw error;
    }
  }
}

function keyText(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length <= MAX_KEY && text !== '' ? text : createHash('sha256').update(text).digest('hex');
}
