import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { compiler } from '../../support/compiler.ts';

describe('a model is measured on data that it has not seen', () => {
  const codesOf = (evaluate: string, train = ''): string[] => {
    const text = `
dag_id: held_out
tasks:
  - {name: extract, type: postgres_to_s3, source_table: t, where: "d < {{ ds }}", s3_bucket: training-data}
  - {name: again, type: postgres_to_s3, source_table: t, columns: [a], where: "d  < {{ ds }}", s3_bucket: other-data}
  - {name: wider, type: postgres_to_s3, query: "SELECT a, d FROM public.T WHERE d < '{{ next_ds }}'", s3_bucket: other-data}
  - {name: later, type: postgres_to_s3, source_table: t, where: "d >= {{ ds }}", s3_bucket: training-data}
  - {name: train, type: train_model, inputs: extract, model: m, argv: [python3, t.py]${train}}
  - {name: evaluate, type: evaluate_model, model: m, argv: [python3, e.py]${evaluate}}
`;
    const { diagnostics } = compiler.compile({ file: 'case.yaml', text });
    return diagnostics.map(({ code, line, message, hint }) => `${code} ${line} ${message}${code === 'SL201' ? ` ${hint}` : ''}`);
  };

  it('validate refuses the data of the training', () => {
    assert.deepEqual(codesOf(', inputs: later'), []);
    assert.deepEqual(codesOf(', inputs: extract'), [
      "SL407 9 Task 'evaluate' evaluates the model on the data of 'extract', on which 'train' trains it.",
    ]);
    assert.match(codesOf(', inputs: wider').join(), /^SL407 9 .* the data of 'wider', which contains rows of 'extract'/);
    assert.deepEqual(codesOf(', inputs: again'), [
      "SL407 9 Task 'evaluate' evaluates the model on the data of 'again', which contains rows of 'extract', on which 'train' trains it.",
    ]);
  });

  it('a training that sets rows aside is measured on them by the task that reads the same data, and by no other extract of them', () => {
    const split = ', split: {by: d, test: 20%}';
    assert.deepEqual(codesOf(', inputs: extract', split), []);
    assert.deepEqual(codesOf(', inputs: later', split), []);
    assert.match(codesOf(', inputs: again', split).join(), /^SL407 9 [^;]*$/);
    for (const test of ['0%', '100%', '00.0%', '20', 'a fifth', '-5%'])
      assert.match(codesOf(', inputs: extract', `, split: {by: d, test: "${test}"}`).join(), /^SL20\d 8 /, test);
    assert.match(codesOf(', inputs: extract', ', split: {by: d}').join(), /^SL202 8 /);
  });

  it('words for held-out data of other tools lead to a task that extracts it', () => {
    for (const key of ['split', 'test_size', 'validation_split']) {
      assert.match(codesOf(`, inputs: later, ${key}: 20`).join(), /^SL201 9 Unknown key '.*use `split: .*separate evaluation data/, key);
    }
  });
});
