import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'mocha';
import { createBucket, type TestBucket } from '../../support/buckets.ts';
import { createDatabase, type TestDatabase } from '../../support/databases.ts';
import { failedTask } from '../../support/failed-run.ts';
import { createYamlRuns, type YamlRuns } from '../../support/yaml-runs.ts';

const METHODS = ['replace', 'append', 'upsert', 'merge'] as const;

describe('columns that the table fills in itself', function () {
  this.timeout('1m');
  let runs: YamlRuns;
  let bucket: TestBucket;
  /** Where a user has fewer rights than the owner of the tables. */
  let guarded: TestDatabase;
  const limited = `limited_${randomBytes(4).toString('hex')}`;

  before(async function () {
    this.timeout('20m');
    [bucket, guarded] = await Promise.all([createBucket(), createDatabase()]);
    await guarded.rows(`CREATE ROLE ${limited} LOGIN PASSWORD 'limited'; GRANT CREATE, USAGE ON SCHEMA public TO ${limited}`);
    const url = new URL(guarded.url.replace(/^postgresql:/, 'http:'));
    runs = await createYamlRuns({
      environment: {
        SLUICE_CONN_AWS_DEFAULT: bucket.url,
        SLUICE_CONN_LIMITED: `postgresql://${limited}:limited@${url.host}${url.pathname}`,
      },
    });
    for (const database of [runs.source, runs.warehouse]) {
      await database.rows(`CREATE TABLE gen (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, a int, twice int GENERATED ALWAYS AS (a * 2) STORED,
        name text, shout text GENERATED ALWAYS AS (upper(name)) STORED)`);
    }
    await runs.source.rows("INSERT INTO gen (a, name) SELECT i, 'n' || i FROM generate_series(1, 5) i");
  });
  after(async () => {
    await runs.close();
    await guarded.rows(`DROP OWNED BY ${limited}; DROP ROLE ${limited}`);
    await Promise.all([guarded.drop(), bucket.drop()]);
  });

  // Two pipelines may append the same interval.
  let count = 0;
  const yaml = (extract: string, load: string): string => `
dag_id: generated_${(count += 1)}
schedule_interval: null
default_args: {retries: 0}
tasks:
  - {name: extract, type: postgres_to_s3, s3_bucket: ${bucket.name}, ${extract}}
  - {name: load, type: s3_to_redshift, s3_bucket: ${bucket.name}, ${load}}
`;
  const keys = (method: string): string => (['upsert', 'merge'].includes(method) ? ', upsert_keys: [id]' : '');
  const run = async (extract: string, load: string): Promise<void> => {
    const { state, tasks } = await runs.run(yaml(extract, load));
    assert.equal(state, 'success', JSON.stringify(tasks));
  };
  const rows = (sql: string): Promise<unknown[]> => runs.warehouse.rows(sql);

  for (const format of ['csv', 'jsonl']) {
    for (const method of METHODS) {
      it(`${format}, ${method}: a copy into a table of the same definition, and its next row gets the next number`, async () => {
        await rows('TRUNCATE gen RESTART IDENTITY; INSERT INTO gen (id, a) OVERRIDING SYSTEM VALUE VALUES (4, 0)');
        if (method === 'append') await rows('DELETE FROM gen');
        await run(`source_table: gen, file_format: ${format}`, `redshift_table: gen, method: ${method}${keys(method)}`);
        const all = 'SELECT * FROM gen ORDER BY id';
        assert.deepEqual(await rows(all), await runs.source.rows(all));
        assert.deepEqual(await rows("INSERT INTO gen (a, name) VALUES (9, 'later') RETURNING id, twice, shout"), [
          { id: 6, twice: 18, shout: 'LATER' },
        ]);
      });
    }
  }

  it('values that a table generates are kept where the other table does not generate them', async () => {
    await rows('CREATE TABLE plain (id int, a int, twice int, name text, shout text)');
    await run('source_table: gen', 'redshift_table: plain');
    const all = 'SELECT * FROM %s ORDER BY id';
    assert.deepEqual(await rows(all.replace('%s', 'plain')), await runs.source.rows(all.replace('%s', 'gen')));
  });

  it('data without the generated columns needs nothing', async () => {
    await rows('TRUNCATE gen RESTART IDENTITY');
    await run('source_table: gen, columns: [name, id]', 'redshift_table: gen');
    assert.deepEqual(await rows('SELECT id, shout FROM gen WHERE id = 5'), [{ id: 5, shout: 'N5' }]);
  });

  it('data of other names cannot be written into a generated column', async () => {
    const wrong = yaml('query: "SELECT 1 AS x, 2 AS y"', 'redshift_table: gen, columns: [a, twice]');
    const { message } = await failedTask(runs, wrong, 'load');
    assert.match(message, /'columns' names twice, which public\.gen generates itself/);
  });

  it('an identity column that is not a key cannot be updated: the message explains it, with a remedy', async () => {
    await rows('CREATE TABLE numbered (code text, id int GENERATED ALWAYS AS IDENTITY)');
    const wrong = yaml('query: "SELECT 1 AS id, \'a\' AS code"', 'redshift_table: numbered, method: upsert, upsert_keys: [code]');
    const { message } = await failedTask(runs, wrong, 'load');
    assert.match(message, /Column 'id' of public\.numbered is GENERATED ALWAYS AS IDENTITY.*Name it in upsert_keys/);
  });

  for (const [what, column, from, next] of [
    ['BY DEFAULT', 'id int GENERATED BY DEFAULT AS IDENTITY', 1, 6],
    ['serial', 'id bigserial', 1, 6],
    ['descending', 'id int GENERATED BY DEFAULT AS IDENTITY (INCREMENT -1 START -1)', -5, -6],
    ['further than the data', 'id int GENERATED BY DEFAULT AS IDENTITY (START 100)', 1, 100],
    ['of another name', '"Odd ""id" int GENERATED ALWAYS AS IDENTITY', 1, 6],
  ] as const) {
    it(`the sequence follows: ${what}`, async () => {
      await rows(`DROP TABLE IF EXISTS "Seq t"; CREATE TABLE "Seq t" (${column}, note text)`);
      const map = what === 'of another name' ? `, columns: ['Odd "id']` : '';
      const name = what === 'of another name' ? '"Odd ""id"' : 'id';
      for (let round = 0; round < 2; round++) {
        await run(`query: "SELECT generate_series(${from}, ${from + 4}) AS id"`, `redshift_table: Seq t${map}`);
      }
      assert.deepEqual(await rows(`INSERT INTO "Seq t" (note) VALUES ('x') RETURNING ${name}::int AS id`), [{ id: next }]);
      // Where it is further already, it does not move back.
      await run(`query: "SELECT ${from} AS id"`, `redshift_table: Seq t${map}`);
      assert.deepEqual(await rows(`INSERT INTO "Seq t" (note) VALUES ('x') RETURNING ${name}::int AS id`), [
        { id: next + (what === 'descending' ? -1 : 1) },
      ]);
    });
  }

  it('a sequence that the user may not move does not stop a load', async () => {
    await guarded.rows(`CREATE TABLE mine (id serial, a int); GRANT ALL ON mine TO ${limited}`);
    await run('query: "SELECT 7 AS id"', 'redshift_table: mine, redshift_conn_id: limited');
    assert.deepEqual(await guarded.rows('SELECT id FROM mine'), [{ id: 7 }]);
  });

  for (const method of ['replace', 'merge']) {
    it(`${method} is refused where row-level security hides rows`, async () => {
      await guarded.rows(`DROP TABLE IF EXISTS hidden; CREATE TABLE hidden (id int, name text); INSERT INTO hidden VALUES (1, 'not yours');
        ALTER TABLE hidden ENABLE ROW LEVEL SECURITY; CREATE POLICY own ON hidden USING (name = 'yours'); GRANT ALL ON hidden TO ${limited}`);
      const wrong = yaml(
        `query: "SELECT 1 AS id, 'yours' AS name", file_format: jsonl`,
        `redshift_table: hidden, redshift_conn_id: limited, method: ${method}${keys(method)}`,
      );
      const { message } = await failedTask(runs, wrong, 'load');
      assert.match(message, /Row-level security hides rows of public\.hidden from this user.*Nothing was loaded/);
      assert.deepEqual(await guarded.rows('SELECT * FROM hidden'), [{ id: 1, name: 'not yours' }]);
    });
  }
});
