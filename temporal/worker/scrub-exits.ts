import type { WorkflowClientInterceptor } from '@temporalio/client';
import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import type { Scrubber } from '../../lib/scrubbing/scrub.ts';

/** All that activities hand to Temporal leaves a worker here: results, failures and heartbeats, without secrets. */
export function scrubbedActivities(secrets: Scrubber): ActivityInterceptorsFactory {
  return (context) => {
    const heartbeat = context.heartbeat;
    Object.assign(context, { heartbeat: (details?: unknown) => heartbeat(secrets.hideIn(details)) });
    return {
      inbound: {
        async execute(input, next) {
          try {
            return secrets.hideIn(await next(input));
          } catch (error) {
            throw secrets.hideInError(error);
          }
        },
      },
    };
  };
}

/** Signals that activities send, such as the reports of sensors, without secrets. */
export function scrubbedSignals(secrets: Scrubber): WorkflowClientInterceptor {
  return { signal: (input, next) => next({ ...input, args: secrets.hideIn(input.args) }) };
}
