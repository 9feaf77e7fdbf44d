import type { JsonObject } from '../../workflows/plan/values/json.ts';
import type { Plan } from '../../workflows/plan/plan.ts';
import type { Source } from '../read/source.ts';

/** A file with its plan, before and after the plans that it starts are added. */
export interface Linkable {
  readonly source: Source;
  readonly value: JsonObject | undefined;
  readonly plan: Plan | undefined;
}
