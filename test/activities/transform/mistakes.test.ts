import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { compiler } from '../../support/compiler.ts';

/** The mistakes of a pipeline with one such task, as `code message`. */
function mistakesOf(keys: string): string[] {
  const { diagnostics } = compiler.compile({
    file: 'x.yaml',
    text: `dag_id: x\ntasks:\n  - {name: t, type: transform, s3_bucket: raw-data, ${keys}}\n`,
  });
  return diagnostics.filter(({ severity }) => severity === 'error').map(({ code, message }) => `${code} ${message}`);
}

describe('a transform task that cannot be right', () => {
  for (const [keys, message] of [
    ['s3_key: a, read: {format: xml}', /SL208 The format xml needs `record`/],
    ['s3_key: a, read: {format: fixed_width}', /The format fixed_width needs `fixed_columns`/],
    ['s3_key: a, read: {format: csv, record_segment: LIN}', /'record_segment' is not a key of the format csv/],
    ['s3_key: a, read: {format: jsonl}, write: {format: json, header: true}', /'header' is not a key of the format json/],
    ['s3_key: a, read: {format: jsonl}, write: {format: csv}', /The columns of the CSV are unknown/],
    ['s3_key: a', /The format of the source is unknown/],
    ['s3_key: a, text: b, read: {format: csv}', /`s3_key` and `text` exclude each other/],
    ['s3_key: a, read: {format: csv}, map: {a: recrod.x}', /recrod/],
    ['s3_key: a, read: {format: csv}, filter: "1 + 2"', /condition/],
    ['s3_key: a, read: {format: csv}, schema: {properties: {a: {pattern: "(a+)+"}}}', /'pattern' is not allowed: a regular expression/],
    ['s3_key: a, read: {format: csv}, schema: {proprties: {}}', /The JSON Schema is not valid: .*unknown keyword: "proprties"/],
    ['s3_key: a, read: {format: csv}, schema: {properties: {a: {format: colour}}}', /unknown format "colour"/],
    ['s3_key: a, read: {format: csv}, write: {format: xml, root: "a b"}', /'a b' cannot be the name of an XML element/],
    ['s3_key: a, read: {format: fixed_width, fixed_columns: [{name: a, width: 1}, {name: a, width: 2}]}', /'a' is there twice/],
    ['read: {format: csv}', /reads data, but no upstream task produces any/],
  ] as const) {
    it(keys, () => {
      const found = mistakesOf(keys);
      assert.ok(
        found.some((each) => message.test(each)),
        found.join('\n'),
      );
    });
  }

  it('a column may be called pattern', () => {
    assert.deepEqual(mistakesOf('s3_key: a, read: {format: csv}, schema: {properties: {pattern: {type: string}}}'), []);
  });
});
