import { type Evaluator, ExpressionFailed, type Variables } from '../plan/expressions/evaluator.ts';
import type { ExpandPlan, TaskPlan } from '../plan/plan.ts';
import type { Failure } from '../plan/tasks/failure.ts';
import { putOutput } from '../plan/tasks/outputs.ts';
import { identityText } from '../plan/values/exact-json.ts';
import type { Json, JsonObject } from '../plan/values/json.ts';
import type { RunContext } from './run-context.ts';
import type { RunState } from './run-state.ts';

/** Thrown when the list to expand does not exist, because a task that makes it was skipped or has failed. */
export class ListMissing extends Error {
  override readonly name = 'ListMissing';
  constructor(
    readonly state: 'skipped' | 'upstream_failed',
    tasks: string,
  ) {
    super(`there is no list: ${tasks} ${state === 'skipped' ? 'was skipped' : 'did not succeed'}`);
  }
}

/** Evaluates the expressions of a plan with the values of one run. */
export class TaskExpressions {
  /** Why the run has failed, for its handlers; null otherwise. */
  failure: Failure | null = null;

  /** @param evaluator absent: the plan has no expressions */
  constructor(
    private readonly context: RunContext,
    private readonly state: RunState,
    private readonly evaluator: Evaluator | undefined,
  ) {}

  /** The value of an expression of the pipeline itself, such as its concurrency key. */
  evaluate(expression: string): Json {
    if (!this.evaluator) throw new ExpressionFailed(`The plan says that it has no expressions, and has '${expression}'.`);
    return this.evaluator.evaluate(expression, this.variables());
  }

  /** Whether a task's condition is true. */
  test(task: TaskPlan, condition: string): boolean {
    return this.of(task).test(condition, this.variables());
  }

  /** The value of a task's switch. @param output the task's own output, which is not recorded yet */
  branch(task: TaskPlan, output: Json | undefined): string {
    const withOwn: Record<string, Json | undefined> = { ...this.state.outputs() };
    putOutput(withOwn, task.name, output ?? null);
    const value = this.of(task).evaluate(task.switch?.on ?? '', { ...this.variables(), outputs: withOwn });
    return identityText(value);
  }

  /** The list that a task expands over. @throws ListMissing when a task that makes the list has no output */
  list(task: TaskPlan, over: ExpandPlan['over'], items: JsonObject): Json {
    if (typeof over !== 'string') return over;
    try {
      return this.of(task).evaluate(over, { ...this.variables(), ...items });
    } catch (error) {
      const states = (task.expand?.reads ?? []).map((name) => [name, this.state.results.get(name)?.state] as const);
      const skipped = states.filter(([, state]) => state === 'skipped');
      const failed = states.filter(([, state]) => state !== 'skipped' && state !== 'success');
      if (failed.length > 0) throw new ListMissing('upstream_failed', failed.map(([name]) => name).join(', '));
      if (skipped.length > 0) throw new ListMissing('skipped', skipped.map(([name]) => name).join(', '));
      throw error;
    }
  }

  /** The rendered parameters of a task. @param items list items, by their names in expressions */
  render(task: TaskPlan, items: JsonObject): JsonObject {
    if (!task.templates) return task.params;
    return this.of(task).renderParams(task.params, task.templates, { ...this.variables(), ...items });
  }

  /** The values that a task's parameters read, by name; undefined if they have no expressions. */
  namesRead(task: TaskPlan, items: JsonObject): JsonObject | undefined {
    return task.templates && this.of(task).namesRead(task.params, task.templates, { ...this.variables(), ...items });
  }

  private variables(): Variables {
    const failure = this.failure as unknown as JsonObject | null;
    return { ...this.context.values, params: this.context.params, outputs: this.state.outputs(), failure };
  }

  private of(task: TaskPlan): Evaluator {
    if (!this.evaluator) throw new ExpressionFailed(`The plan says that it has no expressions, and task '${task.name}' has some.`);
    return this.evaluator;
  }
}
