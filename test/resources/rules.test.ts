import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import { after, before, describe, it } from 'mocha';
import { connectClient } from '../../temporal/connect.ts';
import { TestKafka } from '../support/kafka.ts';
import { sluice, startProcess } from '../support/processes.ts';
import { TestProject } from '../support/test-project.ts';
import { testStack } from '../support/test-stack.ts';

const unique = randomUUID().slice(0, 8);
const topicOf = (name: string): string => `${name}-${unique}`;
const topic = (name: string, keys = 'partitions: 1'): string => `  - {name: ${topicOf(name)}, type: kafka_topic, ${keys}}\n`;
const PRUNE = ['--prune', '--allow-delete', '9'];

describe('the rules of declared resources', function () {
  this.timeout('3m');
  let project: TestProject;
  let environment: Record<string, string>;
  let kafka: TestKafka;
  let client: Client;

  before(async function () {
    this.timeout('15m');
    const stack = await testStack(['temporal', 'kafka']);
    kafka = await TestKafka.connect(stack.environment);
    client = await connectClient(stack.environment);
    project = await TestProject.create({
      'sluice.config.ts': "import { defineConfig } from 'sluice';\nexport default defineConfig({});\n",
    });
    environment = {
      ...stack.environment,
      ...project.environment,
      SLUICE_TASK_QUEUE: `rules-${unique}`,
      SLUICE_CONN_KAFKA_TWIN: stack.environment.SLUICE_CONN_KAFKA_DEFAULT ?? '',
      SLUICE_CONN_KAFKA_GONE: 'kafka://127.0.0.1:9',
    };
  });
  after(async () => {
    await kafka.close();
    await client.connection.close();
    await project.remove();
  });

  const declare = (...resources: readonly string[]): Promise<void> =>
    project.write({ 'resources/topics.yaml': `resources:${resources.length === 0 ? ' []' : ''}\n${resources.join('')}` });
  const run = (command: string, ...options: string[]): ReturnType<typeof sluice> =>
    sluice([command, join(project.root, 'resources'), ...options], environment);
  const topics = (): Promise<string[]> => kafka.admin.listTopics();

  it('one that existed before, as declared, is managed, and is never deleted', async () => {
    await kafka.createTopic(topicOf('old'));
    await declare(topic('old'));
    assert.match((await run('apply')).stdout, /old-\w+ {2}adopted {2}\(it exists already, as declared\)/);
    assert.equal((await run('plan')).code, 0);
    await declare();
    const { code, stdout } = await run('apply', ...PRUNE);
    assert.equal(code, 0);
    assert.match(
      stdout,
      /old-\w+ {2}released {2}\(resources\/topics\.yaml no longer declares it; it existed before it was declared, and stays\)/,
    );
    assert.ok((await topics()).includes(topicOf('old')));
  });

  it('many are read at once', async () => {
    await declare(...Array.from({ length: 12 }, (_, index) => topic(`many-${index}`)));
    const { code, stdout, stderr } = await run('plan');
    assert.deepEqual([code, stderr, stdout.match(/create/g)?.length], [2, '', 12]);
  });

  it('one that existed before and differs is only changed with --adopt, and is then like a created one', async () => {
    await kafka.createTopic(topicOf('other'), 1, { 'retention.ms': '5000' });
    await declare(topic('other'));
    const refused = await run('apply');
    assert.equal(refused.code, 1);
    assert.match(refused.stdout, /not updated {2}\(it exists already, and differs\): .*`--adopt` takes it over/);
    assert.match((await run('plan')).stdout, /config\.retention\.ms: 5000 → \(not set\)/);
    assert.match((await run('apply', '--adopt')).stdout, /other-\w+ {2}updated/);
    await declare();
    assert.match((await run('apply', ...PRUNE)).stdout, /other-\w+ {2}deleted/);
  });

  it('one on a server that does not answer is unknown, and stops neither the others nor the pipelines', async () => {
    await declare(
      topic('lost', 'conn_id: kafka_gone, partitions: 1'),
      topic('found'),
      topic('undefined', 'conn_id: kafka_none, partitions: 1'),
    );
    const dagId = `beside_${unique}`;
    await project.write({ 'pipelines/beside.yaml': `dag_id: ${dagId}\nschedule_interval: null\ntasks: [{name: a, type: empty}]\n` });
    const planned = await run('plan');
    assert.equal(planned.code, 1);
    assert.match(planned.stdout, /\? kafka_topic lost-\w+ {2}unknown .*\n {2}not compared: /);
    assert.match(
      planned.stdout,
      /\? kafka_topic undefined-\w+ .*\n {2}not compared: Connection 'kafka_none' is not defined\. Set SLUICE_CONN_KAFKA_NONE/,
    );
    const applied = await sluice(['apply', '--no-wait'], environment);
    assert.equal(applied.code, 1);
    assert.match(applied.stdout, /! kafka_topic lost-\w+ {2}not compared/);
    assert.match(applied.stdout, /found-\w+ {2}created/);
    assert.match(applied.stdout, new RegExp(`${dagId} {2}created`));
    assert.ok(applied.stdout.indexOf('found-') < applied.stdout.indexOf(dagId), 'resources come first');
    await client.schedule.getHandle(dagId).delete();
  });

  it('one whose file has a mistake, or that another connection declares now, is not deleted', async () => {
    await declare(topic('kept'), topic('moved'));
    assert.equal((await run('apply', ...PRUNE)).code, 0);
    await declare(topic('moved', 'conn_id: kafka_twin, partitions: 1'));
    await project.write({ 'resources/broken.yaml': `resources:\n${topic('kept', 'partition: 1')}` });
    const broken = await run('apply', ...PRUNE);
    assert.equal(broken.code, 3);
    assert.match(broken.stdout, /kept-\w+ {2}not deleted {2}\(.*\): resources\/broken\.yaml has mistakes, and may declare it/);
    await project.write({ 'resources/broken.yaml': `resources:\n${topic('kept')}` });
    const { stdout } = await run('apply', ...PRUNE);
    assert.match(stdout, /moved-\w+ {2}released {2}\(.*another connection declares it now\)/);
    const there = await topics();
    assert.deepEqual(
      [topicOf('kept'), topicOf('moved')].filter((name) => !there.includes(name)),
      [],
    );
  });

  it('the scheduler applies them like sluice apply, with the variables of its environment', async () => {
    await project.write({
      'environments/prod.yaml': 'vars: {partitions: 4}\n',
      'resources/topics.yaml': `resources:\n${topic('scaled', 'partitions: "{{ vars.partitions }}"')}`,
    });
    const scheduler = startProcess('scheduler.ts', ['--env', 'prod', '--no-wait'], environment);
    await scheduler.exited;
    assert.match(scheduler.stderr(), /scaled-\w+ {2}created/);
    const { topics: found } = await kafka.admin.fetchTopicMetadata({ topics: [topicOf('scaled')] });
    assert.equal(found[0]?.partitions.length, 4);
    const without = await run('plan');
    assert.equal(without.code, 3);
    assert.match(without.stderr, /SL114 {2}'vars\.partitions' needs an environment/);
  });
});
