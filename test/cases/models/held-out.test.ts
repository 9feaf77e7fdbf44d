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
  - {name: later, type: postgres_to_s3, source_table: t, where: "d >= {{ ds }}", s3_bucket: training-data}
  - {name: train, type: train_model, inputs: extract, model: m, argv: [python3, t.py]}
  - {name: evaluate, type: evaluate_model, model: m, argv: [python3, e.py]${evaluate}}
`;
    const { diagnostics } = new Compiler(CATALOG).compile({ file: 'case.yaml', text });
    return diagnostics.map(({ code, line, message }) => `${code} ${line} ${message}`);
  };

  it('validate refuses the data of the training', () => {
    assert.deepEqual(codesOf(', inputs: later'), []);
    assert.deepEqual(codesOf(', inputs: extract'), [
      "SL407 7 Task 'evaluate' measures the model on the data of 'extract', on which 'train' trains it.",
    ]);
  });
});
