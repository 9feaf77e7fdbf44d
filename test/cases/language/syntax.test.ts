import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { compiler } from '../../support/compiler.ts';

function told(text: string): string[] {
  const { diagnostics } = compiler.compile({ file: 'x.yaml', text });
  return diagnostics.map(({ code, line, hint = '' }) => `${code} ${line} ${hint}`);
}

/** A pipeline with a message on each of the lines 6, 9, 12, … */
function messages(...values: readonly string[]): string {
  return `dag_id: x\ntasks:\n${values.map((value, index) => `  - name: t${index}\n    type: notify\n    to: slack\n    message: ${value}\n`).join('')}`;
}

describe('all syntax errors in a file are reported', () => {
  it('each at its line, with quotes as the way out', () => {
    const found = told(messages('@channel look', '{{ ds }} is done', 'fine', '*bold* text', 'Report: all good', '`x`', '%done'));
    assert.deepEqual(found, [
      'SL100 6 put it in quotes: "@channel look"',
      'SL106 10 put quotes around the whole value: "{{ … }}"',
      'SL100 18 put it in quotes: "*bold* text"',
      'SL100 22 put it in quotes: "Report: all good"',
      'SL100 26 put it in quotes: "`x`"',
      'SL100 30 put it in quotes: "%done"',
    ]);
  });

  it('also in maps that are written on one line', () => {
    const lines = [
      'dag_id: x',
      'tasks:',
      '  - {name: a, type: notify, to: slack, message: Report: all good}',
      '  - {name: b, type: notify, to: slack, message: fine}',
      '  - {name: c, type: notify, message: a: b, to: slack}',
      '  - {name: d, type: sql, sql: "SELECT 1"}}',
      '  - name: e',
      '    message: again: wrong',
    ];
    assert.deepEqual(told(lines.join('\n')), [
      'SL100 3 put it in quotes: "Report: all good"',
      'SL100 5 put it in quotes: "a: b"',
      'SL100 6 ',
      'SL100 8 put it in quotes: "again: wrong"',
    ]);
  });

  it('one break is one error', () => {
    for (const value of [
      '@channel look',
      'Report: all good',
      '{{ ds }} is done',
      '{{ ds }}',
      '*bold* text',
      '"never closed',
      '[a, b',
      '"a" b',
    ]) {
      assert.equal(told(messages(value)).length, 1, `${value}: ${JSON.stringify(told(messages(value)))}`);
    }
  });
});

describe('a message that a comment cuts short', () => {
  it('is reported', () => {
    assert.deepEqual(told(messages('100% # done')), ['SL111 6 put it in quotes: "100% # done"']);
    assert.deepEqual(told(messages('"100% # done"', 'a#b', '"done" # a comment')), []);
  });
});

describe('one mistake is one error', () => {
  it('files of dag-factory lead to the import', () => {
    const found = told('default:\n  default_args: {owner: x}\nweekly:\n  tasks:\n    - {task_id: a, operator: x}\n');
    assert.deepEqual(found, ['SL105 1 convert it: sluice import FILE']);
  });

  it('a bad bucket is not another bucket too', () => {
    const found = told(
      'dag_id: x\ntasks:\n  - {name: a, type: postgres_to_s3, source_table: t, s3_bucket: Raw_Data}\n  - {name: b, type: s3_to_redshift, s3_bucket: raw-data, redshift_table: t}\n',
    );
    assert.deepEqual(
      found.map((each) => each.slice(0, 7)),
      ['SL205 3'],
    );
  });
});

describe('the name of a table', () => {
  const TABLES: readonly ((table: string) => string)[] = [
    (table) => `{name: a, type: postgres_to_s3, s3_bucket: raw-data, source_table: ${table}}`,
    (table) => `{name: a, type: s3_to_redshift, s3_bucket: raw-data, s3_key: x, redshift_table: ${table}}`,
    (table) => `{name: a, type: s3_to_redshift, s3_bucket: raw-data, s3_key: x, redshift_table: t, schema: ${table}}`,
    (table) => `{name: a, type: sql_check, table: ${table}, checks: [{name: x, check: unique, column: id}]}`,
    (table) =>
      `{name: a, type: reconcile, source: {conn_id: postgres_default, table: ${table}}, target: {conn_id: postgres_default, table: t}, key: [id]}`,
  ];
  it('has no semicolon, and no quote that is not around a part of it', () => {
    for (const task of TABLES) {
      const compile = (table: string): string[] => told(`dag_id: x\ntasks:\n  - ${task(JSON.stringify(table))}`);
      assert.deepEqual(compile('order_items'), []);
      for (const table of ['orders"; DROP TABLE x', 'a;b', 'a"b', 'a\nb']) assert.match(compile(table).join(), /^SL205 3 $/, task(table));
    }
    const quoted = told(`dag_id: x\ntasks:\n  - ${TABLES[0]?.('\'"odd.schema"."odd;table"\'') ?? ''}`);
    assert.deepEqual(quoted, []);
  });
});
