import { formatDuration } from '../plan/values/duration.ts';
import type { HostFact, HostFacts } from '../plan/tasks/failure.ts';
import type { ItemOutcome, ItemsInput } from '../plan/tasks/items.ts';
import type { Json, JsonObject } from '../plan/values/json.ts';
import type { Past, PastQuestion } from '../plan/runs/past.ts';
import type { Plan, TaskPlan } from '../plan/plan.ts';
import type { PartialOutputs, RunStatus } from '../plan/runs/run.ts';
import type { DataInterval } from '../plan/timetable/schedule.ts';
import type { OnOverlap } from '../plan/slots/slots.ts';
import type { TaskInput } from '../plan/tasks/task-input.ts';

/**
 * Everything that a run needs from its environment: Temporal in production, a simulation in `sluice test`. The code of the run is the same
 * in both.
 */
export interface RunHost {
  /** Runs an activity to its end. @throws TaskFailed, TaskCanceled */
  execute(call: ActivityCall, scope: RunScope): Promise<Json>;
  /** Runs a part of a long list with its own history. @throws TaskFailed, TaskCanceled */
  runItems(call: ItemsCall, scope: RunScope): Promise<readonly ItemOutcome[]>;
  /** Starts an activity in its own scope. `explain` translates its failures. */
  begin(call: ActivityCall, inside: RunScope): RunningActivity;
  /** Translates the failure of a started activity into TaskFailed or TaskCanceled. */
  explain(task: TaskPlan, error: unknown): TaskFailed | TaskCanceled;
  /** Starts a run of another pipeline, and waits for its end if `wait` is set. @throws TaskFailed, TaskCanceled */
  runPipeline(call: PipelineCall, scope: RunScope): Promise<Json>;
  /**
   * Waits until `ready` returns true, at most `timeoutMs`.
   * @returns whether `ready` returned true
   * @throws TaskCanceled when the scope is cancelled first
   */
  until(ready: () => boolean, wait: { readonly timeoutMs?: number; readonly summary: string }, scope: RunScope): Promise<boolean>;
  /**
   * Does `work` in its own scope. The scope is cancelled after `timeoutMs` and, unless it is shielded, with the run.
   * Everything in the scope then ends as cancelled, but `work` itself continues and returns its result.
   * @param options `inside`: the parent scope; default: the run's own
   */
  within<T>(options: ScopeOptions, work: (scope: RunScope) => Promise<T>): Promise<T>;
  /**
   * Waits for slots.
   * @returns a function that releases the slots, or undefined when none are free and the call must not wait
   * @throws TaskCanceled when the scope is cancelled first
   */
  acquire(call: SlotCall, scope: RunScope): Promise<(() => Promise<void>) | undefined>;
  /** Waits until a task has succeeded, or was skipped, in the previous interval. @throws TaskFailed, TaskCanceled */
  past(call: PastCall, scope: RunScope): Promise<Past>;
  /**
   * Facts about a failure that only the host knows. Works in cancelled runs too.
   * @param task the failed task, with the item for a list: `load[3]`
   * @param wanted the facts to return; the others may have any value
   */
  failureFacts(task: string, wanted: readonly HostFact[]): Promise<HostFacts>;
  /** Sets the run's status where people search for runs. */
  enter(state: RunStatus): void;
  /** Shows the people a run waits for, readable without the run: one line per wait. */
  showWaits(lines: readonly string[]): void;
  /** Whether the run has been asked to end. */
  readonly canceled: boolean;
  /** Milliseconds since 1970; the same on replay. */
  readonly now: number;
  /** Shows the task table of the run. `taskTable` is called only when somebody reads it. */
  show(taskTable: () => string): void;
}

export interface ScopeOptions {
  readonly timeoutMs?: number;
  readonly shielded?: boolean;
  readonly inside?: RunScope;
}

/** A part of a run that can be cancelled as a unit. */
export interface RunScope {
  readonly canceled: boolean;
  cancel(): void;
}

/** A started activity. */
export interface RunningActivity {
  readonly scope: RunScope;
  readonly output: Promise<Json>;
}

/** A request to run an activity. */
export interface ActivityCall {
  /** Unique in the run: `task`, `task[17]` for an item, `task#2` for a second round. */
  readonly id: string;
  readonly task: TaskPlan;
  /** The text that the UI shows for the call. */
  readonly summary: string;
  readonly input: TaskInput;
}

/** A request for slots by a run or one of its tasks. */
export interface SlotCall {
  /** The workflow that manages the slots. */
  readonly workflowId: string;
  readonly kind: 'pool' | 'runs';
  /** A name for people; unique in the run. */
  readonly what: string;
  readonly slots: number;
  readonly priority: number;
  readonly onOverlap: OnOverlap;
  /** The capacity, if the run defines it. */
  readonly capacity?: number;
  /** A short description of what the run waits for. */
  readonly summary: string;
  /** Called while the request exceeds the total capacity. */
  readonly onShortage?: (capacity: number) => void;
}

/** A request to wait for a task's past. */
export interface PastCall {
  /** Unique in the run. */
  readonly id: string;
  readonly task: TaskPlan;
  readonly question: PastQuestion;
}

/** A request to run a part of a long list. */
export interface ItemsCall {
  readonly id: string;
  readonly summary: string;
  readonly input: ItemsInput;
}

/** A request to run another pipeline. */
export interface PipelineCall {
  /** The run that starts it, and the id of the task there. */
  readonly parentRunId: string;
  readonly taskId: string;
  /** From 1; each attempt is a separate run. */
  readonly attempt: number;
  readonly task: TaskPlan;
  readonly plan: Plan;
  readonly params: JsonObject;
  readonly interval: DataInterval;
  readonly wait: boolean;
}

/** Thrown when a task has finally failed. */
export class TaskFailed extends Error {
  override readonly name = 'TaskFailed';
  constructor(
    message: string,
    /** The host's original error; kept for the failure of the run. */
    readonly origin?: unknown,
    /** For a list: the outputs of the items that succeeded. */
    readonly partial?: PartialOutputs,
    /** The task waited until its timeout without success. */
    readonly expired = false,
    /** For a list: the item or batch that failed first: `[3]`, `[0-99]`. */
    readonly item = '',
  ) {
    super(message);
  }

  /** Makes the error of a task that waited until its timeout. @param seen what it observed last */
  static inVain(timeoutMs: number, seen: string | undefined, origin: unknown): TaskFailed {
    return new TaskFailed(
      `Waited for ${formatDuration(timeoutMs)} in vain.${seen === undefined ? '' : ` ${seen}`}`,
      origin,
      undefined,
      true,
    );
  }
}

/** Thrown when a task's work ended because of a cancellation. */
export class TaskCanceled extends Error {
  override readonly name = 'TaskCanceled';
}
