import {
  checkRequest,
  operationName,
  type OperatorRequest,
  type RunOperation,
  type TaskOperation,
  type TaskRequest,
} from '../plan/runs/decision.ts';
import type { RunStatus } from '../plan/runs/run.ts';
import { isFinal } from '../plan/tasks/task-state.ts';
import { waitsMemo } from '../plan/tasks/wait-text.ts';
import type { Decisions } from './decisions.ts';
import type { Pasts } from './past.ts';
import type { RunHost, RunScope } from './run-host.ts';
import type { RunState } from './run-state.ts';
import type { TaskListRun } from './task-list-run.ts';

/** Operator requests to an active run. Each is validated first, so an invalid request changes nothing. */
export class Operations {
  /** One line per operation: `skip load by ann: the source is down`. */
  readonly log: string[] = [];
  private paused: OperatorRequest | undefined;
  private waits = false;
  private readonly lists = new Set<TaskListRun>();

  constructor(
    private readonly host: RunHost,
    private readonly state: RunState,
    private readonly decisions: Decisions,
    private readonly pasts: Pasts,
  ) {
    decisions.changed = () => {
      this.reportStatus();
      host.showWaits(waitsMemo(decisions.waits));
    };
  }

  /** A paused run starts no further tasks; active tasks continue. A cancelled run still executes its `finally` tasks. */
  get isPaused(): boolean {
    return this.paused !== undefined && !this.host.canceled;
  }

  /** Waits until the run is resumed. @throws TaskCanceled when the scope is cancelled first */
  async resumed(scope: RunScope): Promise<void> {
    await this.host.until(() => !this.isPaused, { summary: 'paused' }, scope);
  }

  /** Records whether the run waits for its turn. */
  waitsForTurn(waits: boolean): void {
    this.waits = waits;
    this.reportStatus();
  }

  /** Lets operators act on the tasks of a list while the list runs. */
  async during(list: TaskListRun): Promise<void> {
    this.lists.add(list);
    try {
      await list.complete();
    } finally {
      this.lists.delete(list);
    }
  }

  /** @returns what is wrong with the request, or undefined */
  checkRun(operation: RunOperation, request: OperatorRequest): string | undefined {
    const mistake = checkRequest(request);
    if (mistake !== undefined) return mistake;
    if (operation === 'pause') return this.paused ? `The run is already paused, by ${this.paused.by}.` : undefined;
    return this.paused ? undefined : 'The run is not paused.';
  }

  onRun(operation: RunOperation, request: OperatorRequest): string {
    this.paused = operation === 'pause' ? request : undefined;
    this.reportStatus();
    return this.note(operationName(operation), request);
  }

  private reportStatus(): void {
    this.host.enter(this.status());
  }

  /** States that an operator can act on take precedence. */
  private status(): RunStatus {
    if (this.paused) return 'paused';
    if (this.waits) return 'queued';
    const kinds = this.decisions.waits.map(({ kind }) => kind);
    return kinds.includes('held') ? 'held' : (kinds[0] ?? 'running');
  }

  /** @returns what is wrong with the request, or undefined */
  checkTask(operation: TaskOperation, request: TaskRequest): string | undefined {
    const mistake = checkRequest(request);
    if (mistake !== undefined) return mistake;
    if (operation === 'retry' && this.pasts.isWaiting(request.task)) return undefined;
    const list = this.listOf(request.task);
    if (!list)
      return `Task '${String(request.task)}' cannot be skipped, retried or marked now. Tasks that can: ${this.taskNames().join(', ')}.`;
    const state = this.state.results.get(request.task)?.state ?? 'queued';
    const isRetry = operation === 'retry';
    if (isRetry && state !== 'held' && !isFinal(state))
      return `'${request.task}' is ${state}: only a task that has ended or is on hold can be retried.`;
    if (isRetry && state === 'success') return `'${request.task}' has succeeded. \`sluice rerun\` repeats it in a new run.`;
    if (!isRetry && (state === 'success' || state === 'skipped')) return `'${request.task}' has already ended: ${state}.`;
    return undefined;
  }

  onTask(operation: TaskOperation, request: TaskRequest): string {
    const note = this.note(`${operation} ${request.task}`, request);
    const said = `${operation} by ${byWhom(request)}`;
    if (operation === 'retry' && this.pasts.isWaiting(request.task)) this.pasts.letGo(request.task, `did not wait for its past: ${said}`);
    else if (this.state.results.get(request.task)?.state === 'held' && operation !== 'mark-success') {
      const { task, by, reason } = request;
      this.decisions.decideHeld({ task, by, action: operation, ...(reason !== undefined && { reason }) });
    } else if (operation === 'retry') this.listOf(request.task)?.again(request.task);
    else this.listOf(request.task)?.settle(request.task, { state: operation === 'skip' ? 'skipped' : 'success', note: said });
    return note;
  }

  /** Logs an operation that is carried out elsewhere, such as a cancellation. */
  note(operation: string, request: OperatorRequest): string {
    const line = `${operation} by ${byWhom(request)}`;
    this.log.push(line);
    return line;
  }

  private listOf(task: string): TaskListRun | undefined {
    return [...this.lists].find((list) => list.names.includes(task));
  }

  private taskNames(): string[] {
    return [...this.lists].flatMap(({ names }) => names);
  }
}

function byWhom({ by, reason }: OperatorRequest): string {
  return reason === undefined || reason === '' ? by : `${by}: ${reason}`;
}
