import type { JsonObject } from '../../workflows/plan/values/json.ts';
import type { Plan } from '../../workflows/plan/plan.ts';
import type { Source } from '../read/source.ts';

/** A file's plan before and after it holds the plans that it starts. */
export interface Linkable {
  readonly source: Source;
  readonly value: JsonObject | undefined;
  readonly plan: Plan | undefined;
}
