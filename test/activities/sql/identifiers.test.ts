import assert from 'node:assert/strict';
import { ApplicationFailure } from '@temporalio/common';
import { describe, it } from 'mocha';
import { parseTableName, quoteTable } from '../../../activities/support/sql/identifiers.ts';

describe('names of tables', () => {
  const cases: readonly (readonly [text: string, sql: string])[] = [
    ['orders', '"orders"'],
    ['Sales.Orders', '"Sales"."Orders"'],
    ['"sales.2024".orders', '"sales.2024"."orders"'],
    ['"a ""b"""."c"', '"a ""b"""."c"'],
    [`x"; DROP TABLE y; --`, `"x""; DROP TABLE y; --"`],
    ['two words', '"two words"'],
  ];
  for (const [text, sql] of cases) {
    it(`${text} is ${sql}`, () => {
      assert.equal(quoteTable(parseTableName(text)), sql);
    });
  }

  for (const text of ['', '.', 'a.', '.b', 'a.b.c']) {
    it(`'${text}' is refused`, () => {
      assert.throws(
        () => parseTableName(text),
        (error) => error instanceof ApplicationFailure && error.type === 'InvalidParameters',
      );
    });
  }
});
