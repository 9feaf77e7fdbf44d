import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { CATALOG } from '../../../activities/catalog.ts';
import { Compiler } from '../../../compiler/compile.ts';

describe('a model is measured on data that it has not seen', () => {
  const codesOf = (evaluate: string): string[] => {
    const text = `
dag_id: held_out
tasks:
  - {name: extract, type: postgres_to_s3, source_table: t, where: "d < {{ ds }}", s3_bucket: training-data}
  - {name: again, type: postgres_to_s3, source_table: t, columns: [a], where: "d  < {{ ds }}", s3_bucket: other-data}
  - {name: later, type: postgres_to_s3, source_table: t, where: "d >= {{ ds }}", s3_bucket: training-data}
  - {name: train, type: train_model, inputs: extract, model: m, argv: [python3, t.py]}
  - {name: evaluate, type: evaluate_model, model: m, argv: [python3, e.py]${evaluate}}
`;
    const { diagnostics } = new Compiler(CATALOG).compile({ file: 'case.yaml', text });
    return diagnostics.map(({ code, line, message, hint }) => `${code} ${line} ${message}${code === 'SL201' ? ` ${hint}` : ''}`);
  };

  it('validate refuses the data of the training', () => {
    assert.deepEqual(codesOf(', inputs: later'), []);
    assert.deepEqual(codesOf(', inputs: extract'), [
      "SL407 8 Task 'evaluate' measures the model on the data of 'extract', on which 'train' trains it.",
    ]);
    assert.deepEqual(codesOf(', inputs: again'), [
      "SL407 8 Task 'evaluate' measures the model on the data of 'again', which are the rows of 'extract', on which 'train' trains it.",
    ]);
  });

  it('words for held-out data of other tools lead to a task that extracts it', () => {
    for (const key of ['split', 'test_size', 'validation_split']) {
      assert.match(codesOf(`, inputs: later, ${key}: 20`).join(), /^SL201 8 Unknown key '.*data that a training does not see/, key);
    }
  });
});
