import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { RowScanner } from '../../../activities/support/dataset/row-scanner.ts';

describe('RowScanner', () => {
  const cases: readonly (readonly [what: string, format: 'csv' | 'jsonl', text: string, rows: number])[] = [
    ['nothing', 'csv', '', 0],
    ['a row', 'csv', 'a,b\n', 1],
    ['a last row without its newline', 'csv', 'a\nb', 2],
    ['rows of one NULL', 'csv', '\n\n\n', 3],
    ['CRLF', 'csv', 'a\r\nb\r\n', 2],
    ['a newline inside quotes', 'csv', '"a\nb",c\nd,e\n', 2],
    ['doubled quotes around a newline', 'csv', '"a""\n""b"\n', 1],
    ['an empty string', 'csv', '""\n"",""\n', 2],
    ['quotes that never end', 'csv', '"a\nb\n', 1],
    ['JSON lines, where quotes say nothing', 'jsonl', '{"a":"x\\"y"}\n{"b":1}\n', 2],
    ['a lone quote in JSON lines', 'jsonl', '"\n"\n', 2],
    ['emoji', 'csv', '"😀\n😀",é\n', 1],
  ];
  for (const [what, format, text, rows] of cases) {
    it(`counts ${what}, however the bytes are cut`, () => {
      const bytes = Buffer.from(text);
      for (let size = 1; size <= Math.max(1, bytes.length); size++) {
        const scanner = new RowScanner(format);
        for (let from = 0; from < bytes.length; from += size) scanner.scan(bytes.subarray(from, from + size));
        assert.equal(scanner.rows, rows, `in chunks of ${size}`);
      }
    });
  }

  it('stops at the end of the row that is asked for', () => {
    const bytes = Buffer.from('a\n"b\nb"\nc\n');
    const scanner = new RowScanner('csv');
    const cuts: string[] = [];
    for (let from = 0; from < bytes.length;) {
      const end = scanner.scan(bytes, from, 1);
      cuts.push(bytes.subarray(from, end).toString());
      assert.ok(scanner.betweenRows);
      from = end;
    }
    assert.deepEqual(cuts, ['a\n', '"b\nb"\n', 'c\n']);
    assert.equal(scanner.rows, 3);
  });
});
