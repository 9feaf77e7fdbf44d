import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { CATALOG } from '../../../activities/catalog.ts';
import { Compiler } from '../../../compiler/compile.ts';

const compiler = new Compiler(CATALOG);

function told(text: string): string[] {
  const { diagnostics } = compiler.compile({ file: 'x.yaml', text });
  return diagnostics.map(({ code, line, hint = '' }) => `${code} ${line} ${hint}`);
}

/** A pipeline with a message on each of the lines 6, 9, 12, … */
function messages(...values: readonly string[]): string {
  return `dag_id: x\ntasks:\n${values.map((value, index) => `  - name: t${index}\n    type: notify\n    to: slack\n    message: ${value}\n`).join('')}`;
}

describe('all breaks of syntax in a file are told', () => {
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
  it('is told', () => {
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
