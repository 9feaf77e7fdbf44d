import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { createDatabase, type TestDatabase } from '../../support/databases.ts';
import { eventually } from '../../support/eventually.ts';
import { TestKafka } from '../../support/kafka.ts';
import { type TestSensors, unique } from '../../support/test-sensors.ts';
import { testStack } from '../../support/test-stack.ts';
import { compileYaml } from '../../support/compile-yaml.ts';
import { startYamlSensors } from '../../support/yaml-sensors.ts';

describe('a record that would be a statement', function () {
  this.timeout('2m');
  const role = `scs_off_${unique().replaceAll('-', '_')}`;
  let sensors: TestSensors;
  let kafka: TestKafka;
  let database: TestDatabase;

  before(async function () {
    this.timeout('20m');
    const { environment } = await testStack(['temporal', 'kafka', 'postgres']);
    database = await createDatabase();
    // As old applications want it: in the texts of this role a backslash escapes.
    await database.rows(`CREATE ROLE ${role} LOGIN PASSWORD 'test'; ALTER ROLE ${role} SET standard_conforming_strings = off`);
    const url = new URL(database.url.replace(/^postgresql:/, 'http:'));
    Object.assign(url, { username: role, password: 'test' });
    sensors = await startYamlSensors({ ...environment, SLUICE_CONN_SCS_OFF: url.href.replace(/^http:/, 'postgresql:') });
    kafka = await TestKafka.connect(environment);
  });
  after(async () => {
    await sensors.close();
    await kafka.close();
    await database.rows(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
    await database.drop();
  });

  it('is a value, and the table that it names stays', async () => {
    await database.rows(`CREATE TABLE victims (id int); ALTER TABLE victims OWNER TO ${role};
      CREATE TABLE atk_segments (name text); ALTER TABLE atk_segments OWNER TO ${role}`);
    const segments = ["zzz\\'; DROP TABLE victims; --", "zzz'; DROP TABLE victims; --", '\\', "'"];
    for (const segment of [...segments, 'kept']) await database.rows('INSERT INTO atk_segments VALUES ($1)', [segment]);
    const topic = `atk-seg-${unique()}`;
    await kafka.createTopic(topic);
    const plan = compileYaml(`
dag_id: inj_kafka_${unique()}
schedule_interval: null
params: {segment: {type: string, default: all}}
triggers:
  - {name: m, type: kafka, topic: ${topic}, params: {segment: "{{ event.segment }}"}, dedup_key: event.id, start: earliest}
tasks:
  - {name: del, type: sql, conn_id: scs_off, sql: "DELETE FROM atk_segments WHERE name = {{ params.segment }} OR name = '{{ params.segment }}'"}
`);
    await sensors.apply(plan);
    await kafka.sendJson(
      topic,
      segments.map((segment, index) => ({ id: `i${index}`, segment })),
    );
    await sensors.runsOf(plan, segments.length);
    await eventually(async () => assert.deepEqual(await database.rows('SELECT name FROM atk_segments'), [{ name: 'kept' }]), 30_000);
    assert.deepEqual(await database.rows('SELECT * FROM victims'), []);
    await sensors.stop(plan);
  });
});
