import assert from 'node:assert/strict';
import { stringify } from 'yaml';
import { Compiler } from '../../../compiler/compile.ts';
import type { Json, JsonObject } from '../../../workflows/plan/values/json.ts';
import type { Plan } from '../../../workflows/plan/plan.ts';
import type { RunResult } from '../../../workflows/plan/runs/run.ts';
import type { TriggerRule } from '../../../workflows/plan/tasks/trigger-rule.ts';
import { tasksOf, TOYS } from '../../support/toy-language.ts';

const compiler = new Compiler(TOYS);

/** Everything beside `tasks` that a case can say. */
export interface Given {
  /** Other keys of the file. */
  readonly file?: JsonObject;
  readonly on_failure?: string;
  readonly on_success?: string;
  readonly finally?: string;
  readonly params?: JsonObject;
  /** After how long the run is cancelled. */
  readonly cancel?: string;
  /** What people decide, and when: `1h approve ask by ann`, `1h retry load by bob`. */
  readonly people?: readonly string[];
  /** Other pipelines: dag_id and its tasks. */
  readonly pipelines?: Readonly<Record<string, string | JsonObject>>;
}

/** A title, the tasks, how each is to end and how the run, and what else the case is given. */
export type Case = readonly [title: string, tasks: string, expect: string, given?: Given];

/** Compiles a case. */
export function casePlan(tasks: string, { file, pipelines = {}, ...lists }: Given): Plan {
  const handlers = (['on_failure', 'on_success', 'finally'] as const).flatMap((list): [string, Json][] => {
    const text = lists[list];
    return text === undefined ? [] : [[list, tasksOf(text)]];
  });
  const files = [
    {
      file: 'case.yaml',
      text: stringify({ dag_id: 'toys', execution: 'graph', tasks: tasksOf(tasks), ...Object.fromEntries(handlers), ...file }),
    },
    ...Object.entries(pipelines).map(([dagId, child]) => ({
      file: `${dagId}.yaml`,
      text: stringify({ dag_id: dagId, ...(typeof child === 'string' ? { tasks: tasksOf(child) } : child) }),
    })),
  ];
  const [compiled] = compiler.compileAll(files);
  assert.deepEqual(compiled?.diagnostics, []);
  assert.ok(compiled.plan);
  return compiled.plan;
}

/** Upstream tasks by letter: S(uccess), F(ailed), K (skipped), U(pstream failed). */
export const UPSTREAM = { S: 'ok after -', F: 'fail after -', K: 'ok after - with {when: "false"}', U: 'ok after broken' } as const;

/** What a task does under each rule, after upstream tasks that end as the letters say. Airflow's documentation of trigger rules. */
export const RULES: Readonly<Record<TriggerRule, Readonly<Record<string, string>>>> = {
  all_success: {
    S: 'success',
    SS: 'success',
    SF: 'upstream_failed',
    SK: 'skipped',
    FF: 'upstream_failed',
    FK: 'upstream_failed',
    KK: 'skipped',
    SU: 'upstream_failed',
    KU: 'upstream_failed',
    SSS: 'success',
  },
  all_failed: {
    S: 'skipped',
    SS: 'skipped',
    SF: 'skipped',
    SK: 'skipped',
    FF: 'success',
    FK: 'skipped',
    KK: 'skipped',
    SU: 'skipped',
    FU: 'success',
    UU: 'success',
  },
  all_done: {
    S: 'success',
    SS: 'success',
    SF: 'success',
    SK: 'success',
    FF: 'success',
    FK: 'success',
    KK: 'success',
    SU: 'success',
    FU: 'success',
    SFK: 'success',
  },
  all_skipped: {
    S: 'skipped',
    SS: 'skipped',
    SF: 'skipped',
    SK: 'skipped',
    FF: 'skipped',
    FK: 'skipped',
    K: 'success',
    KK: 'success',
    KU: 'skipped',
    KKK: 'success',
  },
  one_success: {
    S: 'success',
    SS: 'success',
    SF: 'success',
    SK: 'success',
    FF: 'upstream_failed',
    FK: 'upstream_failed',
    KK: 'skipped',
    SU: 'success',
    KU: 'upstream_failed',
    FFS: 'success',
  },
  one_failed: {
    S: 'skipped',
    SS: 'skipped',
    SF: 'success',
    SK: 'skipped',
    FF: 'success',
    FK: 'success',
    KK: 'skipped',
    SU: 'success',
    KU: 'success',
    SSF: 'success',
  },
  one_done: {
    S: 'success',
    SS: 'success',
    SF: 'success',
    SK: 'success',
    FF: 'success',
    FK: 'success',
    KK: 'skipped',
    K: 'skipped',
    KU: 'success',
    KKF: 'success',
  },
  none_failed: {
    S: 'success',
    SS: 'success',
    SF: 'upstream_failed',
    SK: 'success',
    FF: 'upstream_failed',
    FK: 'upstream_failed',
    KK: 'success',
    SU: 'upstream_failed',
    KU: 'upstream_failed',
    SSK: 'success',
  },
  none_failed_min_one_success: {
    S: 'success',
    SS: 'success',
    SF: 'upstream_failed',
    SK: 'success',
    FF: 'upstream_failed',
    FK: 'upstream_failed',
    KK: 'skipped',
    SU: 'upstream_failed',
    K: 'skipped',
    SKK: 'success',
  },
  none_skipped: {
    S: 'success',
    SS: 'success',
    SF: 'success',
    SK: 'skipped',
    FF: 'success',
    FK: 'skipped',
    KK: 'skipped',
    SU: 'success',
    KU: 'skipped',
    SFU: 'success',
  },
  always: {
    S: 'success',
    SS: 'success',
    SF: 'success',
    SK: 'success',
    FF: 'success',
    FK: 'success',
    KK: 'success',
    SU: 'success',
    U: 'success',
    KKU: 'success',
  },
};

