import assert from 'node:assert/strict';
import { NOT_SIMULATED } from '../../../cli/test/simulated-host.ts';
import type { Plan, RetryPlan, RetryRule, TaskPlan, WaitPlan } from '../../../workflows/plan/plan.ts';
import type { RunResult } from '../../../workflows/plan/runs/run.ts';
import type { Given } from './language-cases.ts';

/** A run that shows that a host carries out a key, and what it has to come to. */
export interface HostCase {
  /** In the language of `tasksOf`. `one_slot` is a queue whose worker does one task at a time, `one_at_a_time` a pool of one slot. */
  readonly tasks: string;
  readonly given?: Given;
  /** As `assertCase` wants it. */
  readonly expect: string;
  /** The attempts of task `a`. */
  readonly attempts?: number;
  /** How long the run takes, milliseconds: never less than the first, never as much as the second. */
  readonly took?: readonly [least: number, most: number];
  /** On Temporal only. */
  check?(result: RunResult): void;
}

/** Who carries out what a plan says, and how that is tested where it is a host. */
export type HostKey =
  /** The same code on both hosts, or nothing that a run has to do with. */
  | { readonly by: 'the run' | 'the compiler' | 'the task type' | 'the scheduler' | 'sensors' | 'monitors' | 'whoever reads it' }
  | { readonly cases: readonly HostCase[] }
  /** A simulated run cannot carry it out: why, and what it does instead. */
  | { readonly onlyOnTemporal: string; readonly simulated: string; readonly cases: readonly HostCase[] }
  | { readonly onlyOnTemporal: string; readonly testedIn: string; readonly word: string };

type TaskField =
  | Exclude<keyof TaskPlan, 'retry' | 'retryRules' | 'wait'>
  | `retry.${keyof RetryPlan}`
  | `retryRules.${keyof RetryRule}`
  | `wait.${keyof WaitPlan}`;

const ALONE = 'A simulated run is alone: there is always room for it.';
/** Far longer than any case takes where the key is carried out. */
const MOST = 30_000;

function traceOf(result: RunResult, task: string): { queue: string; from: number; to: number } {
  return result.tasks[task]?.output as { queue: string; from: number; to: number };
}

