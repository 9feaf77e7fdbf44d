import { ApplicationFailure } from '@temporalio/common';
import { defineQuery, defineSignal, defineUpdate, setHandler } from '@temporalio/workflow';
import {
  type ApprovalVote,
  CANCEL_REQUEST,
  type HeldDecision,
  type OperatorRequest,
  RUN_OPERATIONS,
  TASK_OPERATIONS,
  type TaskRequest,
} from './plan/runs/decision.ts';
import { TASK_TABLE_QUERY, type TaskTable, type TaskTableRequest } from './plan/tasks/task-table.ts';
import { checkRequest } from './run/operations.ts';
import type { PipelineRun } from './run/pipeline-run.ts';

/**
 * What people send to a run that goes on, from the command line or from the Temporal UI, as updates: each is checked before it is taken, and
 * stays in the history with who, when and why.
 */
export function acceptDecisions(run: PipelineRun): void {
  const { decisions, operations } = run;
  setHandler(defineQuery<TaskTable, [TaskTableRequest]>(TASK_TABLE_QUERY), (request) => run.table(request));
  handle<ApprovalVote>(
    'decide',
    'Approve or reject: {"task", "decision": "approve" | "reject", "by", "comment"?, "form"?}',
    (vote) => decisions.checkVote(vote),
    (vote) => {
      decisions.vote(vote);
      return `${vote.decision} by ${vote.by}`;
    },
  );
  handle<HeldDecision>(
    'resolve-held',
    'Decide on a task that is held: {"task", "action": "retry" | "skip" | "fail", "by", "reason"?}',
    (decision) => decisions.checkHeld(decision),
    (decision) => {
      decisions.decideHeld(decision);
      return `${decision.action} by ${decision.by}`;
    },
  );
  for (const operation of RUN_OPERATIONS) {
    handle<OperatorRequest>(
      operation,
      `${operation === 'pause' ? 'Begin no further tasks' : 'Go on'}: {"by", "reason"?}`,
      (request) => operations.checkRun(operation, request),
      (request) => operations.onRun(operation, request),
    );
  }
  for (const operation of TASK_OPERATIONS) {
    handle<TaskRequest>(
      operation,
      `${TASK_OPERATION_HELP[operation]}: {"task", "by", "reason"?}`,
      (request) => operations.checkTask(operation, request),
      (request) => operations.onTask(operation, request),
    );
  }
  setHandler(defineSignal<[OperatorRequest]>(CANCEL_REQUEST), (request) => {
    if (checkRequest(request) === undefined) operations.note('cancel', request);
  });
}

const TASK_OPERATION_HELP = {
  skip: 'Skip a task, and go on as if it had been skipped',
  'mark-success': 'Go on as if a task had succeeded, without an output',
  retry: 'Try a task again that has failed, and what waited for it',
} as const;

function handle<T>(name: string, description: string, check: (request: T) => string | undefined, take: (request: T) => string): void {
  setHandler(defineUpdate<string, [T]>(name), take, {
    validator: (request: T) => {
      const mistake = check(request);
      if (mistake !== undefined) throw ApplicationFailure.nonRetryable(mistake, 'DecisionRefused');
    },
    description,
  });
}
