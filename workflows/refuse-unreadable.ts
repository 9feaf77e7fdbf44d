import { ApplicationFailure } from '@temporalio/common';
import { log, type WorkflowInterceptors } from '@temporalio/workflow';
import { whyUnreadable } from './plan/tasks/unreadable.ts';

/**
 * How every workflow handles input that this deployment did not encrypt. Such input of the workflow fails the workflow task and not the
 * run, so the run continues once an operator fixes the keys. Signals are dropped, and updates and queries refused, because they must not
 * stop a run.
 */
export function interceptors(): WorkflowInterceptors {
  return {
    inbound: [
      {
        async execute(input, next) {
          const why = refusal(input.args);
          if (why !== undefined) throw new Error(`The input of this workflow is refused: the payload ${why}`);
          return next(input);
        },
        handleSignal(input, next) {
          const why = refusal(input.args);
          if (why === undefined) return next(input);
          log.warn(`The signal '${input.signalName}' is dropped: its payload ${why}`);
          return Promise.resolve();
        },
        validateUpdate(input, next) {
          refuseMessage(input.name, input.args);
          next(input);
        },
        handleUpdate(input, next) {
          refuseMessage(input.name, input.args);
          return next(input);
        },
        handleQuery(input, next) {
          refuseMessage(input.queryName, input.args);
          return next(input);
        },
      },
    ],
  };
}

function refusal(args: readonly unknown[]): string | undefined {
  return args.map(whyUnreadable).find((why) => why !== undefined);
}

function refuseMessage(name: string, args: readonly unknown[]): void {
  const why = refusal(args);
  if (why !== undefined) throw ApplicationFailure.nonRetryable(`'${name}' is refused: the payload ${why}`, 'PayloadRefused');
}
