import type { PayloadConverter } from '@temporalio/common';
import { allTasks, type Plan, type TaskPlan } from '../../workflows/plan/plan.ts';
import { taskOfPast } from '../../workflows/plan/runs/past.ts';
import type { RunInput, RunResult } from '../../workflows/plan/runs/run.ts';
import { isFinal } from '../../workflows/plan/tasks/task-state.ts';
import type { OpenWait, TaskStatus, TaskTable } from '../../workflows/plan/tasks/task-table.ts';
import { payloadReader, SluiceCodec } from '../codec/codec.ts';
import { type HistoryEvent, type HistoryFact, HistoryFacts } from './history-facts.ts';
import { type TaskInstance, tidy } from './task-instance.ts';

/** A pending activity, as Temporal describes it. */
export interface PendingActivity {
  readonly id: string;
  readonly attempt: number;
  /** Whether it waits for its next attempt. */
  readonly isRetrying: boolean;
  /** Whether a worker has started it. */
  readonly isStarted: boolean;
  readonly lastFailure?: string;
  /** Whether the last worker that took it did not know its type, and gave it back. */
  readonly isUnknown?: boolean;
}

/**
 * The task states of a run, for display and monitoring. The run's own report takes precedence: its task table while it is active, its
 * result when it has ended. The history supplies the rest (times, attempts, outputs), or everything if no worker answers.
 */
export class TaskInstances {
  input: RunInput | undefined;
  result: RunResult | undefined;
  /** The last task table that the run reported. */
  table: TaskTable | undefined;
  private readonly plans = new Map<string, TaskPlan>();
  private readonly tasks = new Map<string, TaskInstance>();
  private readonly history: HistoryFacts;
  private endedAt: Date | undefined;

  /** @param reader reads raw payloads from Temporal */
  constructor(reader: PayloadConverter) {
    this.history = new HistoryFacts(reader);
  }

  /** The tasks of `plan`, not started, without a history. */
  static of(plan: Plan): TaskInstances {
    const instances = new TaskInstances(payloadReader(new SluiceCodec()));
    instances.begin(plan);
    return instances;
  }

  /** All tasks in the plan's order. */
  all(): TaskInstance[] {
    return [...this.tasks.values()];
  }

  get(task: string): TaskInstance | undefined {
    return this.tasks.get(task);
  }

  /** Applies one event of the run's history, starting with the first. @returns the tasks that it changed */
  add(event: HistoryEvent): TaskInstance[] {
    const fact = this.history.read(event);
    return fact ? this.take(fact) : [];
  }

  /** Applies the run's task table. @returns the tasks that it changed */
  apply(table: TaskTable): TaskInstance[] {
    this.table = table;
    if (this.result) return [];
    const waits = new Map(table.waits.map((wait) => [wait.task, wait]));
    return this.all().flatMap(({ task }) => this.settle(task, table.tasks[task] ?? { state: 'queued' }, waits.get(task)));
  }

  /** Applies what Temporal only reports while an activity is pending: its attempts. */
  observe({ id, attempt, isRetrying, isStarted, lastFailure, isUnknown = false }: PendingActivity): TaskInstance | undefined {
    const waiting = this.tasks.get(taskOfPast(id) ?? '');
    if (waiting) return this.waitsForPast(waiting, lastFailure);
    const task = this.tasks.get(nameOf(id));
    // The activity of one item does not describe the whole task.
    if (!task || id.includes('[') || this.endedAt) return undefined;
    const state = isRetrying && !isUnknown ? 'up_for_retry' : isStarted ? 'running' : 'queued';
    const refined = task.state === 'queued' || task.state === 'running' || task.state === 'up_for_retry';
    const note = task.state === 'deferred' || isUnknown ? lastFailure : undefined;
    const after: TaskInstance = {
      ...task,
      attempt,
      ...(refined && { state }),
      ...(refined && lastFailure !== undefined && !isUnknown && { error: lastFailure }),
      ...(note !== undefined && { note }),
    };
    this.tasks.set(task.task, after);
    return after;
  }

  /** @param seen the last result of the check of earlier runs */
  private waitsForPast(task: TaskInstance, seen: string | undefined): TaskInstance | undefined {
    if (this.endedAt || task.state !== 'queued' || seen === undefined) return undefined;
    const after = { ...task, note: `waits for its past: ${seen}` };
    this.tasks.set(task.task, after);
    return after;
  }

  private begin(plan: Plan): void {
    for (const task of allTasks(plan)) {
      const { name, type, summary } = task;
      const kept = this.input?.rerunOf?.kept[name];
      this.plans.set(name, task);
      this.tasks.set(name, { task: name, type, summary, state: 'queued', attempt: 1, ...(kept && !kept.partial && kept) });
    }
  }

