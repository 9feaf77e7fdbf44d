import type { TaskPlan } from '../plan/plan.ts';
import { isActivity } from '../plan/tasks/no-activities.ts';

/**
 * Which part of the code implements each field of a task. A new field must be listed here, or this does not compile. A `host` field also
 * needs a row in the table of each host.
 * - `engine`: the run itself, the same on both hosts, around one activity
 * - `steps`: the run itself, with more than one activity, or with waits around it
 * - `host`: the host that runs the activity
 * - `readers`: not used by the run; people, alerts and reruns read it
 */
const CARRIED_OUT_BY = {
  name: 'engine',
  type: 'engine',
  typeVersion: 'engine',
  typeOrigin: 'readers',
  summary: 'engine',
  dependsOn: 'engine',
  triggerRule: 'engine',
  group: 'engine',
  owner: 'readers',
  when: 'engine',
  switch: 'engine',
  expand: 'steps',
  params: 'engine',
  templates: 'engine',
  inputFrom: 'engine',
  outputBase: 'engine',
  lineage: 'engine',
  ownsEffects: 'engine',
  followsRun: 'engine',
  retry: 'host',
  retryRules: 'host',
  holdOnFailureMs: 'steps',
  executionTimeoutMs: 'host',
  heartbeatTimeoutMs: 'host',
  queueTimeoutMs: 'host',
  queue: 'host',
  wait: 'host',
  priority: 'host',
  pool: 'steps',
  allowFailure: 'engine',
  latestOnly: 'engine',
  dependsOnPast: 'steps',
  outputExpires: 'readers',
  undoes: 'readers',
} as const satisfies Readonly<Record<keyof TaskPlan, 'engine' | 'steps' | 'host' | 'readers'>>;

type CarriedOutBy = typeof CARRIED_OUT_BY;
type FieldsOf<Who> = { [Field in keyof CarriedOutBy]: CarriedOutBy[Field] extends Who ? Field : never }[keyof CarriedOutBy];

/** Fields of a task that its host implements. */
export type HostField = FieldsOf<'host'>;

const STEPS = (Object.keys(CARRIED_OUT_BY) as (keyof TaskPlan)[]).filter((field) => CARRIED_OUT_BY[field] === 'steps');

/** Whether a task is a single activity. Types that are not activities, lists, pools, decisions and the past need more. */
export function isPlain(task: TaskPlan): boolean {
  return isActivity(task.type) && STEPS.every((field) => task[field] === undefined || task[field] === false);
}
