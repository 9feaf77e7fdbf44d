import assert from 'node:assert/strict';
import { before, describe, it } from 'mocha';
import { compiler } from '../support/compiler.ts';
import { cpuTimer } from '../support/cpu-time.ts';

/** Replaces a line of a good pipeline. Lines count from 1. */
const GOOD = [
  'dag_id: sales',
  'schedule_interval: "@daily"',
  'tasks:',
  '  - name: extract',
  '    type: postgres_to_s3',
  '    source_table: sales',
  '    s3_bucket: raw-data',
  '  - name: load',
  '    type: s3_to_redshift',
  '    s3_bucket: raw-data',
  '    redshift_table: sales',
];

function edit(changes: Record<number, string>): string {
  return GOOD.map((line, index) => changes[index + 1] ?? line).join('\n');
}

/** What is wrong, and what must be said: `code line:column …`. One mistake is one error. */
const CASES: [string, string, string][] = [
  ['nothing', edit({}), ''],
  // YAML
  ['duplicate key', edit({ 2: 'dag_id: other' }), 'SL101 2:1'],
  ['tab', edit({ 4: '\t- name: extract' }), 'SL102 4:1'],
  ['unclosed quote', edit({ 2: 'schedule_interval: "@daily' }), 'SL100 2:20'],
  ['5 MB', `${GOOD.join('\n')}\n${'# padding\n'.repeat(500_000)}`, 'SL103 1:1'],
  [
    'alias bomb',
    `a: &a [x,x,x,x,x,x,x,x,x]\n${[...'bcdefghij'].map((key, index) => `${key}: &${key} [${Array(9).fill(`*${'abcdefghij'[index]}`).join(',')}]`).join('\n')}`,
    'SL104 2:8',
  ],
  ['deep nesting', `a: ${'['.repeat(10_000)}`, 'SL104 1:67'],
  ['deep block nesting', Array.from({ length: 1000 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n'), 'SL104 65:65'],
  ['empty file', '', 'SL105 1:1'],
  ['a carriage return alone', 'dag_id: x\rtasks: []\n', 'SL107 1:10'],
  ['a line separator in a comment', 'dag_id: x\n# a\u2028tasks: []\n', 'SL107 2:4'],
  ['a list', '- dag_id: x', 'SL105 1:1'],
  ['two documents', `${GOOD.join('\n')}\n---\ndag_id: two\n`, 'SL105 12:1'],
  // keys and values
  ['unknown key', edit({ 2: 'ownr: me' }), 'SL201 2:1'],
  ['unknown key of a task, near a needed one', edit({ 6: '    sorce_table: sales' }), 'SL201 6:5'],
  ['unknown key near a required one', edit({ 11: '    redshift_tabel: sales' }), 'SL201 11:5'],
  ['foreign key', edit({ 4: '  - task_id: extract' }), 'SL201 4:5'],
  ['key of another type', edit({ 11: '    redshift_table: sales\n    source_table: x' }), 'SL201 12:5'],
  ['missing dag_id', edit({ 1: 'description: x' }), 'SL202 1:1'],
  ['missing field of a task', edit({ 7: '    retries: 1' }), 'SL202 4:11'],
  ['missing type', edit({ 5: '    retries: 1' }), 'SL202 4:11'],
  ['wrong type', edit({ 6: '    source_table: [sales]' }), 'SL203 6:5'],
  ['number as text', edit({ 7: '    s3_bucket: raw-data\n    retries: "3"' }), 'SL203 8:14'],
  ['not one of those allowed', edit({ 11: '    redshift_table: sales\n    method: upsrt' }), 'SL204 12:13'],
  ['bad duration', edit({ 7: '    s3_bucket: raw-data\n    retry_delay: soon' }), 'SL205 8:18'],
  ['bad dag_id', edit({ 1: 'dag_id: Sales' }), 'SL205 1:9'],
  ['bad time zone', edit({ 2: 'timezone: Europe/Berlni' }), 'SL205 2:11'],
  ['bad date', edit({ 2: 'start_date: "2024-02-30x"' }), 'SL205 2:13'],
  ['too many retries', edit({ 7: '    s3_bucket: raw-data\n    retries: -1' }), 'SL206 8:14'],
  ['no tasks', 'dag_id: x\ntasks: []', 'SL206 2:1'],
  ['unknown task type', edit({ 5: '    type: postgres_to_s4' }), 'SL207 5:11'],
  ['keys that exclude each other', edit({ 7: '    s3_bucket: raw-data\n    query: SELECT 1' }), 'SL208 8:5'],
  ['none of the keys of which one is needed', edit({ 6: '    retries: 1' }), 'SL208 4:11'],
  ['schedule twice', edit({ 2: 'schedule_interval: "@daily"\nschedule: {cron: 0 6 * * *}' }), 'SL208 3:1'],
  // schedules
  ['mistyped preset', edit({ 2: 'schedule_interval: "@dayly"' }), 'SL209 2:20'],
  ['six fields', edit({ 2: 'schedule_interval: "0 0 0 * * *"' }), 'SL209 2:20'],
  ['the sixth Monday', edit({ 2: 'schedule_interval: "0 0 * * 1#6"' }), 'SL209 2:20'],
  ['a day that never comes', edit({ 2: 'schedule_interval: "0 0 31 2 *"' }), 'SL209 2:20'],
  // names and the graph
  ['two tasks of one name', edit({ 8: '  - name: extract' }), 'SL301 8:11'],
  ['unknown upstream', edit({ 9: '    type: s3_to_redshift\n    depends_on: [extrat]' }), 'SL302 10:18'],
  [
    'cycle',
    edit({ 5: '    type: postgres_to_s3\n    depends_on: [load]', 9: '    type: s3_to_redshift\n    depends_on: [extract]' }),
    'SL303 6:5',
  ],
  ['a name of JavaScript', edit({ 1: 'dag_id: constructor' }), 'SL305 1:9'],
  ['a name of other workflows', edit({ 1: 'dag_id: sensor' }), 'SL305 1:9'],
  // data
  [
    'nothing to read',
    'dag_id: x\ntasks:\n  - name: load\n    type: s3_to_redshift\n    s3_bucket: b-1\n    redshift_table: t',
    'SL401 3:11',
  ],
  ['another bucket', edit({ 10: '    s3_bucket: other-data' }), 'SL403 10:16'],
  ['nowhere to write', 'dag_id: x\ntasks:\n  - name: a\n    type: spark_job\n    job_name: j', 'SL401 3:11'],
  // not yet
  [
    'part of the language to come',
    'dag_id: x\ntasks:\n  - {name: a, type: postgres_to_s3, source_table: t, s3_bucket: raw-data, file_format: parquet}',
    'SL901 3:75',
  ],
  // together
  [
    'several at once',
    edit({ 1: 'dag_id: Sales', 6: '    sorce_table: sales', 9: '    type: s3_to_redshift\n    depends_on: [nobody]' }),
    'SL205 1:9 SL201 6:5 SL302 10:18',
  ],
];

describe('mistakes in pipelines', () => {
  // The time that is held against each case is that of a document, not of the first use of the code.
  before(() => compiler.compile({ file: 'warm.yaml', text: edit({}) }));

  for (const [name, text, expected] of CASES) {
    it(`${name}: ${expected}`, () => {
      const took = cpuTimer();
      const { plan, diagnostics } = compiler.compile({ file: 'sales.yaml', text });
      assert.equal(
        diagnostics.map(({ code, line, column }) => `${code} ${line}:${column}`).join(' '),
        expected,
        JSON.stringify(diagnostics, null, 1),
      );
      assert.equal(
        plan === undefined,
        diagnostics.some(({ severity }) => severity === 'error'),
      );
      assert.ok(took() < 200, `took ${took()} ms`);
    });
  }

  it('distinguishes the ambiguous from the clear', () => {
    const two = edit({
      8: '  - name: also\n    type: postgres_to_s3\n    source_table: t\n    s3_bucket: raw-data\n    depends_on: []\n  - name: load\n    depends_on: [extract, also]',
    });
    assert.deepEqual(
      compiler.compile({ file: 'x.yaml', text: two }).diagnostics.map(({ code }) => code),
      ['SL402'],
    );
  });

  it('shows the line, a caret and the likely fix', () => {
    const { diagnostics } = compiler.compile({ file: 'sales.yaml', text: edit({ 6: '    sorce_table: sales' }) });
    assert.deepEqual(
      diagnostics.map(({ sourceLine, length, hint }) => [sourceLine, length, hint]),
      [['    sorce_table: sales', 11, "did you mean 'source_table'?"]],
    );
  });

  it('does not let a bad file hide or stop a good one', () => {
    const results = compiler.compileAll([
      { file: 'bad.yaml', text: 'dag_id:\n\t- x' },
      { file: 'good.yaml', text: GOOD.join('\n') },
      { file: 'twin.yaml', text: GOOD.join('\n') },
    ]);
    assert.deepEqual(
      results.map(({ plan, diagnostics }) => [plan?.dagId, diagnostics[0]?.code]),
      [
        [undefined, 'SL102'],
        ['sales', undefined],
        [undefined, 'SL304'],
      ],
    );
  });
});