  /** Applies the state of a task that the run itself reports. */
  private settle(task: string, { state: reported, startedAt, endedAt, ...status }: TaskStatus, wait: OpenWait | undefined): TaskInstance[] {
    const before = this.tasks.get(task);
    if (!before) return [];
    const state = this.endedAt && !isFinal(reported) ? 'canceled' : reported;
    const { note: earlier, ...kept } = before;
    const note = status.note ?? (isFinal(state) ? undefined : earlier);
    const start = before.startedAt ?? dateOf(startedAt);
    const end = before.endedAt ?? dateOf(endedAt) ?? (start && this.endedAt);
    const settled = tidy({
      ...kept,
      wait,
      ...(note !== undefined && { note }),
      ...(status.error !== undefined && { error: status.error }),
      ...(status.output !== undefined && { output: status.output }),
      state,
      ...(start && { startedAt: start }),
      ...(end && { endedAt: end }),
      ...(wait && { wait }),
    });
    this.tasks.set(task, settled);
    return before.state === settled.state && before.note === settled.note ? [] : [settled];
  }

  private take(fact: HistoryFact): TaskInstance[] {
    const { at } = fact;
    switch (fact.kind) {
      case 'run started':
        this.input = fact.input;
        if (fact.input) this.begin(fact.input.plan);
        return [];
      case 'scheduled':
        return this.change(fact.id, { state: this.plans.get(nameOf(fact.id))?.wait ? 'deferred' : 'running', startedAt: at });
      case 'attempt':
        return this.change(fact.id, { startedAt: at, attempt: fact.attempt });
      case 'child started':
        return this.plans.get(nameOf(fact.id))?.params.wait === false ? this.change(fact.id, { state: 'success', endedAt: at }) : [];
      case 'succeeded':
        return this.change(fact.id, { state: 'success', endedAt: at, ...(fact.output !== undefined && { output: fact.output }) });
      case 'failed':
        return this.fail(fact.id, at, fact.error);
      case 'canceled':
        return this.change(fact.id, { state: 'canceled', endedAt: at });
      case 'run ended':
        return this.end(at, fact.result);
    }
  }

  /** Completes the tasks of a cancelled or terminated run, which does not report them: active tasks are cancelled. */
  private end(at: Date, result: RunResult | undefined): TaskInstance[] {
    this.endedAt = at;
    this.result = result ?? this.result;
    const { tasks = {}, times = {} } = this.result ?? {};
    return this.all().flatMap((instance) => {
      const { state, note } = instance;
      const ended: TaskStatus = tasks[instance.task] ?? { state, ...(note !== undefined && { note }) };
      return this.settle(instance.task, { ...ended, ...times[instance.task] }, undefined);
    });
  }

  private fail(id: string, at: Date, error: string): TaskInstance[] {
    const { holdOnFailureMs, wait } = this.plans.get(nameOf(id)) ?? {};
    if (this.plans.get(nameOf(id))?.expand) return this.changeItem(id, error);
    if (holdOnFailureMs !== undefined) return this.change(id, { state: 'held', error });
    return this.change(id, wait?.softFail ? { state: 'skipped', endedAt: at, note: error } : { state: 'failed', endedAt: at, error });
  }

  /** @param error why an item failed; absent if it succeeded */
  private changeItem(id: string, error?: string): TaskInstance[] {
    const before = this.tasks.get(nameOf(id));
    const [item] = /(\[[^#/]*\])/.exec(id) ?? [];
    if (!before || item === undefined || (error === undefined && !before.failedItems)) return [];
    const others = (before.failedItems ?? []).filter((each) => each.item !== item);
    const failedItems = error === undefined ? others : [...others, { item, error }];
    this.tasks.set(before.task, { ...before, failedItems });
    return [];
  }

  /** @param id of an activity or a child; for an item, only the start concerns the whole task */
  private change(id: string, change: Partial<TaskInstance>): TaskInstance[] {
    const task = nameOf(id);
    const before = this.tasks.get(task);
    if (!before) return [];
    const isPart = this.plans.get(task)?.expand !== undefined;
    if (isPart && change.state === 'success') return this.changeItem(id);
    if (isPart && (!(change.state === 'running' || change.state === 'deferred') || before.startedAt)) return [];
    const { note: earlier, ...kept } = before;
    const note = change.state === undefined || !isFinal(change.state) ? earlier : undefined;
    const after = tidy({ ...kept, ...(note !== undefined && { note }), ...change });
    this.tasks.set(task, after);
    return [after];
  }
}

/**
 * The task of an activity or child: `task`, `task#2` for a second round by an operator, `task[17]` for an item, `task/3` for part of a long
 * list.
 */
function nameOf(id: string): string {
  return id.replace(/[[#/].*$/, '');
}

function dateOf(ms: number | undefined): Date | undefined {
  return ms === undefined ? undefined : new Date(ms);
}
