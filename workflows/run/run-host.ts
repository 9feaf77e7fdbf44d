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
 * What a run needs of the world, and all it needs: Temporal in production, a simulation in `sluice test`. The run itself is the same code
 * in both.
 */
export interface RunHost {
  /** Runs an activity to its end. @throws TaskFailed, TaskCanceled */
  execute(call: ActivityCall, scope: RunScope): Promise<Json>;
  /** Works through a part of a long list in a history of its own. @throws TaskFailed, TaskCanceled */
  runItems(call: ItemsCall, scope: RunScope): Promise<readonly ItemOutcome[]>;
  /** Begins an activity in a scope of its own. It fails of what `explain` makes clear. */
  begin(call: ActivityCall, inside: RunScope): RunningActivity;
  /** What a failure of an activity that was begun is, in the words of runs. */
  explain(task: TaskPlan, error: unknown): TaskFailed | TaskCanceled;
  /** Starts a run of another pipeline, and waits for its end if `wait` says so. @throws TaskFailed, TaskCanceled */
  runPipeline(call: PipelineCall, scope: RunScope): Promise<Json>;
  /**
   * Waits until `ready` holds, or for `timeoutMs`.
   * @returns whether `ready` holds
   * @throws TaskCanceled when the scope is cancelled first
   */
  until(ready: () => boolean, wait: { readonly timeoutMs?: number; readonly summary: string }, scope: RunScope): Promise<boolean>;
  /**
   * Does `work` in a scope of its own, which is cancelled after `timeoutMs` and, unless it is shielded, with the run.
   * What runs in it ends as cancelled then; `work` itself goes on, and its result is the result.
   * @param options `inside`: the scope that this one is part of, unless it is the run's own
   */
  within<T>(options: ScopeOptions, work: (scope: RunScope) => Promise<T>): Promise<T>;
  /**
   * Waits until there is room.
   * @returns a function that makes room again, or undefined when there is none and there is not to be waited
   * @throws TaskCanceled when the scope is cancelled first
   */
  acquire(call: SlotCall, scope: RunScope): Promise<(() => Promise<void>) | undefined>;
  /** Waits until a task has succeeded, or was skipped, in the interval before. @throws TaskFailed, TaskCanceled */
  past(call: PastCall, scope: RunScope): Promise<Past>;
  /**
   * What the run does not know of its own failure; also when it was cancelled.
   * @param task that failed, with the item of a list: `load[3]`
   * @param wanted what is not wanted may be made up
   */
  failureFacts(task: string, wanted: readonly HostFact[]): Promise<HostFacts>;
  /** Shows how the run stands, where people search for runs. */
  enter(state: RunStatus): void;
  /** Shows for whom the run waits, where people see it without the run: lines, none where it waits for nobody. */
  showWaits(lines: readonly string[]): void;
  /** Whether the run has been asked to end. */
  readonly canceled: boolean;
  /** Milliseconds since 1970; the same whenever the run is repeated from its history. */
  readonly now: number;
  /** Shows how the run stands, wherever people look at it: `board` is drawn when somebody does. */
  show(taskTable: () => string): void;
}

export interface ScopeOptions {
  readonly timeoutMs?: number;
  readonly shielded?: boolean;
  readonly inside?: RunScope;
}

/** A part of a run that can be cancelled as one. */
export interface RunScope {
  readonly canceled: boolean;
  cancel(): void;
}

/** An activity that was begun. */
export interface RunningActivity {
  readonly scope: RunScope;
  readonly output: Promise<Json>;
}

/** An activity as the run wants it. */
export interface ActivityCall {
  /** Unique in the run: `task`, `task[17]` for an item, `task#2` for a second round by hand. */
  readonly id: string;
  readonly task: TaskPlan;
  /** Of the call: what the UI shows. */
  readonly summary: string;
  readonly input: TaskInput;
}

/** Slots as a run, or a task of it, wants them. */
export interface SlotCall {
  /** The workflow that has them. */
  readonly workflowId: string;
  readonly kind: 'pool' | 'runs';
  /** Unique in the run, for people. */
  readonly what: string;
  readonly slots: number;
  readonly priority: number;
  readonly onOverlap: OnOverlap;
  /** How many there are, where the run says so itself. */
  readonly capacity?: number;
  /** What is waited for, in a few words. */
  readonly summary: string;
  /** Called while it asks for more slots than there are, taken or not. */
  readonly onShortage?: (capacity: number) => void;
}

/** The past of a task as the run waits for it. */
export interface PastCall {
  /** Unique in the run. */
  readonly id: string;
  readonly task: TaskPlan;
  readonly question: PastQuestion;
}

/** A part of a long list as the run wants it. */
export interface ItemsCall {
  readonly id: string;
  readonly summary: string;
  readonly input: ItemsInput;
}

/** Another pipeline as the run wants it. */
export interface PipelineCall {
  /** The run that starts it, and the id of its task there. */
  readonly parentRunId: string;
  readonly taskId: string;
  /** From 1; each has a run of its own. */
  readonly attempt: number;
  readonly task: TaskPlan;
  readonly plan: Plan;
  readonly params: JsonObject;
  readonly interval: DataInterval;
  readonly wait: boolean;
}

/** Thrown when a task's work has failed for good. */
export class TaskFailed extends Error {
  override readonly name = 'TaskFailed';
  constructor(
    message: string,
    /** What it was, as the host has it; kept for the failure of the run. */
    readonly origin?: unknown,
    /** Of a list of items: what those gave that did not fail. */
    readonly partial?: PartialOutputs,
    /** It has waited in vain for as long as it may. */
    readonly expired = false,
    /** Of a list: the item, or the batch, that failed first: `[3]`, `[0-99]`. */
    readonly item = '',
  ) {
    super(message);
  }

  /** Of a task that has waited for its whole time-out. @param seen what it found last */
  static inVain(timeoutMs: number, seen: string | undefined, origin: unknown): TaskFailed {
    return new TaskFailed(
      `Waited for ${formatDuration(timeoutMs)} in vain.${seen === undefined ? '' : ` ${seen}`}`,
      origin,
      undefined,
      true,
    );
  }
}

/** Thrown when a task's work has ended because it was cancelled. */
export class TaskCanceled extends Error {
  override readonly name = 'TaskCanceled';
}
