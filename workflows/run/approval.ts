import { parseDuration } from '../plan/values/duration.ts';
import type { Json, JsonObject } from '../plan/values/json.ts';
import type { TaskPlan } from '../plan/plan.ts';
import type { TaskResult } from '../plan/runs/run.ts';
import { type Decisions, isDecided, type OpenApproval } from './decisions.ts';
import type { RunScope } from './run-host.ts';
import type { RunState } from './run-state.ts';

/**
 * Waits for people to approve. An approved task succeeds; a rejected task is skipped, and so are its followers according to their trigger
 * rules. A rejection is an answer and not a failure, as in Airflow's ApprovalOperator.
 */
export async function runApproval(
  task: TaskPlan,
  params: JsonObject,
  decisions: Decisions,
  state: RunState,
  scope: RunScope,
): Promise<TaskResult> {
  const { prompt, assignees = [], quorum = 1, timeout, on_timeout = 'reject', form } = params;
  const open: OpenApproval = {
    prompt: String(prompt),
    assignees: assignees as readonly string[],
    quorum: Number(quorum),
    form: form as JsonObject | undefined,
    votes: [],
  };
  const asked = open.assignees.length === 0 ? '' : ` (asked: ${open.assignees.join(', ')})`;
  const summary = `${task.name}: ${String(prompt)}${asked}`;
  state.settle(task, { state: 'deferred', note: `waits for approval: ${String(prompt)}` });
  const timeoutMs = typeof timeout === 'string' ? parseDuration(timeout) : undefined;
  await decisions.approval(task, open, { summary, ...(timeoutMs !== undefined && { timeoutMs }) }, scope);
  const decision = isDecided(open) ? (open.votes.find((vote) => vote.decision === 'reject')?.decision ?? 'approve') : String(on_timeout);
  const by = open.votes.filter((vote) => vote.decision === decision).map((vote) => vote.by);
  const comments = open.votes.flatMap(({ comment }) => comment ?? []);
  const answers = Object.assign({}, ...open.votes.map((vote) => vote.form ?? {})) as JsonObject;
  const output: Json = { decision, by, comments, form: answers, prompt: open.prompt };
  const outcome = decision === 'approve' ? 'approved' : 'rejected';
  const note = [`${outcome} by ${by.length > 0 ? by.join(', ') : 'time-out'}`, ...comments].join(': ');
  return { state: decision === 'approve' ? 'success' : 'skipped', output, note };
}
