import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { CATALOG } from '../../../activities/catalog.ts';
import { Compiler } from '../../../compiler/compile.ts';

const compiler = new Compiler(CATALOG);
const PARAMS = 'params: {x: a, n: 3, flag: true}';

function told(condition: string): string[] {
  const text = `dag_id: x\n${PARAMS}\ntasks:\n  - {name: b, type: sql, sql: SELECT 1}\n  - {name: a, type: empty, when: ${JSON.stringify(condition)}}\n`;
  return compiler.compile({ file: 'x.yaml', text }).diagnostics.map(({ code, message, hint = '' }) => `${code} ${message} | ${hint}`);
}

/** Words of the library that evaluates expressions, which no analyst knows. */
const LIBRARY_WORDS = /overload|google\.protobuf|\b[A-Z]{3,}\b(?<!SL)|Cannot index|identifier|token|\$\w|map<|list</;

/** Wrong conditions, each with words that its only message must have. */
const WRONG: readonly (readonly [condition: string, words: string])[] = [
  ['ds[:7] == "2024-01"', 'x.substring(0, 7)'],
  ['ds[0:4] == "2024"', 'x.substring(0, 7)'],
  ['ds.replace("-", "") == "20240101"', 'x.split("a").join("b")'],
  ['params.x ?? "y"', 'x != null ? x : "other"'],
  ['"x" ~ ds == "x"', '+ to join'],
  ['params.x === "a"', 'write == or !='],
  ['params.x =~ "a"', 'x.like("a%")'],
  ['params.x matches "a.*"', 'x.like("a%")'],
  ['f"{ds}" == ds', '+ to join'],
  ['$ds == ""', 'names stand alone'],
  ['params.x.includes("a")', 'x.contains("a")'],
  ['params.x.toUpperCase() == "A"', 'x.upperAscii()'],
  ['params.x.length > 3', 'size(x)'],
  ['params.get("x") == "a"', 'params.<name>'],
  ['round(params.n) > 3', 'int(x)'],
  ['max(params.n, 3) > 3', 'x > y ? x : y'],
  ['concat(params.x, "b") == ""', '+ to join'],
  ['weekday(ds) == 1', 'dayOfWeek(ds)'],
  ['ds.getDayOfWeek() == 1', 'a time.getDayOfWeek()'],
  ['month(ds) == 1', 'int(date(ds, "M"))'],
  ['subtractDays(ds, 1) == ds', 'addDays(ds, -1)'],
  ['diffDays(ds, ts) > 1', 'daysBetween(x, y)'],
  ['endOfDay(ds) == ds', 'addDays(startOfDay(logical_date), 1)'],
  ['startOfHour(ts) == ts', 'date(logical_date, "yyyy-MM-dd HH")'],
  ['addDays(ds, "1") == ds', "'addDays' does not take text and text"],
  ['addDays(ds) == ds', 'it takes: addDays(text, a whole number)'],
  ['size(params) > 1', "'size' does not take a map"],
  ['frobnicate(ds) == ds', 'docs/01-writing-pipelines.md'],
  ['logical_date.add(days=1) > logical_date', 'addDays(logical_date, 1)'],
  ['always()', '`finally`'],
  ['success()', 'leave it out'],
  ['ds + 1 == ds', 'addDays(ds, 1)'],
  ['logical_date - 1 > logical_date', 'addDays(logical_date, -1)'],
  ['logical_date > "2024-01-01"', 'date(logical_date) > "2024-01-31"'],
  ['params.n == "3"', 'leave the quotes out'],
  ['params.flag == "true"', 'write the name alone'],
  ['params.x', 'compare it: params.x == "…"'],
  ['outputs.b.rows', 'compare it: outputs.b.rows > 0'],
  ['outputs.b[0] > 3', 'A map has no elements with numbers'],
  ['params.x.y == 3', 'Text has no fields'],
  ['"abc', 'not closed by a quote'],
  ['(params.n > 3', "')' is expected here, not the end"],
  ['loop.index == 3', 'item'],
];

describe('a wrong expression', () => {
  for (const [condition, words] of WRONG) {
    it(condition, () => {
      const found = told(condition);
      assert.equal(found.length, 1, found.join('\n'));
      assert.ok(found[0]?.includes(words), found[0]);
      assert.doesNotMatch(found[0] ?? '', LIBRARY_WORDS);
    });
  }
});
