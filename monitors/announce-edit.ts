import { fitSummary } from '../lib/channels/pagerduty-limits.ts';
import type { Connections } from '../connections/connections.ts';
import { withinTime } from '../lib/time-limit.ts';
import type { Plan } from '../workflows/plan/plan.ts';
import { tellOfChange } from './pagerduty.ts';

const WITHIN = 8_000;

/** Tells PagerDuty of an edit of a pipeline, where its alerts go there: what changed lately is what one asks first at night. */
export async function announceEdit(connections: Connections, before: Plan, after: Plan): Promise<void> {
  const connection = after.alerts?.pagerduty?.connection;
  if (connection === undefined) return;
  const names = (plan: Plan): Set<string> => new Set(plan.tasks.map(({ name }) => name));
  const [old, now] = [names(before), names(after)];
  const details = {
    plan: `${before.hash.slice(0, 12)} → ${after.hash.slice(0, 12)}`,
    tasks_added: [...now].filter((name) => !old.has(name)),
    tasks_removed: [...old].filter((name) => !now.has(name)),
    owner: after.owner ?? '',
  };
  const summary = fitSummary(`The pipeline ${after.dagId} was edited`);
  await withinTime(WITHIN, undefined, (signal) => tellOfChange(connections.get(connection, ['pagerduty']), summary, details, signal));
}
