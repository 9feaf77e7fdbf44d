import type { TaskKind } from '../../../compiler/resolve/task-kinds.ts';
import type { CommonTaskKey } from '../../../workflows/plan/tasks/common-task-keys.ts';
import type { Given } from './language-cases.ts';

/** What the history of a run on Temporal must show of task `a`, where its end does not say it. */
export type Trace = 'first priority' | 'asked a pool';

/** A task `a` of one kind that has the key, how the run ends, and what else shows that the key has done something. */
export interface Works {
  /** In the language of `tasksOf`. `some_pool` has two slots; nobody serves the queue `nobody`. */
  readonly tasks: string;
  readonly given?: Given;
  /** As `assertCase` wants it; states alone. */
  readonly expect: string;
  /** In the simulation, where there are no workers, queues and pools. Default: as on Temporal. */
  readonly simulated?: string;
  readonly attempts?: number;
  /** The run takes no less, milliseconds. */
  readonly atLeast?: number;
  readonly trace?: Trace;
}

/** The kinds of tasks, and `items`: a task for each item of a list. */
export type Column = TaskKind | 'items';

/** `refused`: the compiler says that the key does nothing for this kind. */
export type Cell = 'refused' | Works;

const CHILD = { pipelines: { child: 'x: ok with {takes: 0ms}' } };
const BAD_CHILD = { pipelines: { child: 'x: fail with {takes: 0ms}' } };
const ENDLESS_CHILD = { pipelines: { child: 'x: hang' } };

/** A task of each kind that succeeds at once, with more keys. */
const GOOD: Readonly<Record<Column, (keys: string) => string>> = {
  activity: (keys) => `ok with {takes: 0ms, ${keys}}`,
  wait: (keys) => `look with {poke_interval: 50ms, takes: 0ms, ${keys}}`,
  approval: (keys) => `approval with {prompt: "Go?", timeout: 50ms, on_timeout: approve, ${keys}}`,
  empty: (keys) => `empty with {${keys}}`,
  run_pipeline: (keys) => `run_pipeline with {dag_id: child, ${keys}}`,
  start: (keys) => `run_pipeline with {dag_id: child, wait: false, ${keys}}`,
  items: (keys) => `ok with {takes: 0ms, expand: {over: [1, 2]}, ${keys}}`,
};

/** A task of each kind that fails, with more keys. What does nothing fails by its own `when`; a start, by its parameters. */
const BAD: Readonly<Record<Column, (keys: string) => string>> = {
  activity: (keys) => `fail with {takes: 0ms, ${keys}}`,
  wait: (keys) => `look with {poke_interval: 1h, timeout: 2s, takes: 0ms, ${keys}}`,
  approval: (keys) => `approval with {prompt: "{{ string([1][5]) }}", ${keys}}`,
  empty: (keys) => `empty with {when: "[1][5] == 1", ${keys}}`,
  run_pipeline: (keys) => `run_pipeline with {dag_id: child, ${keys}}`,
  start: (keys) => `run_pipeline with {dag_id: child, wait: false, params: {n: "{{ [1][5] }}"}, ${keys}}`,
  items: (keys) => `fail with {takes: 0ms, expand: {over: [1, 2]}, ${keys}}`,
};
const BAD_GIVEN: Partial<Record<Column, Given>> = {
  run_pipeline: BAD_CHILD,
  start: { pipelines: { child: { params: { n: 1 }, tasks: [{ name: 'x', type: 'empty' }] } } },
};

const COLUMNS: readonly Column[] = ['activity', 'wait', 'approval', 'empty', 'run_pipeline', 'start', 'items'];
type Row = Readonly<Record<Column, Cell>>;

/** A row of cells that are made alike. */
function row(cell: (column: Column) => Cell): Row {
  return Object.fromEntries(COLUMNS.map((column) => [column, cell(column)])) as unknown as Row;
}

/** Every kind succeeds with these keys, in a list of tasks where `<a>` stands for the task. */
function good(keys: string, tasks: string, expect: string): Row {
  return row((column) => ({ tasks: tasks.replace('<a>', GOOD[column](keys)), given: CHILD, expect }));
}

