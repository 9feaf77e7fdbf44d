import { type ApprovalVote, checkRequest, type HeldDecision } from '../plan/runs/decision.ts';
import type { Json, JsonObject } from '../plan/values/json.ts';
import type { TaskPlan } from '../plan/plan.ts';
import type { OpenWait } from '../plan/tasks/task-table.ts';
import { checkValue } from '../plan/values/value-schema.ts';
import { type RunHost, type RunScope, TaskCanceled } from './run-host.ts';

/** An open approval. */
export interface OpenApproval {
  readonly prompt: string;
  readonly assignees: readonly string[];
  readonly quorum: number;
  readonly form: JsonObject | undefined;
  readonly votes: ApprovalVote[];
}

/** Decisions of people during a run. Each is validated first, so an invalid decision changes nothing. */
export class Decisions {
  private readonly approvals = new Map<string, OpenApproval>();
  private readonly holds = new Map<string, HeldDecision | undefined>();
  private readonly open = new Map<string, Omit<OpenWait, 'votes'>>();

  /** Called when a task starts to wait for people, or stops waiting. */
  changed: () => void = () => undefined;

  constructor(private readonly host: RunHost) {}

  /** The tasks that wait for people now, longest wait first. */
  get waits(): readonly OpenWait[] {
    return [...this.open.values()].map((wait) => {
      const votes = this.approvals.get(wait.task)?.votes ?? [];
      return votes.length === 0 ? wait : { ...wait, votes: votes.map(({ decision, by }) => `${decision} by ${by}`) };
    });
  }

  /** @returns what is wrong with a vote, or undefined */
  checkVote(vote: ApprovalVote): string | undefined {
    const approval = this.approvals.get(vote.task);
    if (!approval) return this.notWaiting(vote.task, 'approval', [...this.approvals.keys()]);
    if (vote.decision !== 'approve' && vote.decision !== 'reject')
      return `'${String(vote.decision)}' is not a decision: approve or reject.`;
    const refusal = checkRequest(vote);
    if (refusal !== undefined) return refusal;
    if (approval.assignees.length > 0 && !approval.assignees.includes(vote.by)) {
      return `'${vote.by}' is not asked to decide on '${vote.task}'; asked are: ${approval.assignees.join(', ')}.`;
    }
    if (approval.votes.some(({ by }) => by === vote.by)) return `'${vote.by}' has decided already.`;
    if (vote.decision === 'approve' && approval.form) {
      const mistakes = checkValue({ type: 'object', ...approval.form }, vote.form ?? {}, 'form');
      if (mistakes.length > 0) return mistakes.join(' ');
    }
    return undefined;
  }

  vote(vote: ApprovalVote): void {
    this.approvals.get(vote.task)?.votes.push(vote);
  }

  /** @returns what is wrong with a decision on a task on hold, or undefined */
  checkHeld(decision: HeldDecision): string | undefined {
    const { task, action } = decision;
    if (!this.holds.has(task)) return this.notWaiting(task, 'decision', [...this.holds.keys()]);
    if (!['retry', 'skip', 'fail'].includes(action)) return `'${String(action)}' is not a decision: retry, skip or fail.`;
    const refusal = checkRequest(decision);
    if (refusal !== undefined) return refusal;
    return this.holds.get(task) === undefined ? undefined : `It is decided already: ${this.holds.get(task)?.action}.`;
  }

  decideHeld(decision: HeldDecision): void {
    this.holds.set(decision.task, decision);
  }

  /** Waits for the votes of an approval: one rejection, or as many approvals as its quorum requires. */
  async approval(
    task: TaskPlan,
    open: OpenApproval,
    wait: { readonly timeoutMs?: number; readonly summary: string },
    scope: RunScope,
  ): Promise<void> {
    const { prompt, assignees, quorum, form } = open;
    this.approvals.set(task.name, open);
    this.begin(
      { task: task.name, kind: 'approval', prompt, quorum, ...(assignees.length > 0 && { assignees }), ...(form && { form }) },
      wait.timeoutMs,
    );
    try {
      await this.host.until(() => isDecided(open), wait, scope);
    } finally {
      this.approvals.delete(task.name);
      this.end(task.name);
    }
  }

  /** Waits for a decision on a failed task; undefined when its time ran out. @param error why it failed */
  async held(task: TaskPlan, error: string | undefined, scope: RunScope): Promise<HeldDecision | 'canceled' | undefined> {
    const timeoutMs = task.holdOnFailureMs ?? 0;
    this.holds.set(task.name, undefined);
    this.begin({ task: task.name, kind: 'held', ...(error !== undefined && { error }) }, timeoutMs);
    try {
      await this.host.until(
        () => this.holds.get(task.name) !== undefined,
        { timeoutMs, summary: `${task.name} is held: retry, skip or fail` },
        scope,
      );
      return this.holds.get(task.name);
    } catch (error) {
      if (error instanceof TaskCanceled) return 'canceled';
      throw error;
    } finally {
      this.holds.delete(task.name);
      this.end(task.name);
    }
  }

  private begin(wait: Omit<OpenWait, 'since' | 'until' | 'votes'>, timeoutMs: number | undefined): void {
    const since = this.host.now;
    this.open.set(wait.task, { ...wait, since, ...(timeoutMs !== undefined && { until: since + timeoutMs }) });
    this.changed();
  }

  private end(task: string): void {
    this.open.delete(task);
    this.changed();
  }

  private notWaiting(task: Json | undefined, what: string, waiting: readonly string[]): string {
    return `Task '${String(task)}' does not wait for ${what === 'approval' ? 'an approval' : 'a decision'}; ${waiting.length > 0 ? `waiting: ${waiting.join(', ')}` : 'none does'}.`;
  }
}

/** Whether an approval has enough votes. */
export function isDecided({ votes, quorum }: OpenApproval): boolean {
  return votes.some(({ decision }) => decision === 'reject') || votes.length >= quorum;
}