export const CASES: Readonly<Record<string, readonly Case[]>> = {
  order: [
    ['the listed order', 'a: ok; b: ok; c: ok', 'a=success b=success c=success: success'],
    ['a failure stops the rest of the list', 'a: fail; b: ok; c: ok', 'a=failed b=upstream_failed c=upstream_failed: failed'],
    ['one depends_on makes a graph: the others are roots', 'a: fail; b: ok; c: ok after b', 'a=failed b=success c=success: failed'],
    ['a failure counts wherever it stands', 'a: fail; b: ok after a if all_done', 'a=failed b=success: failed'],
    ['a diamond', 'a: ok; b: ok after a; c: ok after a; d: ok after b, c', 'a=success b=success c=success d=success: success'],
    ['a task may fail without failing the run', 'a: fail with {allow_failure: true}', 'a=failed: success'],
    [
      'what follows an allowed failure is upstream_failed all the same',
      'a: fail with {allow_failure: true}; b: ok',
      'a=failed b=upstream_failed: failed',
    ],
    [
      'an allowed failure can be gone on from',
      'a: fail with {allow_failure: true}; b: ok after a if all_done',
      'a=failed b=success: success',
    ],
    [
      'one_success does not wait for the slow one',
      'a: ok; s: slow; b: ok after a, s if one_success with {takes: 1s}',
      'a=success b=success s=success: success',
    ],
    ['empty tasks join', 'a: ok; b: ok after -; j: empty after a, b; c: ok after j', 'a=success b=success c=success j=success: success'],
  ],
  groups: [
    ['names inside are group.task', 'x: ok with {group: g}; y: ok with {group: g}', 'g.x=success g.y=success: success'],
    ['a task waits for the last of a group', 'x: fail with {group: g}; b: ok after g', 'b=upstream_failed g.x=failed: failed'],
    [
      'siblings go by short names',
      'x: ok with {group: g}; y: ok after x with {group: g}; z: ok after g',
      'g.x=success g.y=success z=success: success',
    ],
    [
      'a failure in the middle of a group reaches what waits for it',
      'x: fail with {group: g}; y: ok after x with {group: g}; z: ok after g',
      'g.x=failed g.y=upstream_failed z=upstream_failed: failed',
    ],
    [
      'a group waits as a whole',
      'a: fail',
      'a=failed g.x=upstream_failed g.y=upstream_failed: failed',
      { file: { task_groups: [{ name: 'g', depends_on: ['a'], tasks: tasksOf('x: ok; y: ok after x') }] } },
    ],
    [
      'a group waits for a group',
      'a: ok',
      'a=success g.x=success h.y=success: success',
      {
        file: {
          task_groups: [
            { name: 'g', tasks: tasksOf('x: ok') },
            { name: 'h', depends_on: ['g'], tasks: tasksOf('y: ok') },
          ],
        },
      },
    ],
    [
      'a group in a group: what waits for the outer one waits for its last, and its first wait for what it waits for',
      'a: ok; z: ok after o',
      'a=success o.b=success o.i.x=failed o.i.y=upstream_failed z=upstream_failed: failed',
      {
        file: {
          task_groups: [
            {
              name: 'o',
              depends_on: ['a'],
              tasks: tasksOf('b: ok'),
              task_groups: [{ name: 'i', depends_on: ['b'], tasks: tasksOf('x: fail; y: ok after x') }],
            },
          ],
        },
      },
    ],
    [
      'outputs of a group in a group',
      'x: ok with {group: o.i, give: {n: 5}}; y: ok after x with {group: o.i, when: outputs.o.i.x.n == 5}; z: ok after o.i with {group: o, when: outputs.o.i.x.n > 5}; e: ok after o',
      'e=skipped o.i.x=success o.i.y=success o.z=skipped: success',
    ],
    [
      'outputs of a group',
      'x: ok with {group: g, give: {n: 5}}; b: ok after g with {when: outputs.g.x.n == 5}',
      'b=success g.x=success: success',
    ],
  ],
  when: [
    ['true runs', 'a: ok with {when: "1 < 2"}', 'a=success: success'],
    ['false skips, and what follows', 'a: ok with {when: "1 > 2"}; b: ok; c: ok', 'a=skipped b=skipped c=skipped: success'],
    ['a skip can be gone on from', 'a: ok with {when: "false"}; b: ok after a if none_failed', 'a=skipped b=success: success'],
    [
      'of a parameter',
      'a: ok with {when: "params.mode == \\"full\\""}',
      'a=success: success',
      { file: { params: { mode: 'delta' } }, params: { mode: 'full' } },
    ],
    ['of a default', 'a: ok with {when: "params.n >= 2"}', 'a=skipped: success', { file: { params: { n: 1 } } }],
    [
      'of the date',
      'a: ok with {when: "ds == \\"2024-01-01\\""}; b: ok after a with {when: "data_interval_start.getDayOfWeek() == 1"}',
      'a=success b=success: success',
    ],
    ['of an output', 'a: ok with {give: {rows: 0}}; b: ok with {when: outputs.a.rows > 0}', 'a=success b=skipped: success'],
    [
      'of an output that is not there fails the task',
      'a: ok with {give: {}}; b: ok with {when: outputs.a.rows > 0}',
      'a=success b=failed: failed',
    ],
    ['has() asks first', 'a: ok with {give: {}}; b: ok with {when: has(outputs.a.rows)}', 'a=success b=skipped: success'],
    ['is not asked when the trigger rule says no', 'a: fail; b: ok with {when: outputs.a.rows > 0}', 'a=failed b=upstream_failed: failed'],
    [
      'a skipped upstream has no output',
      'a: ok with {when: "false"}; b: ok after a if all_done with {when: has(outputs.a)}',
      'a=skipped b=skipped: success',
    ],
    ['is not true or false: fails', 'a: ok with {give: 3}; b: ok with {when: outputs.a}', 'a=success b=failed: failed'],
  ],
  switch: [
    [
      'takes a case',
      's: ok with {switch: {on: "params.m", cases: {x: [a], y: [b]}}}; a: ok after s; b: ok after s',
      'a=success b=skipped s=success: success',
      { file: { params: { m: 'x' } } },
    ],
    [
      'takes the other',
      's: ok with {switch: {on: "params.m", cases: {x: [a], y: [b]}}}; a: ok after s; b: ok after s',
      'a=skipped b=success s=success: success',
      { file: { params: { m: 'y' } } },
    ],
    [
      'takes none: all are skipped',
      's: ok with {switch: {on: "params.m", cases: {x: [a], y: [b]}}}; a: ok after s; b: ok after s',
      'a=skipped b=skipped s=success: success',
      { file: { params: { m: 'z' } } },
    ],
    [
      'takes the default',
      's: ok with {switch: {on: "params.m", cases: {x: [a]}, default: [b]}}; a: ok after s; b: ok after s',
      'a=skipped b=success s=success: success',
      { file: { params: { m: 'z' } } },
    ],
    [
      'takes several',
      's: ok with {switch: {on: "params.m", cases: {x: [a, b], y: [c]}}}; a: ok after s; b: ok after s; c: ok after s',
      'a=success b=success c=skipped s=success: success',
      { file: { params: { m: 'x' } } },
    ],
    [
      'cases need not say that they wait',
      's: ok after - with {switch: {on: "params.m", cases: {x: [a], y: [b]}}}; a: ok; b: ok',
      'a=success b=skipped s=success: success',
      { file: { params: { m: 'x' } } },
    ],
    [
      'a number is compared as text',
      's: ok with {give: 2, switch: {on: outputs.s, cases: {"1": [a], "2": [b]}}}; a: ok after s; b: ok after s',
      'a=skipped b=success s=success: success',
    ],
    [
      'true and false are cases',
      's: ok with {switch: {on: "1 < 2", cases: {"true": [a], "false": [b]}}}; a: ok after s; b: ok after s',
      'a=success b=skipped s=success: success',
    ],
    [
      'of its own output',
      's: ok with {give: {kind: big}, switch: {on: outputs.s.kind, cases: {big: [a], small: [b]}}}; a: ok after s; b: ok after s',
      'a=success b=skipped s=success: success',
    ],
    [
      'what follows a case not taken is skipped',
      's: ok with {switch: {on: "\\"x\\"", cases: {x: [a], y: [b]}}}; a: ok after s; b: ok after s; c: ok after b',
      'a=success b=skipped c=skipped s=success: success',
    ],
    [
      'a join runs under none_failed_min_one_success',
      's: ok with {switch: {on: "\\"x\\"", cases: {x: [a], y: [b]}}}; a: ok after s; b: ok after s; j: ok after a, b if none_failed_min_one_success',
      'a=success b=skipped j=success s=success: success',
    ],
    [
      'a join runs under all_done',
      's: ok with {switch: {on: "\\"y\\"", cases: {x: [a], y: [b]}}}; a: ok after s; b: ok after s; j: ok after a, b if all_done',
      'a=skipped b=success j=success s=success: success',
    ],
    [
      'a task of both ways is not skipped (Airflow)',
      's: ok with {switch: {on: "\\"x\\"", cases: {x: [a], y: [j]}}}; a: ok after s; j: ok after s, a if none_failed',
      'a=success j=success s=success: success',
    ],
    [
      'a task of no case goes on',
      's: ok with {switch: {on: "\\"x\\"", cases: {x: [a], y: [b]}}}; a: ok after s; b: ok after s; c: ok after s',
      'a=success b=skipped c=success s=success: success',
    ],
    [
      'of a failed task decides nothing',
      's: fail with {switch: {on: "\\"x\\"", cases: {x: [a], y: [b]}}}; a: ok after s; b: ok after s',
      'a=upstream_failed b=upstream_failed s=failed: failed',
    ],
    [
      'an empty task can branch',
      's: empty with {switch: {on: "\\"y\\"", cases: {x: [a], y: [b]}}}; a: ok after s; b: ok after s',
      'a=skipped b=success s=success: success',
    ],
    [
      'that cannot be told fails',
      's: ok with {give: {}, switch: {on: outputs.s.kind, cases: {x: [a]}}}; a: ok after s',
      'a=upstream_failed s=failed: failed',
    ],
    [
      'a branch inside a group',
      's: ok with {group: g, switch: {on: "\\"x\\"", cases: {x: [a], y: [b]}}}; a: ok after s with {group: g}; b: ok after s with {group: g}',
      'g.a=success g.b=skipped g.s=success: success',
    ],
  ],
  expand: [
    ['over a list', 'a: ok with {expand: {over: [1, 2, 3]}, give: "{{ item * 2 }}"}', 'a=success=[2,4,6]: success'],
    [
      'over a parameter',
      'a: ok with {expand: {over: params.regions, as: region}, give: "{{ region }}"}',
      'a=success=["eu","us"]: success',
      { file: { params: { regions: { type: 'array', default: ['eu', 'us'] } } } },
    ],
    [
      'over an output',
      'a: ok with {give: [{n: 1}, {n: 2}]}; b: ok with {expand: {over: outputs.a}, give: "{{ item.n + 1 }}"}',
      'a=success=[{"n":1},{"n":2}] b=success=[2,3]: success',
    ],
    [
      'the outputs are a list for what follows',
      'a: ok with {expand: {over: [1, 2]}, give: "{{ item }}"}; b: ok with {give: "{{ size(outputs.a) }}"}',
      'a=success=[1,2] b=success=2: success',
    ],
    ['over nothing is skipped (Airflow)', 'a: ok with {expand: {over: []}}; b: ok', 'a=skipped b=skipped: success'],
    ['over something else fails', 'a: ok with {give: 3}; b: ok with {expand: {over: outputs.a}}', 'a=success=3 b=failed: failed'],
    [
      'a failed item fails it',
      'a: ok with {expand: {over: [1, 2, 3]}, poison: "{{ item == 2 }}"}; b: ok',
      'a=failed b=upstream_failed: failed',
    ],
    [
      'or goes on without it',
      'a: ok with {expand: {over: [1, 2, 3], on_item_failure: continue}, give: "{{ item }}", poison: "{{ item == 2 }}"}; b: ok',
      'a=success=[1,null,3] b=success: success',
    ],
    [
      'all items failed fails it in any case',
      'a: ok with {expand: {over: [1, 2], on_item_failure: continue}, poison: "{{ item > 0 }}"}',
      'a=failed: failed',
    ],
    [
      'finish: all items run, then it fails',
      'a: ok with {expand: {over: [1, 2, 3], on_item_failure: finish, max_parallel: 1}, give: "{{ item }}", poison: "{{ item == 1 }}"}; b: ok',
      'a=failed b=upstream_failed: failed',
    ],
    [
      'finish without a failure succeeds',
      'a: ok with {expand: {over: [1, 2], on_item_failure: finish}, give: "{{ item }}"}',
      'a=success=[1,2]: success',
    ],
    [
      'over the output of a task that was skipped: skipped',
      'a: ok with {when: "false"}; e: empty after -; b: ok after a, e if none_failed with {expand: {over: outputs.a.ids}}; c: ok after b',
      'a=skipped b=skipped c=skipped e=success=null: success',
    ],
    [
      'over the output of a branch that was not taken: skipped',
      's: empty with {switch: {on: "\\"n\\"", cases: {y: [a], n: [e]}}}; a: ok after s; e: empty after s; b: ok after a, e if none_failed with {expand: {over: outputs.a.ids}}',
      'a=skipped b=skipped e=success=null s=success=null: success',
    ],
    [
      'over the output of a task that failed: upstream_failed',
      'a: fail with {allow_failure: true}; b: ok after a if all_done with {expand: {over: outputs.a.ids}}; c: ok after b if all_done',
      'a=failed b=upstream_failed c=success=null: failed',
    ],
    [
      'over the output of a task that was upstream_failed: upstream_failed',
      'z: fail with {allow_failure: true}; a: ok after z; b: ok after a if always with {expand: {over: outputs.a.ids}}',
      'a=upstream_failed b=upstream_failed z=failed: failed',
    ],
    [
      'over the outputs of two, one skipped and one failed: upstream_failed',
      'a: ok with {when: "false"}; z: fail after - with {allow_failure: true}; b: ok after a, z if all_done with {expand: {over: outputs.a.ids + outputs.z.ids}}',
      'a=skipped b=upstream_failed z=failed: failed',
    ],
    [
      'over a list inside a list whose task was skipped: skipped',
      'a: ok with {when: "false"}; b: ok after a if none_failed with {expand: {over: [1, 2], expand: {over: outputs.a.ids, as: x}}}',
      'a=skipped b=skipped: success',
    ],
    [
      'over what has() asks for first',
      'a: ok with {when: "false"}; b: ok after a if none_failed with {expand: {over: "has(outputs.a) ? outputs.a.ids : [7]"}, give: "{{ item }}"}',
      'a=skipped b=success=[7]: success',
    ],
    [
      'a field that the output does not have fails',
      'a: ok with {give: {}}; b: ok after a with {expand: {over: outputs.a.ids}}',
      'a=success={} b=failed: failed',
    ],
    ['batches', 'a: ok with {expand: {over: [1, 2, 3], batch_size: 2}, give: "{{ item }}"}', 'a=success=[1,2,3]: success'],
    [
      'a failed batch leaves a hole of its size',
      'a: ok with {expand: {over: [1, 2, 3], batch_size: 2, on_item_failure: continue}, give: "{{ item }}", poison: "{{ item == 1 }}"}',
      'a=success=[null,null,3]: success',
    ],
    [
      'nested',
      'a: ok with {expand: {over: [{r: eu, s: [1, 2]}, {r: us, s: [3]}], as: region, expand: {over: region.s, as: shop}}, give: "{{ region.r }}{{ shop }}"}',
      'a=success=[["eu1","eu2"],["us3"]]: success',
    ],
    [
      'nested over an empty list',
      'a: ok with {expand: {over: [{s: []}, {s: [1]}], expand: {over: item.s, as: part}}, give: "{{ part }}"}',
      'a=success=[[],[1]]: success',
    ],
    [
      'nested over empty lists at the end',
      'a: ok with {expand: {over: [[1, 2], [], [3], [], []], as: row, expand: {over: row, as: part}}, give: "{{ part }}"}; b: ok with {give: "{{ size(outputs.a) }}"}',
      'a=success=[[1,2],[],[3],[],[]] b=success=5: success',
    ],
    [
      'nested over empty lists at the beginning, with an item that fails',
      'a: ok with {expand: {over: [[], [1, 2]], as: row, on_item_failure: continue, expand: {over: row, as: part}}, give: "{{ part }}", poison: "{{ part == 2 }}"}',
      'a=success=[[],[1,null]]: success',
    ],
    ['one after the other', 'a: ok with {expand: {over: [3, 1], max_parallel: 1}, give: "{{ item }}"}', 'a=success=[3,1]: success'],
    [
      '10,000 items',
      'a: ok with {give: 0}; b: ok with {expand: {over: "[0,1,2,3,4,5,6,7,8,9].map(x, [0,1,2,3,4,5,6,7,8,9])", batch_size: 3}, give: "{{ size(item) }}"}',
      'a=success=0 b=success=[10,10,10,10,10,10,10,10,10,10]: success',
    ],
    ['each item has its retries', 'a: flaky with {expand: {over: [1, 2]}, give: "{{ item }}", retries: 2}', 'a=success=[1,2]: success'],
  ],
  retries: [
    ['are taken', 'a: flaky', 'a=success: success'],
    ['run out', 'a: flaky with {retries: 1}', 'a=failed: failed'],
    ['are not taken for what will not get better', 'a: fail with {retries: 5}', 'a=failed: failed'],
    ['retry_policy fails at once', 'a: flaky with {retry_policy: [{on: ToyBusy, action: fail}]}', 'a=failed: failed'],
    [
      'retry_policy for another failure changes nothing',
      'a: flaky with {retry_policy: [{on: Poisoned, action: fail}]}',
      'a=success: success',
    ],
    [
      'the first rule that fits counts',
      'a: flaky with {retry_policy: [{on: ToyBusy, action: retry, delay: 1m}, {on: ToyBusy, action: fail}]}',
      'a=success: success',
    ],
    ['an attempt takes too long', 'a: slow with {execution_timeout: 10m, retries: 0}', 'a=failed: failed'],
  ],
  'hold on failure': [
    ['nobody decides', 'a: fail with {hold_on_failure: 1h}; b: ok', 'a=failed b=upstream_failed: failed'],
    [
      'skip',
      'a: fail with {hold_on_failure: 1h}; b: ok after a if none_failed',
      'a=skipped b=success: success',
      { people: ['10m skip a by ann'] },
    ],
    ['fail', 'a: fail with {hold_on_failure: 1h}', 'a=failed: failed', { people: ['10m fail a by ann'] }],
    ['retry, and it fails again', 'a: fail with {hold_on_failure: 1h}', 'a=failed: failed', { people: ['10m retry a by ann'] }],
    [
      'retry twice, then skip',
      'a: fail with {hold_on_failure: 1h}',
      'a=skipped: success',
      { people: ['10m retry a by ann', '20m retry a by ann', '30m skip a by bob'] },
    ],
    [
      'a decision about another task is refused',
      'a: fail with {hold_on_failure: 1h}; b: ok',
      'a=failed b=upstream_failed: failed',
      { people: ['10m skip b by ann'] },
    ],
    ['cancelling ends the wait', 'a: fail with {hold_on_failure: 1h}', 'a=canceled: canceled', { cancel: '10m' }],
  ],
  handlers: [
    ['on_failure runs after a failure', 'a: fail', 'a=failed tell=success: failed', { on_failure: 'tell: ok' }],
    ['on_failure is skipped after a success', 'a: ok', 'a=success tell=skipped: success', { on_failure: 'tell: ok' }],
    ['on_success runs after a success', 'a: ok', 'a=success tell=success: success', { on_success: 'tell: ok' }],
    ['on_success is skipped after a failure', 'a: fail', 'a=failed tell=skipped: failed', { on_success: 'tell: ok' }],
    ['finally runs after a success', 'a: ok', 'a=success clean=success: success', { finally: 'clean: ok' }],
    ['finally runs after a failure', 'a: fail', 'a=failed clean=success: failed', { finally: 'clean: ok' }],
    ['finally runs when the run is cancelled', 'a: slow', 'a=canceled clean=success: canceled', { finally: 'clean: ok', cancel: '10m' }],
    ['on_failure does not run when the run is cancelled', 'a: slow', 'a=canceled: canceled', { on_failure: 'tell: ok', cancel: '10m' }],
    [
      'all of them, in order',
      'a: fail',
      'a=failed clean=success good=skipped tell=success: failed',
      { on_failure: 'tell: ok', on_success: 'good: ok', finally: 'clean: ok' },
    ],
    [
      'a failure in on_success fails the run',
      'a: ok',
      'a=success clean=success tell=failed: failed',
      { on_success: 'tell: fail', finally: 'clean: ok' },
    ],
    ['a failure in finally fails the run', 'a: ok', 'a=success clean=failed: failed', { finally: 'clean: fail' }],
    ['unless it may fail', 'a: ok', 'a=success clean=failed: success', { finally: 'clean: fail with {allow_failure: true}' }],
    ['a list of them runs in order', 'a: fail', 'a=failed t1=failed t2=upstream_failed: failed', { on_failure: 't1: fail; t2: ok' }],
    [
      'they read what the tasks gave',
      'a: ok with {give: {n: 3}}',
      'a=success tell=success: success',
      { on_success: 'tell: ok with {when: outputs.a.n == 3}' },
    ],
    [
      'they run after a time-out',
      'a: slow',
      'a=canceled clean=success tell=success: failed',
      { file: { dagrun_timeout: '10m' }, on_failure: 'tell: ok', finally: 'clean: ok' },
    ],
    ['an allowed failure is a success', 'a: fail with {allow_failure: true}', 'a=failed tell=success: success', { on_success: 'tell: ok' }],
  ],
  'what handlers read of the failure': [
    [
      'the task and its error, as any expression',
      'a: ok; b: ok after a with {poison: true}; c: ok after b',
      'a=success b=failed c=upstream_failed tell=success="b: ok broke": failed',
      { on_failure: 'tell: ok with {give: "{{ failure.task }}: {{ failure.error }}"}' },
    ],
    [
      'the first that failed in time, not the first in the file',
      'b: ok after c if all_done with {poison: true}; c: ok after - with {poison: true}',
      'b=failed c=failed tell=success="c": failed',
      { on_failure: 'tell: ok with {give: "{{ failure.task }}"}' },
    ],
    [
      'not one that may fail',
      'a: ok with {poison: true, allow_failure: true}; b: ok after a if all_done with {poison: true}',
      'a=failed b=failed tell=success="b": failed',
      { on_failure: 'tell: ok with {give: "{{ failure.task }}"}' },
    ],
    [
      'a task by its group, an item by its place',
      'x: ok with {group: g, expand: {over: [1, 2, 3], max_parallel: 1}, poison: "{{ item == 2 }}"}',
      'g.x=failed tell=success="g.x[1]": failed',
      { on_failure: 'tell: ok with {give: "{{ failure.task }}"}' },
    ],
    [
      'a batch by its items',
      'x: ok with {expand: {over: [1, 2, 3], max_parallel: 1, batch_size: 2}, poison: "{{ item == 3 }}"}',
      'tell=success="x[2-2]" x=failed: failed',
      { on_failure: 'tell: ok with {give: "{{ failure.task }}"}' },
    ],
    [
      'a task whose parameters cannot be evaluated was tried once',
      'a: ok with {give: "{{ [1, 2][params.n] }}"}',
      'a=failed tell=success=1: failed',
      { file: { params: { n: 7 } }, on_failure: 'tell: ok with {give: "{{ failure.attempts }}"}' },
    ],
    [
      'finally: null after a good run',
      'a: ok',
      'a=success clean=success="nothing": success',
      { finally: 'clean: ok with {give: "{{ failure == null ? \\"nothing\\" : failure.error }}"}' },
    ],
    [
      'finally: the failure after a bad one',
      'a: ok with {poison: true}',
      'a=failed clean=success="ok broke" good=skipped: failed',
      { on_success: 'good: ok', finally: 'clean: ok with {when: failure != null, give: "{{ failure.error }}"}' },
    ],
    [
      'finally: a failure of on_success',
      'a: ok',
      'a=success clean=success="good" good=failed: failed',
      { on_success: 'good: ok with {poison: true}', finally: 'clean: ok with {when: failure != null, give: "{{ failure.task }}"}' },
    ],
    [
      'finally: null where people cancelled the run',
      'a: slow',
      'a=canceled clean=skipped: canceled',
      { finally: 'clean: ok with {when: failure != null}', cancel: '10m' },
    ],
    [
      'a run that took too long, at the task where it was',
      'a: slow',
      'a=canceled tell=success="a: The run took longer than its dagrun_timeout of 10m: it was at a": failed',
      { file: { dagrun_timeout: '10m' }, on_failure: 'tell: ok with {give: "{{ failure.task }}: {{ failure.error }}"}' },
    ],
  ],
  'time and cancelling': [
    ['dagrun_timeout ends a run as failed', 'a: slow; b: ok', 'a=canceled b=canceled: failed', { file: { dagrun_timeout: '30m' } }],
    ['dagrun_timeout leaves what is done', 'a: ok; b: slow', 'a=success b=canceled: failed', { file: { dagrun_timeout: '30m' } }],
    ['a run in time is not ended', 'a: slow', 'a=success: success', { file: { dagrun_timeout: '2h' } }],
    ['cancelling ends what runs and starts nothing', 'a: slow; b: ok', 'a=canceled b=canceled: canceled', { cancel: '5m' }],
    [
      'cancelling ends all branches',
      'a: slow; b: slow after -; c: ok after a, b if all_done',
      'a=canceled b=canceled c=canceled: canceled',
      { cancel: '5m' },
    ],
    ['cancelling ends items', 'a: slow with {expand: {over: [1, 2, 3]}}', 'a=canceled: canceled', { cancel: '5m' }],
  ],
  approvals: [
    ['approved', 'ask: approval with {prompt: Go?}; b: ok', 'ask=success b=success: success', { people: ['1h approve ask by ann'] }],
    [
      'rejected: skipped, and what follows',
      'ask: approval with {prompt: Go?}; b: ok',
      'ask=skipped b=skipped: success',
      { people: ['1h reject ask by ann'] },
    ],
    ['in time nobody: rejected', 'ask: approval with {prompt: Go?, timeout: 2h}; b: ok', 'ask=skipped b=skipped: success'],
    [
      'in time nobody: approved where that is said',
      'ask: approval with {prompt: Go?, timeout: 2h, on_timeout: approve}; b: ok',
      'ask=success b=success: success',
    ],
    [
      'a quorum of two',
      'ask: approval with {prompt: Go?, quorum: 2, timeout: 5h}',
      'ask=success: success',
      { people: ['1h approve ask by ann', '2h approve ask by bob'] },
    ],
    [
      'one of two is not enough',
      'ask: approval with {prompt: Go?, quorum: 2, timeout: 5h}',
      'ask=skipped: success',
      { people: ['1h approve ask by ann'] },
    ],
    [
      'nobody counts twice',
      'ask: approval with {prompt: Go?, quorum: 2, timeout: 5h}',
      'ask=skipped: success',
      { people: ['1h approve ask by ann', '2h approve ask by ann'] },
    ],
    [
      'one who rejects is enough',
      'ask: approval with {prompt: Go?, quorum: 2, timeout: 5h}',
      'ask=skipped: success',
      { people: ['1h approve ask by ann', '2h reject ask by bob'] },
    ],
    [
      'only those who are asked',
      'ask: approval with {prompt: Go?, assignees: [ann], timeout: 5h}',
      'ask=skipped: success',
      { people: ['1h approve ask by eve'] },
    ],
    [
      'a form that is not filled in is refused',
      'ask: approval with {prompt: Go?, timeout: 5h, form: {properties: {why: {type: string}}, required: [why]}}',
      'ask=skipped: success',
      { people: ['1h approve ask by ann'] },
    ],
    [
      'a form that is filled in is part of the output',
      'ask: approval with {prompt: Go?, timeout: 5h, form: {properties: {why: {type: string}}, required: [why]}}; b: ok with {when: "outputs.ask.form.why == \\"fine\\""}',
      'ask=success b=success: success',
      { people: ['1h approve ask by ann {"why":"fine"}'] },
    ],
    ['cancelling ends the wait', 'ask: approval with {prompt: Go?}', 'ask=canceled: canceled', { cancel: '1h' }],
    [
      'a vote after the end changes nothing',
      'ask: approval with {prompt: Go?, timeout: 1h}; b: slow after ask if all_done',
      'ask=skipped b=success: success',
      { people: ['90m approve ask by ann'] },
    ],
  ],
  'pipelines in pipelines': [
    ['a child succeeds', 'p: run_pipeline with {dag_id: child}; b: ok', 'b=success p=success: success', { pipelines: { child: 'x: ok' } }],
    [
      'a child fails',
      'p: run_pipeline with {dag_id: child}; b: ok',
      'b=upstream_failed p=failed: failed',
      { pipelines: { child: 'x: fail' } },
    ],
    [
      'its outputs are read',
      'p: run_pipeline with {dag_id: child}; b: ok with {when: outputs.p.outputs.x.n == 7}',
      'b=success p=success: success',
      { pipelines: { child: 'x: ok with {give: {n: 7}}' } },
    ],
    [
      'its parameters are given',
      'p: run_pipeline with {dag_id: child, params: {n: "{{ params.m + 1 }}"}}; b: ok with {when: outputs.p.outputs.x == 3}',
      'b=success p=success: success',
      { file: { params: { m: 2 } }, pipelines: { child: { params: { n: 1 }, tasks: tasksOf('x: ok with {give: "{{ params.n }}"}') } } },
    ],
    [
      'a grandchild',
      'p: run_pipeline with {dag_id: child}',
      'p=success: success',
      { pipelines: { child: 'q: run_pipeline with {dag_id: grandchild}', grandchild: 'x: ok' } },
    ],
    [
      'several at once',
      'p: run_pipeline with {dag_id: child, expand: {over: [1, 2]}, params: {n: "{{ item }}"}}; b: ok with {when: size(outputs.p) == 2}',
      'b=success p=success: success',
      { pipelines: { child: { params: { n: 0 }, tasks: tasksOf('x: ok') } } },
    ],
  ],
  expressions: [
    ['a whole value keeps its type', 'a: ok with {give: "{{ 1 + 1 }}"}', 'a=success=2: success'],
    ['text around it makes text', 'a: ok with {give: "n={{ 1 + 1 }}"}', 'a=success="n=2": success'],
    [
      'a whole number beyond 2^53 survives',
      'a: ok with {give: "{{ 9007199254740993 + 1 }}"}',
      'a=success={"$number":"9007199254740994"}: success',
    ],
    [
      'a fraction stays a fraction',
      'a: ok with {give: "{{ params.r / 2 }}"}',
      'a=success=1.5: success',
      { file: { params: { r: { type: 'number', default: 3 } } } },
    ],
    ['a whole number is divided as one', 'a: ok with {give: "{{ params.n / 2 }}"}', 'a=success=1: success', { file: { params: { n: 3 } } }],
    [
      'dates as Airflow has them',
      'a: ok with {give: "{{ ds }} {{ ds_nodash }} {{ data_interval_end }}"}',
      'a=success="2024-01-01 20240101 2024-01-02T00:00:00Z": success',
    ],
    [
      'dates of a time zone',
      'a: ok with {give: "{{ ds }} {{ ts }} {{ prev_ds }} {{ next_ds }} {{ date(addDays(logical_date, 1), \\"yyyy/MM/dd HH\\") }}"}',
      'a=success="2023-12-31 2023-12-31T19:00:00-05:00 2023-12-30 2024-01-01 2024/01/01 19": success',
      { file: { timezone: 'America/New_York' } },
    ],
    [
      'arithmetic with time',
      'a: ok with {give: "{{ data_interval_start - duration(\\"24h\\") }}"}',
      'a=success="2023-12-31T00:00:00Z": success',
    ],
    ['lists and maps', 'a: ok with {give: "{{ [1, 2].map(x, {\\"n\\": x}) }}"}', 'a=success=[{"n":1},{"n":2}]: success'],
    ['deep inside a parameter', 'a: ok with {give: {list: [{text: "{{ dag_id }}"}]}}', 'a=success={"list":[{"text":"toys"}]}: success'],
    ['like', 'a: ok with {give: "{{ \\"product_view\\".like(\\"product%\\") }}"}', 'a=success=true: success'],
    ['null in text fails the task', 'a: ok; b: ok with {give: "x{{ outputs.a }}"}', 'a=success=null b=failed: failed'],
    [
      'a loop that would take too long fails the task',
      'a: ok with {give: "{{ params.t.split(\\"\\").map(x, params.t.split(\\"\\").map(y, x + y)) }}"}',
      'a=failed: failed',
      { file: { params: { t: 'x'.repeat(20_000) } } },
    ],
  ],
};

/** The tasks of a case of trigger rules: `it` is the one that is looked at. */
export function ruleTasks(rule: string, letters: string): string {
  const upstream = [...letters].map((letter, index) => `u${index}: ${UPSTREAM[letter as keyof typeof UPSTREAM]}`);
  const broken = letters.includes('U') ? ['broken: fail after - with {allow_failure: true}'] : [];
  const names = upstream.map((_, index) => `u${index}`).join(', ');
  return [...broken, ...upstream, `it: ok after ${names} if ${rule}`].join('; ');
}

/** Holds the result of a run against what its case expects: `a=success b=failed: failed`, with outputs where one is named. */
export function assertCase(result: RunResult, expected: string): void {
  const withOutputs = expected.includes('success=');
  const shown = Object.entries(result.tasks)
    .map(([name, { state, output }]) => `${name}=${state}${withOutputs && state === 'success' ? `=${JSON.stringify(output)}` : ''}`)
    .sort();
  const wanted = withOutputs ? expected.replace(/=success(?=[ :])/g, '=success=null') : expected;
  assert.equal(`${shown.join(' ')}: ${result.state}`, wanted, JSON.stringify(result, null, 1));
}
