import type { WorkflowClientInterceptor } from '@temporalio/client';
import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import type { Scrubber } from '../../lib/scrubbing/scrub.ts';

/** Removes secrets from everything that activities send to Temporal: results, failures and heartbeats. */
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

/** Removes secrets from signals that activities send, such as sensor reports. */
export function scrubbedSignals(secrets: Scrubber): WorkflowClientInterceptor {
  return { signal: (input, next) => next({ ...input, args: secrets.hideIn(input.args) }) };
}