/** Every field of a task in a plan. A new one is listed here, or this does not compile. */
export const TASK_FIELDS = {
  name: { by: 'the run' },
  type: { cases: [{ tasks: 'a: ok; b: fail after -', expect: 'a=success b=failed: failed' }] },
  summary: { onlyOnTemporal: 'Nobody looks at a simulated run.', testedIn: 'test/cases/engine/host-keys.test.ts', word: 'summary' },
  dependsOn: { by: 'the run' },
  triggerRule: { by: 'the run' },
  group: { by: 'the run' },
  owner: { by: 'whoever reads it' },
  when: { by: 'the run' },
  switch: { by: 'the run' },
  expand: { by: 'the run' },
  params: { cases: [{ tasks: 'a: ok with {give: 7}', expect: 'a=success=7: success' }] },
  templates: { by: 'the run' },
  inputFrom: { by: 'the run' },
  outputBase: { by: 'the run' },
  lineage: { by: 'the run' },
  ownsEffects: { by: 'the run' },
  undoes: { by: 'whoever reads it' },
  typeVersion: { by: 'the run' },
  typeOrigin: { by: 'whoever reads it' },
  outputExpires: { by: 'whoever reads it' },
  holdOnFailureMs: {
    cases: [{ tasks: 'a: fail with {hold_on_failure: 1s, takes: 0ms}', expect: 'a=failed: failed', took: [1_000, MOST] }],
  },
  executionTimeoutMs: {
    cases: [
      { tasks: 'a: hang with {execution_timeout: 1s, retries: 0}', expect: 'a=failed: failed', attempts: 1, took: [1_000, MOST] },
      {
        tasks: 'a: hang with {execution_timeout: 1s, retry_policy: [{on: execution_timeout, action: fail}]}',
        expect: 'a=failed: failed',
        attempts: 1,
      },
    ],
  },
  heartbeatTimeoutMs: {
    onlyOnTemporal: NOT_SIMULATED.heartbeatTimeoutMs,
    simulated: 'a=success: success',
    cases: [
      {
        tasks: 'a: mute with {heartbeat_timeout: 1s, retries: 0}',
        expect: 'a=failed: failed',
        took: [1_000, MOST],
        check: ({ tasks }) => assert.match(tasks.a?.error ?? '', /^No sign of life for 1s/),
      },
      {
        tasks: 'a: mute with {heartbeat_timeout: 1s, retry_policy: [{on: heartbeat_timeout, action: fail}]}',
        expect: 'a=failed: failed',
        attempts: 1,
      },
    ],
  },
  queueTimeoutMs: {
    onlyOnTemporal: NOT_SIMULATED.queueTimeoutMs,
    simulated: 'a=success: success',
    cases: [
      {
        tasks: 'a: ok with {queue: nobody_serves_it, queue_timeout: 1s, retries: 0}',
        expect: 'a=failed: failed',
        took: [1_000, MOST],
        check: ({ tasks }) => assert.match(tasks.a?.error ?? '', /^No worker took it within its queue_timeout of 1s/),
      },
    ],
  },
  queue: {
    onlyOnTemporal: NOT_SIMULATED.queue,
    simulated: 'a=success: success',
    cases: [
      {
        tasks: 'a: trace with {queue: one_slot, takes: 0ms}',
        expect: 'a=success: success',
        check: (result) => assert.match(traceOf(result, 'a').queue, /^one_slot_/),
      },
    ],
  },
  priority: {
    onlyOnTemporal: NOT_SIMULATED.priority,
    simulated: 'a=success b=success c=success: success',
    cases: [
      {
        tasks:
          'a: trace with {queue: one_slot, priority: 5, takes: 50ms}; b: trace after - with {queue: one_slot, takes: 50ms}; c: trace after - with {queue: one_slot, priority: 1, takes: 50ms}',
        expect: 'a=success b=success c=success: success',
        check(result) {
          const order = ['a', 'b', 'c'].sort((one, other) => traceOf(result, one).from - traceOf(result, other).from);
          assert.deepEqual(order, ['c', 'b', 'a']);
        },
      },
    ],
  },
  pool: {
    onlyOnTemporal: ALONE,
    simulated: 'a=success b=success: success',
    cases: [
      {
        tasks: 'a: trace with {pool: one_at_a_time, takes: 300ms}; b: trace after - with {pool: one_at_a_time, takes: 300ms}',
        expect: 'a=success b=success: success',
        check(result) {
          const [a, b] = [traceOf(result, 'a'), traceOf(result, 'b')];
          assert.ok(a.to <= b.from || b.to <= a.from, 'one after the other');
        },
      },
    ],
  },
  allowFailure: { by: 'the run' },
  latestOnly: { by: 'the run' },
  dependsOnPast: {
    onlyOnTemporal: 'A simulated run is the first of its pipeline: it has no past.',
    testedIn: 'test/cases/language/past.test.ts',
    word: 'depends_on_past',
  },
  followsRun: {
    cases: [
      {
        tasks: 'a: run_pipeline with {dag_id: child}',
        given: { pipelines: { child: 'x: fail with {takes: 0ms}' } },
        expect: 'a=failed: failed',
        attempts: 1,
      },
      {
        tasks: 'a: run_pipeline with {dag_id: child, retries: 2, retry_delay: 300ms, retry_exponential_backoff: false}',
        given: { pipelines: { child: 'x: fail with {takes: 0ms}' } },
        expect: 'a=failed: failed',
        attempts: 3,
        took: [600, MOST],
      },
      {
        tasks: 'a: run_pipeline with {dag_id: child, execution_timeout: 1s, retries: 1, retry_delay: 50ms}',
        given: { pipelines: { child: 'x: hang' } },
        expect: 'a=failed: failed',
        attempts: 2,
        took: [2_000, MOST],
        check: ({ tasks }) => assert.match(tasks.a?.error ?? '', /^The run took longer than its execution_timeout of 1s/),
      },
      {
        tasks:
          'a: run_pipeline with {dag_id: child, execution_timeout: 1s, retries: 3, retry_policy: [{on: execution_timeout, action: fail}]}',
        given: { pipelines: { child: 'x: hang' } },
        expect: 'a=failed: failed',
        attempts: 1,
      },
      {
        tasks: 'a: run_pipeline with {dag_id: child, retries: 1, retry_delay: 50ms, expand: {over: [1], max_parallel: 1}}',
        given: { pipelines: { child: 'x: fail with {takes: 0ms}' } },
        expect: 'a=failed: failed',
      },
    ],
  },
  'retry.maximumAttempts': {
    cases: [{ tasks: 'a: flaky with {retries: 1, retry_delay: 50ms, takes: 0ms}', expect: 'a=failed: failed', attempts: 2 }],
  },
  'retry.initialDelayMs': {
    cases: [
      {
        tasks: 'a: flaky with {retry_delay: 400ms, retry_exponential_backoff: false, takes: 0ms}',
        expect: 'a=success: success',
        attempts: 3,
        took: [800, MOST],
      },
    ],
  },
  'retry.backoff': {
    cases: [
      {
        tasks: 'a: flaky with {retry_delay: 100ms, retry_exponential_backoff: 9, takes: 0ms}',
        expect: 'a=success: success',
        attempts: 3,
        took: [1_000, MOST],
      },
    ],
  },
  'retry.maximumDelayMs': {
    cases: [
      {
        tasks: 'a: flaky with {retry_delay: 600ms, retry_exponential_backoff: 100, max_retry_delay: 700ms, takes: 0ms}',
        expect: 'a=success: success',
        attempts: 3,
        took: [1_300, MOST],
      },
    ],
  },
  'retryRules.on': {
    cases: [
      {
        tasks: 'a: flaky with {retry_delay: 50ms, takes: 0ms, retry_policy: [{on: Poisoned, action: fail}]}',
        expect: 'a=success: success',
        attempts: 3,
      },
    ],
  },
  'retryRules.action': {
    cases: [
      { tasks: 'a: flaky with {takes: 0ms, retry_policy: [{on: ToyBusy, action: fail}]}', expect: 'a=failed: failed', attempts: 1 },
      {
        tasks: 'a: fail with {retries: 1, retry_delay: 50ms, takes: 0ms, retry_policy: [{on: ToyFailed, action: retry}]}',
        expect: 'a=failed: failed',
        attempts: 2,
      },
    ],
  },
  'retryRules.delayMs': {
    cases: [
      {
        tasks: 'a: flaky with {retry_delay: 1h, takes: 0ms, retry_policy: [{on: ToyBusy, action: retry, delay: 300ms}]}',
        expect: 'a=success: success',
        attempts: 3,
        took: [600, MOST],
      },
      {
        tasks: 'a: look with {poke_interval: 1h, timeout: 2h, takes: 0ms, retry_policy: [{on: ToyBusy, action: retry, delay: 300ms}]}',
        expect: 'a=success: success',
        attempts: 3,
        took: [600, MOST],
      },
    ],
  },
  'wait.timeoutMs': {
    cases: [
      { tasks: 'a: look with {poke_interval: 300ms, takes: 0ms}', expect: 'a=success: success', attempts: 3, took: [600, MOST] },
      { tasks: 'a: look with {poke_interval: 1h, timeout: 2s, takes: 0ms}; b: ok', expect: 'a=failed b=upstream_failed: failed' },
    ],
  },
  'wait.softFail': {
    cases: [
      {
        tasks: 'a: look with {poke_interval: 1h, timeout: 2s, soft_fail: true, takes: 0ms}; b: ok',
        expect: 'a=skipped b=skipped: success',
      },
    ],
  },
} as const satisfies Readonly<Record<TaskField, HostKey>>;

