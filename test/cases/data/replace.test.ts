import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { failedTask } from '../../support/failed-run.ts';
import { type BucketRuns, createBucketRuns } from '../../support/yaml-runs.ts';

/** Rows of the warehouse's table, and of those around it. */
interface Case {
  readonly name: string;
  readonly setup: string;
  /** Parts of the message. */
  readonly says: readonly RegExp[];
}

describe('replace leaves exactly the new rows, and touches nothing else', function () {
  this.timeout('1m');
  let runs: BucketRuns['runs'];
  let bucket: BucketRuns['bucket'];
  let close: BucketRuns['close'];

  before(async function () {
    this.timeout('20m');
    ({ runs, bucket, close } = await createBucketRuns());
    await runs.source.rows("CREATE TABLE dim (id int, name text); INSERT INTO dim VALUES (1, 'new'), (2, 'new')");
    await runs.warehouse.rows(`CREATE FUNCTION soft_delete() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN EXECUTE format('UPDATE %I SET gone = true WHERE id = $1', TG_TABLE_NAME) USING OLD.id; RETURN NULL; END $$;
      CREATE FUNCTION keep_out() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
      CREATE FUNCTION audit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO audited VALUES (TG_OP); RETURN NULL; END $$;
      CREATE FUNCTION drop_again() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN EXECUTE format('DELETE FROM %I WHERE id = 2', TG_TABLE_NAME); RETURN NULL; END $$;
      CREATE TABLE audited (what text)`);
  });
  after(() => close());

  const yaml = (table: string, more = ''): string => `
dag_id: replace_case
schedule_interval: null
default_args: {retries: 1, retry_delay: 1s}
tasks:
  - {name: extract, type: postgres_to_s3, source_table: dim, s3_bucket: ${bucket.name}}
  - {name: load, type: s3_to_redshift, s3_bucket: ${bucket.name}, redshift_table: ${table}${more}}
`;
  const merged = ', method: merge, upsert_keys: [id]';
  const refused = async (table: string, says: readonly RegExp[], more = ''): Promise<void> => {
    const { message, attempts } = await failedTask(runs, yaml(table, more), 'load');
    for (const part of says) assert.match(message, part);
    assert.equal(attempts, 1);
  };
  const rows = (sql: string): Promise<unknown[]> => runs.warehouse.rows(sql);
  const NEW = [
    { id: 1, name: 'new' },
    { id: 2, name: 'new' },
  ];

  for (const { name, setup, says } of [
    {
      name: 'a foreign key that cascades',
      setup: 'CREATE TABLE t1 (id int PRIMARY KEY, name text); CREATE TABLE x1 (id int, t int REFERENCES t1 ON DELETE CASCADE)',
      says: [/rows of x1 would be deleted too \(foreign key 'x1_t_fkey', ON DELETE CASCADE\)/],
    },
    {
      name: 'a foreign key that sets NULL',
      setup: 'CREATE TABLE t1 (id int PRIMARY KEY, name text); CREATE TABLE x1 (id int, t int REFERENCES t1 ON DELETE SET NULL)',
      says: [/rows of x1 would be changed \(foreign key 'x1_t_fkey', ON DELETE SET NULL\)/],
    },
    {
      name: 'a foreign key that sets a default',
      setup:
        'CREATE TABLE t1 (id int PRIMARY KEY, name text); CREATE TABLE x1 (id int, t int DEFAULT 9 REFERENCES t1 ON DELETE SET DEFAULT)',
      says: [/ON DELETE SET DEFAULT/],
    },
    {
      name: 'a foreign key that refuses',
      setup: 'CREATE TABLE t1 (id int PRIMARY KEY, name text); CREATE TABLE x1 (id int, t int REFERENCES t1)',
      says: [/violates foreign key constraint "x1_t_fkey"/],
    },
    {
      name: 'a foreign key to a partition',
      setup: `CREATE TABLE t1 (id int NOT NULL, name text) PARTITION BY RANGE (id);
        CREATE TABLE p1 PARTITION OF t1 (PRIMARY KEY (id)) FOR VALUES FROM (0) TO (9);
        CREATE TABLE x1 (id int, t int REFERENCES p1 ON DELETE CASCADE)`,
      says: [/rows of x1 would be deleted too/],
    },
    {
      name: 'a trigger that deletes softly',
      setup: `CREATE TABLE t1 (id int PRIMARY KEY, name text, gone bool DEFAULT false); CREATE TABLE x1 (id int, t int);
        CREATE TRIGGER soft BEFORE DELETE ON t1 FOR EACH ROW EXECUTE FUNCTION soft_delete()`,
      says: [/trigger 'soft' \(BEFORE DELETE\) may keep rows, or change something else/],
    },
    {
      name: 'a trigger that writes elsewhere, after deletes of a partition',
      setup: `CREATE TABLE t1 (id int, name text) PARTITION BY RANGE (id); CREATE TABLE p1 PARTITION OF t1 FOR VALUES FROM (0) TO (9);
        CREATE TABLE x1 (id int, t int); CREATE TRIGGER log AFTER DELETE ON p1 FOR EACH ROW EXECUTE FUNCTION audit()`,
      says: [/trigger 'log' \(on DELETE\)/],
    },
    {
      name: 'a rule that keeps rows',
      setup: `CREATE TABLE t1 (id int PRIMARY KEY, name text); CREATE TABLE x1 (id int, t int);
        CREATE RULE keep AS ON DELETE TO t1 DO INSTEAD NOTHING`,
      says: [/rule 'keep' \(on DELETE\)/],
    },
    {
      name: 'a table that inherits',
      setup: `CREATE TABLE t1 (id int PRIMARY KEY, name text); CREATE TABLE x1 (t int) INHERITS (t1)`,
      says: [/rows of x1 would be deleted too, which inherits from it/],
    },
  ] satisfies Case[]) {
    it(`${name} is found before the first row is deleted, and merge keeps what refers to the rest`, async () => {
      await rows(`DROP TABLE IF EXISTS x1, t1, p1 CASCADE; ${setup}`);
      await rows("INSERT INTO t1 (id, name) VALUES (1, 'old'), (3, 'gone')");
      await rows('INSERT INTO x1 (id, t) SELECT i, 1 FROM generate_series(1, 5) i');
      await rows('DELETE FROM audited');
      const before = await rows('SELECT * FROM ONLY x1 ORDER BY id');
      await refused('t1', [...says, /Nothing was loaded.*method: merge/s]);
      assert.deepEqual(await rows("SELECT id, name FROM t1 WHERE name IN ('old', 'gone') ORDER BY id"), [
        { id: 1, name: 'old' },
        { id: 3, name: 'gone' },
      ]);
      if (name === 'a trigger that deletes softly' || name === 'a rule that keeps rows') {
        await refused(
          't1',
          [/would hold 3 rows after the load, and it must be 2: (trigger 'soft'|rule 'keep').*Nothing was loaded/],
          merged,
        );
        assert.deepEqual(await rows('SELECT * FROM ONLY x1 ORDER BY id'), before);
        return;
      }
      assert.equal((await runs.run(yaml('t1', merged))).state, 'success');
      const from = name === 'a table that inherits' ? 'ONLY t1' : 't1';
      assert.deepEqual(await rows(`SELECT id, name FROM ${from} ORDER BY id`), NEW);
      assert.deepEqual(await rows('SELECT * FROM ONLY x1 ORDER BY id'), before);
      // A trigger hears of the one row that is gone, not of all.
      assert.equal((await rows('SELECT * FROM audited')).length, name.startsWith('a trigger that writes') ? 1 : 0);
    });
  }

  it('a foreign key that is checked by the COMMIT stops a replace only where a row that is referred to would be gone', async () => {
    await rows(`DROP TABLE IF EXISTS x1, t1 CASCADE; CREATE TABLE t1 (id int PRIMARY KEY, name text);
      CREATE TABLE x1 (id int, t int REFERENCES t1 DEFERRABLE INITIALLY DEFERRED); INSERT INTO t1 VALUES (1, 'old'), (4, 'old');
      INSERT INTO x1 VALUES (1, 1), (2, 4)`);
    await refused('t1', [/violates foreign key constraint "x1_t_fkey".*Nothing was loaded.*method: merge/s]);
    assert.equal((await rows('SELECT * FROM t1')).length, 2);
    await rows('DELETE FROM x1 WHERE t = 4');
    assert.equal((await runs.run(yaml('t1'))).state, 'success');
    assert.deepEqual(await rows('SELECT id, name FROM t1 ORDER BY id'), NEW);
  });

  it('a trigger that keeps old values is found by merge and upsert', async () => {
    await rows(`DROP TABLE IF EXISTS x1, t1 CASCADE; CREATE TABLE t1 (id int PRIMARY KEY, name text); INSERT INTO t1 VALUES (1, 'old');
      CREATE TRIGGER stay BEFORE UPDATE ON t1 FOR EACH ROW EXECUTE FUNCTION keep_out()`);
    for (const more of [merged, ', method: upsert, upsert_keys: [id]']) {
      await refused('t1', [/lacks 1 of 2 rows of the data: trigger 'stay' \(BEFORE UPDATE\) keeps, moves or adds rows/], more);
      assert.deepEqual(await rows('SELECT * FROM t1'), [{ id: 1, name: 'old' }]);
    }
  });

  it('a trigger that is disabled, a key of the table to itself, and one that cascades updates only are no obstacle', async () => {
    await rows(`DROP TABLE IF EXISTS x1, t1 CASCADE;
      CREATE TABLE t1 (id int PRIMARY KEY, name text, gone bool, parent int REFERENCES t1 ON DELETE CASCADE);
      CREATE TABLE x1 (id int, t int REFERENCES t1 ON UPDATE CASCADE);
      CREATE TRIGGER soft BEFORE DELETE ON t1 FOR EACH ROW EXECUTE FUNCTION soft_delete(); ALTER TABLE t1 DISABLE TRIGGER soft;
      INSERT INTO t1 VALUES (5, 'old', NULL, 5)`);
    assert.equal((await runs.run(yaml('t1'))).state, 'success');
    assert.deepEqual(await rows('SELECT id, name FROM t1 ORDER BY id'), NEW);
  });

  it('partitioned tables are replaced', async () => {
    await rows(`DROP TABLE IF EXISTS x1, t1 CASCADE; CREATE TABLE t1 (id int, name text) PARTITION BY LIST (id);
      CREATE TABLE t1_1 PARTITION OF t1 FOR VALUES IN (1, 7); CREATE TABLE t1_2 PARTITION OF t1 FOR VALUES IN (2) PARTITION BY RANGE (id);
      CREATE TABLE t1_2_a PARTITION OF t1_2 DEFAULT; INSERT INTO t1 VALUES (1, 'old'), (7, 'old')`);
    for (const more of ['', merged, '']) {
      assert.equal((await runs.run(yaml('t1', more))).state, 'success');
      assert.deepEqual(await rows('SELECT id, name FROM t1 ORDER BY id'), NEW);
    }
  });

  for (const format of ['csv', 'jsonl']) {
    const written = (table: string, more = ''): string =>
      yaml(table, more).replace('source_table: dim', `source_table: dim, file_format: ${format}`);

    it(`${format}: a trigger that moves new rows elsewhere is named, and not retried`, async () => {
      await rows(`DROP TABLE IF EXISTS x1, t1 CASCADE; CREATE TABLE t1 (id int, name text); INSERT INTO t1 VALUES (9, 'old');
        CREATE TRIGGER route BEFORE INSERT ON t1 FOR EACH ROW EXECUTE FUNCTION keep_out()`);
      for (const more of ['', ', method: append', merged, ', method: upsert, upsert_keys: [id]']) {
        const { message, attempts } = await failedTask(runs, written('t1', more), 'load');
        assert.match(message, /trigger 'route' \(BEFORE INSERT\).*(moves|keeps)/, more);
        assert.match(message, /Nothing was loaded/);
        assert.equal(attempts, 1);
        assert.deepEqual(await rows('SELECT * FROM t1'), [{ id: 9, name: 'old' }]);
      }
    });

    it(`${format}: rows that a trigger deletes afterwards, even at the COMMIT, are missed`, async () => {
      for (const kind of [
        'TRIGGER again AFTER INSERT ON t1',
        'CONSTRAINT TRIGGER again AFTER INSERT ON t1 DEFERRABLE INITIALLY DEFERRED',
      ]) {
        await rows(`DROP TABLE IF EXISTS x1, t1 CASCADE; CREATE TABLE t1 (id int, name text); INSERT INTO t1 VALUES (9, 'old');
          CREATE ${kind} FOR EACH ROW EXECUTE FUNCTION drop_again()`);
        for (const more of ['', ', method: append', merged, ', method: upsert, upsert_keys: [id]']) {
          const { message, attempts } = await failedTask(runs, written('t1', more), 'load');
          assert.match(message, /trigger 'again' \(on INSERT\) keeps, moves or adds rows/, more);
          assert.equal(attempts, 1);
          assert.deepEqual(await rows('SELECT * FROM t1'), [{ id: 9, name: 'old' }]);
        }
      }
    });
  }

  it('a trigger that only notes new rows, or fills in a column, blocks nothing', async () => {
    await rows(`DROP TABLE IF EXISTS x1, t1 CASCADE; CREATE TABLE t1 (id int, name text); DELETE FROM audited;
      CREATE TRIGGER log AFTER INSERT ON t1 FOR EACH ROW EXECUTE FUNCTION audit()`);
    for (const more of ['', ', method: upsert, upsert_keys: [id]', merged])
      assert.equal((await runs.run(yaml('t1', more))).state, 'success');
    assert.equal((await rows('SELECT * FROM audited')).length, 2);
    assert.deepEqual(await rows('SELECT id, name FROM t1 ORDER BY id'), NEW);
  });
});
