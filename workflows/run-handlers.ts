import type { UpdateDefinition } from '@temporalio/common';
import { setHandler } from '@temporalio/workflow';
import {
  CANCEL_REQUEST,
  checkRequest,
  DECIDE,
  RESOLVE_HELD,
  RUN_UPDATES,
  type RunOperation,
  TASK_UPDATES,
  type TaskOperation,
} from './plan/runs/decision.ts';
import { TASK_TABLE_QUERY } from './plan/tasks/task-table.ts';
import { refuseWhere } from './refuse-update.ts';
import type { PipelineRun } from './run/pipeline-run.ts';

/**
 * Handles the updates that people send to an active run from the command line or the Temporal UI. Each update is validated first, and the
 * history records who sent it, when and why.
 */
export function acceptDecisions(run: PipelineRun): void {
  const { decisions, operations } = run;
  setHandler(TASK_TABLE_QUERY, (request) => run.table(request));
  handle(
    DECIDE,
    'Approve or reject: {"task", "decision": "approve" | "reject", "by", "comment"?, "form"?}',
    (vote) => decisions.checkVote(vote),
    (vote) => {
      decisions.vote(vote);
      return `${vote.decision} by ${vote.by}`;
    },
  );
  handle(
    RESOLVE_HELD,
    'Decide on a task that is on hold: {"task", "action": "retry" | "skip" | "fail", "by", "reason"?}',
    (decision) => decisions.checkHeld(decision),
    (decision) => {
      decisions.decideHeld(decision);
      return `${decision.action} by ${decision.by}`;
    },
  );
  for (const operation of Object.keys(RUN_UPDATES) as RunOperation[]) {
    handle(
      RUN_UPDATES[operation],
      `${operation === 'pause' ? 'Start no further tasks' : 'Resume'}: {"by", "reason"?}`,
      (request) => operations.checkRun(operation, request),
      (request) => operations.onRun(operation, request),
    );
  }
  for (const operation of Object.keys(TASK_UPDATES) as TaskOperation[]) {
    handle(
      TASK_UPDATES[operation],
      `${TASK_OPERATION_HELP[operation]}: {"task", "by", "reason"?}`,
      (request) => operations.checkTask(operation, request),
      (request) => operations.onTask(operation, request),
    );
  }
  setHandler(CANCEL_REQUEST, (request) => {
    if (checkRequest(request) === undefined) operations.note('cancel', request);
  });
}

const TASK_OPERATION_HELP = {
  skip: 'Skip a task and continue',
  'mark-success': 'Mark a task as succeeded, without an output, and continue',
  retry: 'Retry a failed task, and the tasks that waited for it',
} as const satisfies Record<TaskOperation, string>;

function handle<T>(
  update: UpdateDefinition<string, [T]>,
  description: string,
  check: (request: T) => string | undefined,
  take: (request: T) => string,
): void {
  setHandler(update, take, { validator: refuseWhere(check), description });
}
