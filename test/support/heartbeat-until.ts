import { Context } from '@temporalio/activity';

const EVERY_MS = 50;

/** For activities of tests: sends heartbeats until `isOver`, or until the activity is cancelled. */
export async function heartbeatUntil(isOver: () => boolean = () => false, details?: unknown): Promise<void> {
  while (!isOver()) {
    // A cancellation reaches an activity with the response to its heartbeat.
    Context.current().heartbeat(details);
    await Context.current().sleep(EVERY_MS);
  }
}