function bad(column: Column, keys: string): Pick<Works, 'tasks' | 'given'> {
  const given = BAD_GIVEN[column];
  return { tasks: `a: ${BAD[column](keys)}`, ...(given && { given }) };
}

const refusedBut = (works: Partial<Record<Column, Works>>): Row => row((column) => works[column] ?? 'refused');

const RETRIED = 'retries: 1, retry_delay: 50ms';
/** An interval since which there is no other. */
const FIRST = { schedule_interval: '@daily', start_date: '2024-01-01' };
const NOBODY = 'queue: nobody, queue_timeout: 1s';

/** Every key that tasks of all types have, for every kind of task. A new key, or a new kind, does not compile until it has a row. */
export const COMMON_KEYS: Readonly<Record<CommonTaskKey, Row>> = {
  name: good('', 'a: <a>', 'a=success: success'),
  type: good('', 'a: <a>', 'a=success: success'),
  owner: good('owner: ann', 'a: <a>', 'a=success: success'),
  sla: good('sla: [{name: quick, within: 1h, reference: started_at}]', 'a: <a>', 'a=success: success'),
  depends_on: good('depends_on: [b]', 'b: fail after - with {takes: 0ms}; a: <a>', 'a=upstream_failed b=failed: failed'),
  trigger_rule: good(
    'depends_on: [b], trigger_rule: all_failed',
    'b: fail after - with {takes: 0ms, allow_failure: true}; a: <a>',
    'a=success b=failed: success',
  ),
  group: good('group: g', 'a: <a>; b: empty after g', 'b=success g.a=success: success'),
  when: good('when: "false"', 'a: <a>; b: empty after a', 'a=skipped b=skipped: success'),
  switch: good(
    `switch: {on: "'x'", cases: {x: [p], y: [q]}}`,
    'a: <a>; p: empty after a; q: empty after a',
    'a=success p=success q=skipped: success',
  ),
  expand: row((column) =>
    column === 'approval' || column === 'empty'
      ? 'refused'
      : {
          tasks: `a: ${GOOD[column](column === 'items' ? '' : 'expand: {over: [1, 2]}')}; b: empty with {when: "size(outputs.a) == 2"}`,
          given: CHILD,
          expect: 'a=success b=success: success',
        },
  ),
  allow_failure: row((column) => ({ ...bad(column, 'allow_failure: true'), expect: 'a=failed: success' })),
  // What a rerun makes of it is tested with reruns.
  undoes: row((column) => ({
    tasks: 'w: ok with {takes: 0ms}',
    given: { ...CHILD, finally: `a: ${GOOD[column]('undoes: w')}` },
    expect: 'a=success w=success: success',
  })),
  // Runs by hand are about the newest interval; others are tested in test/cases/language/latest-only.test.ts.
  latest_only: row((column) => ({
    tasks: `a: ${GOOD[column]('latest_only: true')}`,
    given: { ...CHILD, file: FIRST },
    expect: 'a=success: success',
  })),
  // What waits, and for what, is tested in test/cases/language/past.test.ts.
  depends_on_past: row((column) => ({
    tasks: `a: ${GOOD[column]('depends_on_past: true')}`,
    given: { ...CHILD, file: FIRST },
    expect: 'a=success: success',
  })),
  inputs: row(() => 'refused'),
  outputs: row(() => 'refused'),
  retries: refusedBut({
    activity: { tasks: `a: flaky with {takes: 0ms, ${RETRIED}}`, expect: 'a=failed: failed', attempts: 2 },
    run_pipeline: { ...bad('run_pipeline', RETRIED), expect: 'a=failed: failed', attempts: 2 },
    items: { tasks: `a: flaky with {takes: 0ms, expand: {over: [1]}, ${RETRIED}}`, expect: 'a=failed: failed', attempts: 2 },
  }),
  retry_delay: refusedBut({
    activity: { tasks: 'a: flaky with {takes: 0ms, retries: 1, retry_delay: 400ms}', expect: 'a=failed: failed', atLeast: 400 },
    run_pipeline: { ...bad('run_pipeline', 'retries: 1, retry_delay: 400ms'), expect: 'a=failed: failed', atLeast: 400 },
    items: {
      ...bad('items', 'retries: 1, retry_delay: 400ms, retry_policy: [{on: ToyFailed, action: retry}]'),
      expect: 'a=failed: failed',
      atLeast: 400,
    },
  }),
  retry_exponential_backoff: refusedBut({
    activity: {
      tasks: 'a: flaky with {takes: 0ms, retry_delay: 100ms, retry_exponential_backoff: 9}',
      expect: 'a=success: success',
      atLeast: 1_000,
    },
    run_pipeline: {
      ...bad('run_pipeline', 'retries: 2, retry_delay: 100ms, retry_exponential_backoff: 9'),
      expect: 'a=failed: failed',
      atLeast: 1_000,
    },
    items: {
      tasks: 'a: flaky with {takes: 0ms, expand: {over: [1]}, retry_delay: 100ms, retry_exponential_backoff: 9}',
      expect: 'a=success: success',
      atLeast: 1_000,
    },
  }),
  max_retry_delay: refusedBut({
    activity: {
      tasks: 'a: flaky with {takes: 0ms, retry_delay: 100ms, retry_exponential_backoff: 100, max_retry_delay: 300ms}',
      expect: 'a=success: success',
      atLeast: 400,
    },
    run_pipeline: {
      ...bad('run_pipeline', 'retries: 2, retry_delay: 100ms, retry_exponential_backoff: 100, max_retry_delay: 300ms'),
      expect: 'a=failed: failed',
      atLeast: 400,
    },
    items: {
      tasks: 'a: flaky with {takes: 0ms, expand: {over: [1]}, retry_delay: 100ms, retry_exponential_backoff: 100, max_retry_delay: 300ms}',
      expect: 'a=success: success',
      atLeast: 400,
    },
  }),
  retry_policy: refusedBut({
    activity: { tasks: 'a: flaky with {takes: 0ms, retry_policy: [{on: ToyBusy, action: fail}]}', expect: 'a=failed: failed', attempts: 1 },
    wait: {
      tasks: 'a: look with {takes: 0ms, poke_interval: 50ms, retry_policy: [{on: ToyBusy, action: fail}]}',
      expect: 'a=failed: failed',
      attempts: 1,
    },
    run_pipeline: {
      tasks:
        'a: run_pipeline with {dag_id: child, execution_timeout: 1s, retries: 3, retry_policy: [{on: execution_timeout, action: fail}]}',
      given: ENDLESS_CHILD,
      expect: 'a=failed: failed',
      attempts: 1,
    },
    items: {
      tasks: 'a: flaky with {takes: 0ms, expand: {over: [1]}, retry_policy: [{on: ToyBusy, action: fail}]}',
      expect: 'a=failed: failed',
      attempts: 1,
    },
  }),
  execution_timeout: refusedBut({
    activity: { tasks: 'a: hang with {execution_timeout: 1s, retries: 0}', expect: 'a=failed: failed', atLeast: 1_000 },
    wait: {
      tasks: 'a: look with {takes: 1h, execution_timeout: 1s, timeout: 1h, retry_policy: [{on: execution_timeout, action: fail}]}',
      expect: 'a=failed: failed',
      atLeast: 1_000,
    },
    run_pipeline: {
      tasks: 'a: run_pipeline with {dag_id: child, execution_timeout: 1s}',
      given: ENDLESS_CHILD,
      expect: 'a=failed: failed',
      atLeast: 1_000,
    },
    items: { tasks: 'a: hang with {expand: {over: [1]}, execution_timeout: 1s, retries: 0}', expect: 'a=failed: failed', atLeast: 1_000 },
  }),
  heartbeat_timeout: refusedBut({
    activity: { tasks: 'a: mute with {heartbeat_timeout: 1s, retries: 0}', expect: 'a=failed: failed', simulated: 'a=success: success' },
    wait: {
      tasks: 'a: mute_look with {heartbeat_timeout: 1s, timeout: 1h, retry_policy: [{on: heartbeat_timeout, action: fail}]}',
      expect: 'a=failed: failed',
      simulated: 'a=success: success',
    },
    items: {
      tasks: 'a: mute with {expand: {over: [1]}, heartbeat_timeout: 1s, retries: 0}',
      expect: 'a=failed: failed',
      simulated: 'a=success: success',
    },
  }),
  queue_timeout: refusedBut(nobodyServesIt()),
  queue: refusedBut(nobodyServesIt()),
  priority: row((column) =>
    column === 'approval' || column === 'empty'
      ? 'refused'
      : { tasks: `a: ${GOOD[column]('priority: 1')}`, given: CHILD, expect: 'a=success: success', trace: 'first priority' },
  ),
  pool: row((column) =>
    column === 'approval' || column === 'empty'
      ? 'refused'
      : { tasks: `a: ${GOOD[column]('pool: some_pool')}`, given: CHILD, expect: 'a=success: success', trace: 'asked a pool' },
  ),
  pool_slots: row((column) =>
    column === 'approval' || column === 'empty'
      ? 'refused'
      : {
          // One more than there are.
          tasks: `a: ${GOOD[column]('pool: some_pool, pool_slots: 3')}`,
          given: { ...CHILD, file: { dagrun_timeout: '2s' } },
          expect: 'a=canceled: failed',
          simulated: 'a=success: success',
        },
  ),
  hold_on_failure: row((column) =>
    column === 'empty' ? 'refused' : { ...bad(column, 'hold_on_failure: 1s'), expect: 'a=failed: failed', atLeast: 1_000 },
  ),
};

