import type { Given } from './language-cases.ts';

/** A title, tasks, what operators say and when (`10s skip a by ann`, `10s pause by ann`, `10s cancel`), how it ends, what else is given. */
export type OperationCase = readonly [title: string, tasks: string, words: readonly string[], expect: string, given?: Given];

/** The pool of these cases; it has room for all of them. */
export const POOL = 'operated';

/** Tasks that run for an hour or more, one for each way in which a task runs. */
const RUNNING: Readonly<Record<string, readonly [task: string, given?: Given]>> = {
  'one activity': ['a: slow'],
  'an approval': ['a: approval with {prompt: Go?}'],
  'a list': ['a: slow with {expand: {over: [1, 2, 3], max_parallel: 2}}'],
  'batches of a list': ['a: slow with {expand: {over: [1, 2, 3], batch_size: 2}}'],
  'another pipeline': ['a: run_pipeline with {dag_id: child}', { pipelines: { child: 'x: slow' } }],
  'a list of pipelines': ['a: run_pipeline with {dag_id: child, expand: {over: [1, 2]}}', { pipelines: { child: 'x: slow' } }],
  'a task in a pool': [`a: slow with {pool: ${POOL}}`],
  'a list in a pool': [`a: slow with {pool: ${POOL}, expand: {over: [1, 2]}}`],
  'a task that may be held': ['a: slow with {hold_on_failure: 1d}'],
  'a task that is held': ['a: fail with {hold_on_failure: 1d}'],
};

const WHILE_IT_RUNS = Object.entries(RUNNING).flatMap(([kind, [task, given = {}]]): OperationCase[] => [
  [
    `skip: ${kind}`,
    `${task}; b: ok after a if none_failed; c: ok after b`,
    ['1m skip a by ann'],
    'a=skipped b=success c=success: success',
    given,
  ],
  [`mark-success: ${kind}`, `${task}; b: ok; c: ok`, ['1m mark-success a by ann'], 'a=success b=success c=success: success', given],
  [`cancel: ${kind}`, `${task}; b: ok`, ['1m cancel'], 'a=canceled b=canceled z=success: canceled', { ...given, finally: 'z: ok' }],
]);

export const OPERATION_CASES: readonly OperationCase[] = [
  ...WHILE_IT_RUNS,
  [
    'skip: a task of finally',
    'a: ok',
    ['1m skip z by ann'],
    'a=success y=success z=skipped: success',
    { finally: 'z: slow; y: ok after z if none_failed' },
  ],
  [
    'skip: a task of finally in a run that was cancelled',
    'a: slow',
    ['1m cancel', '2m skip z by ann'],
    'a=canceled y=success z=skipped: canceled',
    { finally: 'z: slow; y: ok after z if none_failed' },
  ],
  [
    'mark-success: a task of on_failure',
    'a: fail',
    ['1m mark-success h by ann'],
    'a=failed h=success i=success: failed',
    { on_failure: 'h: slow; i: ok' },
  ],
  ['skip: a task that waits', 'a: slow; b: ok; c: ok', ['1m skip b by ann'], 'a=success b=skipped c=skipped: success'],
  [
    'skip: what follows may go on',
    'a: slow; b: ok after a; c: ok after b if none_failed',
    ['1m skip b by ann'],
    'a=success b=skipped c=success: success',
  ],
  ['skip: a task that runs is cancelled', 'a: slow; b: ok after a if none_failed', ['1m skip a by ann'], 'a=skipped b=success: success'],
  [
    'skip: an approval',
    'a: approval with {prompt: Go?}; b: ok after a if none_failed',
    ['1m skip a by ann'],
    'a=skipped b=success: success',
  ],
  [
    'skip: a task that has failed',
    'a: fail; s: slow after -; b: ok after a if none_failed',
    ['1m skip a by ann'],
    'a=skipped b=success s=success: success',
  ],
  [
    'skip: a task that is held',
    'a: fail with {hold_on_failure: 1d}; b: ok after a if none_failed',
    ['1m skip a by ann'],
    'a=skipped b=success: success',
  ],
  ['mark-success: a task that runs', 'a: slow; b: ok', ['1m mark-success a by ann'], 'a=success b=success: success'],
  [
    'mark-success: a task that has failed, and what waited for it',
    'a: fail; s: slow after -; b: ok after a; c: ok after b',
    ['1m mark-success a by ann'],
    'a=success b=success c=success s=success: success',
  ],
  [
    'mark-success: a task that is held',
    'a: fail with {hold_on_failure: 1d}; b: ok',
    ['1m mark-success a by ann'],
    'a=success b=success: success',
  ],
  ['mark-success: a task that waits', 'a: slow; b: fail; c: ok', ['1m mark-success b by ann'], 'a=success b=success c=success: success'],
  [
    'retry: a task that has failed, and what waited for it',
    'a: fail; s: slow after -; b: ok after a; c: ok after b',
    ['1m retry a by ann'],
    'a=success b=success c=success s=success: success',
  ],
  [
    'retry: what ran because of the failure is not undone',
    'a: fail; s: slow after -; b: ok after a; f: ok after a if one_failed',
    ['1m retry a by ann'],
    'a=success b=success f=success s=success: success',
  ],
  ['retry: a task that is held', 'a: fail with {hold_on_failure: 1d}; b: ok', ['1m retry a by ann'], 'a=success b=success: success'],
  [
    'retry: a task that was skipped',
    'a: slow; b: ok; c: ok',
    ['1m skip b by ann', '2m retry b by ann'],
    'a=success b=success c=success: success',
  ],
  [
    'retry: not the branch that was not taken',
    's: ok with {give: big, switch: {on: outputs.s, cases: {big: [a], small: [b]}}}; a: fail after s; l: slow after s; b: ok after s; j: ok after a, b if none_failed',
    ['1m retry a by ann'],
    'a=success b=skipped j=success l=success s=success: success',
  ],
  [
    'pause: nothing begins, what runs goes on',
    'a: slow; b: ok; c: ok',
    ['1m pause by ann', '5h unpause by bob'],
    'a=success b=success c=success: success',
  ],
  [
    'pause: a run that is cancelled meanwhile ends, and does its last things',
    'a: slow; b: ok',
    ['1m pause by ann', '5h cancel'],
    'a=success b=canceled z=success: canceled',
    { finally: 'z: ok' },
  ],
  [
    'pause: a run that is out of time meanwhile ends',
    'a: slow; b: ok',
    ['1m pause by ann'],
    'a=success b=canceled: failed',
    { file: { dagrun_timeout: '3h' } },
  ],
  [
    'pause: items of a list wait too',
    'a: ok with {expand: {over: [1, 2, 3], max_parallel: 1}, takes: 1h}; b: ok',
    ['90m pause by ann', '9h unpause by ann'],
    'a=success b=success: success',
  ],
];