/** Every field of a plan. */
export const PLAN_FIELDS = {
  format: { by: 'the run' },
  dagId: { by: 'the run' },
  hash: { by: 'the scheduler' },
  drawing: { by: 'whoever reads it' },
  description: { by: 'whoever reads it' },
  owner: { by: 'whoever reads it' },
  tags: { by: 'whoever reads it' },
  docMd: { by: 'whoever reads it' },
  schedule: { by: 'the scheduler' },
  timezone: { by: 'the run' },
  catchup: { by: 'the scheduler' },
  runTimeoutMs: {
    cases: [
      { tasks: 'a: hang; b: ok', given: { file: { dagrun_timeout: '1s' } }, expect: 'a=canceled b=canceled: failed', took: [1_000, MOST] },
    ],
  },
  maxActiveRuns: { onlyOnTemporal: ALONE, testedIn: 'test/workflows/slots.test.ts', word: 'maxActiveRuns' },
  concurrency: { onlyOnTemporal: ALONE, testedIn: 'test/workflows/slots.test.ts', word: 'concurrency' },
  triggers: { by: 'sensors' },
  params: { by: 'the run' },
  tasks: { by: 'the run' },
  onFailure: { by: 'the run' },
  onSuccess: { by: 'the run' },
  finally: { by: 'the run' },
  failureFacts: {
    cases: [
      {
        tasks: 'a: flaky with {retries: 1, retry_delay: 50ms, takes: 0ms}',
        given: { on_failure: 'tell: ok with {give: "{{ failure.attempts }}", takes: 0ms}' },
        expect: 'a=failed tell=success=2: failed',
      },
      {
        tasks: 'a: hang with {execution_timeout: 1s, retry_policy: [{on: execution_timeout, action: fail}]}',
        given: { on_failure: 'tell: ok with {give: "{{ failure.attempts }}", takes: 0ms}' },
        expect: 'a=failed tell=success=1: failed',
      },
      {
        tasks:
          'a: flaky with {retries: 1, retry_delay: 50ms, takes: 0ms, expand: {over: [1, 2, 3], max_parallel: 1, on_item_failure: finish}}',
        given: { finally: 'tell: ok with {when: failure != null, give: "{{ failure.task }} {{ failure.attempts }}", takes: 0ms}' },
        expect: 'a=failed tell=success="a[0] 2": failed',
      },
      {
        tasks: 'a: run_pipeline with {dag_id: child, retries: 2, retry_delay: 50ms}',
        given: {
          pipelines: { child: 'x: fail with {takes: 0ms}' },
          on_failure: 'tell: ok with {give: "{{ failure.attempts }}", takes: 0ms}',
        },
        expect: 'a=failed tell=success=3: failed',
      },
    ],
  },
  slas: { by: 'monitors' },
  alerts: { by: 'monitors' },
  waitingAlerts: { by: 'monitors' },
  critical: { by: 'monitors' },
  inlets: { by: 'whoever reads it' },
  outlets: { by: 'sensors' },
  shapes: { by: 'the run' },
  dateZone: { by: 'the run' },
  connections: { by: 'the run' },
  pipelines: {
    cases: [
      {
        tasks: 'a: run_pipeline with {dag_id: child}; b: ok with {when: outputs.a.outputs.x.n == 7}',
        given: { pipelines: { child: 'x: ok with {give: {n: 7}, takes: 0ms}' } },
        expect: 'a=success b=success: success',
      },
    ],
  },
  notYet: { by: 'the compiler' },
} as const satisfies Readonly<Record<keyof Plan, HostKey>>;
