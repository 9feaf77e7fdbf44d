import { type DatasetReference, datasetLocation } from '../plan/datasets/dataset.ts';
import type { Plan, TaskPlan } from '../plan/plan.ts';
import type { ItemCall } from '../plan/tasks/items.ts';
import type { TaskInput } from '../plan/tasks/task-input.ts';
import type { JsonObject } from '../plan/values/json.ts';
import { batchSuffix, type ListPart } from './expanded-task.ts';
import type { RunContext } from './run-context.ts';
import { type ActivityCall, type ItemsCall, type PipelineCall, TaskFailed } from './run-host.ts';
import type { RunState } from './run-state.ts';
import type { Call } from './task-call.ts';
import type { TaskExpressions } from './task-expressions.ts';

/** Builds a task's requests to the host: calls with ids, summaries and inputs. Executes nothing. */
export class TaskCalls {
  constructor(
    private readonly plan: Plan,
    private readonly context: RunContext,
    private readonly state: RunState,
    private readonly expressions: TaskExpressions,
  ) {}

  /** One activity: a whole task, or one item of its list. @param round from 1; Temporal's retries do not count */
  activity(task: TaskPlan, { suffix, items }: Call, round: number): ActivityCall {
    return {
      id: idOf(task, suffix, round),
      task,
      summary: `${task.name}${suffix}: ${task.summary}`,
      input: this.inputOf(task, this.expressions.render(task, items), suffix, items),
    };
  }

  /** One activity for several items. */
  batch(task: TaskPlan, calls: readonly Call[], round: number): ActivityCall {
    const batch = calls.map(({ items, suffix }) => {
      const { params, output, values } = this.inputOf(task, this.expressions.render(task, items), suffix, items);
      return { params, ...(output !== undefined && { output }), ...(values && { values }) };
    });
    const suffix = batchSuffix(calls);
    return {
      id: idOf(task, suffix, round),
      task,
      summary: `${task.name}${suffix}: ${task.summary}`,
      input: { ...this.inputOf(task, {}, '', undefined), batch },
    };
  }

  /** A part of a long list, run with its own history. */
  part(task: TaskPlan, part: ListPart, round: number): ItemsCall {
    const { batches, parallel, stopAtFailure } = part;
    // Leave the list out: otherwise each part would carry all of it, and 200 parts fill a history.
    const { expand, ...each } = task;
    const calls = batches.map((batch): ItemCall => {
      const [only] = batch;
      const { id, summary, input } = expand?.batchSize === 1 && only ? this.activity(task, only, round) : this.batch(task, batch, round);
      return { id, summary, input };
    });
    const name = `${calls[0]?.id ?? ''} – ${calls.at(-1)?.id ?? ''}`;
    const id = `${this.context.pipelineRunId}/${idOf(task, `/${part.index}`, round)}`;
    return { id, summary: name, input: { task: { ...each, params: {} }, calls, parallel, stopAtFailure } };
  }

  /** A run of another pipeline. @throws TaskFailed when the plan does not contain that pipeline */
  pipeline(task: TaskPlan, { suffix, items }: Call, round: number): Omit<PipelineCall, 'attempt'> {
    const params = this.expressions.render(task, items);
    const dagId = String(params.dag_id);
    const { pipelines = {} } = this.plan;
    const child = pipelines[dagId];
    if (!child) throw new TaskFailed(`The plan of this run does not hold the pipeline '${dagId}'.`);
    return {
      parentRunId: this.context.pipelineRunId,
      taskId: idOf(task, suffix, round),
      task,
      plan: { ...child, pipelines },
      params: (params.params ?? {}) as JsonObject,
      interval: this.context.interval,
      wait: params.wait !== false,
    };
  }

  /** @param items of the call; undefined for the input that the calls of a batch share */
  private inputOf(task: TaskPlan, params: JsonObject, suffix: string, items: JsonObject | undefined): TaskInput {
    const dataset =
      task.inputFrom === undefined ? undefined : (this.state.results.get(task.inputFrom)?.output as DatasetReference | undefined);
    const values = items && this.expressions.namesRead(task, items);
    // In plans of earlier releases, only pipelines with a schedule have a time zone here.
    const timezone = (task.wait && this.plan.schedule?.timezone) ?? (task.wait || values ? this.plan.dateZone : undefined);
    const base = task.outputBase === undefined ? undefined : `${task.outputBase}${suffix.replace(/\[(\d+)\]/g, '/item_$1')}`;
    return {
      params,
      ...(task.templates && { rendered: true }),
      ...(values && { values }),
      ...(timezone !== undefined && { timezone }),
      ...(task.retryRules && { retryRules: task.retryRules }),
      ...(task.lineage && { planHash: this.plan.hash }),
      interval: this.context.interval,
      ...(dataset && { input: dataset }),
      ...(base !== undefined && { output: datasetLocation(base, this.context.interval.start) }),
      ...(task.ownsEffects && this.context.identity && { run: this.context.identity }),
    };
  }
}

/** The id of a call, unique in the run: `task`, `task[17]`, `task#2`. */
export function idOf(task: TaskPlan, suffix: string, round: number): string {
  return `${task.name}${suffix}${round === 1 ? '' : `#${round}`}`;
}
