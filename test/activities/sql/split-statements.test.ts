import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { splitStatements, transactionControl } from '../../../activities/support/sql/split-statements.ts';

const texts = (sql: string): string[] => splitStatements(sql).map(({ text }) => text.trim());
const controls = (sql: string): (string | undefined)[] => splitStatements(sql).map(transactionControl);

describe('splitting SQL into statements', () => {
  it('cuts between statements, and leaves out empty ones', () => {
    assert.deepEqual(texts('SELECT 1;;\n -- none\n; SELECT 2 /* ; */ ; '), ['SELECT 1', 'SELECT 2 /* ; */']);
    assert.deepEqual(texts('-- only a comment'), []);
  });

  it('knows the line of the first word', () => {
    assert.deepEqual(
      splitStatements('-- a\n\nSELECT 1;\n/* b\n */ COMMIT').map(({ line, words }) => [line, words[0]]),
      [
        [3, 'SELECT'],
        [5, 'COMMIT'],
      ],
    );
  });

  for (const [what, sql] of [
    ['a text', "SELECT 'a; COMMIT; b'"],
    ['a text with quotes', "SELECT 'it''s; COMMIT; --'"],
    ['a text with escapes', String.raw`SELECT E'\'; COMMIT; \\'`],
    ['a text that ends with a backslash', String.raw`SELECT 'C:\' || ';'`],
    ['a name', 'SELECT 1 AS "a;""; COMMIT"'],
    ['a comment', 'SELECT 1 -- it\'s; COMMIT;\n + 2 /* "; /* nested; */ COMMIT; */ + 3'],
    ['a text between dollars', 'DO $$ BEGIN PERFORM 1; COMMIT; END $$'],
    ['a text between tags', 'SELECT $tag_1$ ; $$; COMMIT; $tag_1$ || $ünï$;$ünï$'],
    ['a parameter', 'SELECT $1 + a$1'],
    ['parentheses', 'CREATE RULE r AS ON DELETE TO t DO INSTEAD (UPDATE t SET a = 1; NOTIFY t)'],
    ['the body of a function', 'CREATE OR REPLACE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END'],
    ['the body of a procedure', 'create procedure p() begin atomic insert into t values (1); end'],
  ] as const) {
    it(`does not cut ${what}`, () => {
      assert.deepEqual(texts(`${sql}; SELECT 'next'`), [sql, "SELECT 'next'"]);
    });
  }

  it('finds what begins or ends a transaction, however it is written', () => {
    assert.deepEqual(
      controls(
        'begin; Start /* x */ Transaction READ ONLY; COMMIT AND CHAIN; end; ROLLBACK; ROLLBACK WORK; abort; PREPARE\n TRANSACTION $$x$$; COMMIT PREPARED $$x$$',
      ),
      ['BEGIN', 'START TRANSACTION', 'COMMIT', 'END', 'ROLLBACK', 'ROLLBACK', 'ABORT', 'PREPARE TRANSACTION', 'COMMIT'],
    );
  });

  it('leaves savepoints and everything else alone', () => {
    const sql =
      'SAVEPOINT a; ROLLBACK TO a; ROLLBACK WORK TO SAVEPOINT a; ROLLBACK TRANSACTION TO a; RELEASE a; PREPARE p AS SELECT 1; SET TRANSACTION READ ONLY; ' +
      'SELECT 1 AS commit; COMMENT ON TABLE t IS $$COMMIT$$; START_IT; CREATE TABLE "COMMIT" (a int)';
    assert.deepEqual([...new Set(controls(sql))], [undefined]);
  });

  it('ends with the text where something is not closed', () => {
    for (const sql of ["SELECT 'a; b", 'SELECT "a; b', 'SELECT /* a; /* b */ c', 'SELECT $a$; $$', "SELECT E'\\';"]) {
      assert.deepEqual(texts(sql), [sql]);
    }
  });
});