function nobodyServesIt(): Partial<Record<Column, Works>> {
  const works = (column: 'activity' | 'wait' | 'items'): Works => ({
    tasks: `a: ${GOOD[column](`${NOBODY}${column === 'wait' ? ', timeout: 3s' : ', retries: 0'}`)}`,
    expect: 'a=failed: failed',
    simulated: 'a=success: success',
  });
  return { activity: works('activity'), wait: works('wait'), items: works('items') };
}

type Expandable = Exclude<TaskKind, 'approval' | 'empty'>;

const each = (keys: string, tasks: string, expect: string): Readonly<Record<Expandable, Works>> => {
  const works = (column: Expandable): Works => ({ tasks: tasks.replace('<a>', GOOD[column](`expand: {${keys}}`)), given: CHILD, expect });
  return { activity: works('activity'), wait: works('wait'), run_pipeline: works('run_pipeline'), start: works('start') };
};
const SIZE = (size: number): string => `a: <a>; b: empty with {when: "size(outputs.a) == ${size}"}`;

/** Every key of `expand`, for every kind of task that can have one; a test compares them with the schema. */
export const EXPAND_KEYS: Readonly<Record<string, Readonly<Record<Expandable, Cell>>>> = {
  over: each('over: [1, 2, 3]', SIZE(3), 'a=success b=success: success'),
  as: each('over: [1, 2], as: n', SIZE(2), 'a=success b=success: success'),
  max_parallel: each('over: [1, 2, 3], max_parallel: 1', SIZE(3), 'a=success b=success: success'),
  batch_size: {
    ...each('over: [1, 2, 3], batch_size: 2', SIZE(3), 'a=success b=success: success'),
    run_pipeline: 'refused',
    start: 'refused',
  },
  on_item_failure: {
    activity: {
      tasks: 'a: ok with {takes: 0ms, poison: "{{ item == 1 }}", expand: {over: [1, 2], on_item_failure: continue}}',
      expect: 'a=success: success',
    },
    wait: {
      tasks: 'a: look with {poke_interval: 50ms, takes: 0ms, poison: "{{ item == 1 }}", expand: {over: [1, 2], on_item_failure: continue}}',
      expect: 'a=success: success',
    },
    run_pipeline: {
      tasks: 'a: run_pipeline with {dag_id: child, params: {n: "{{ item }}"}, expand: {over: [1, 2], on_item_failure: continue}}',
      given: {
        pipelines: { child: { params: { n: 0 }, tasks: [{ name: 'x', type: 'ok', takes: '0ms', poison: '{{ params.n == 1 }}' }] } },
      },
      expect: 'a=success: success',
    },
    start: {
      tasks:
        'a: run_pipeline with {dag_id: child, wait: false, params: {n: "{{ [1][item] }}"}, expand: {over: [0, 5], on_item_failure: continue}}',
      given: { pipelines: { child: { params: { n: 0 }, tasks: [{ name: 'x', type: 'empty' }] } } },
      expect: 'a=success: success',
    },
  },
  expand: each('over: [[1], [2]], as: row, expand: {over: row}', SIZE(2), 'a=success b=success: success'),
};
