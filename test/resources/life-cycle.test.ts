import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { ChannelModel } from 'amqplib';
import { after, before, describe, it } from 'mocha';
import { stringify } from 'yaml';
import { connectionsFrom } from '../../connections/connections.ts';
import { KafkaConnect } from '../../lib/kafka-connect/kafka-connect.ts';
import { RegistrySubjects } from '../../lib/kafka/registry-subjects.ts';
import { openRabbitMQ } from '../../lib/rabbitmq.ts';
import { openS3 } from '../../lib/s3.ts';
import type { JsonObject } from '../../workflows/plan/values/json.ts';
import { TestKafka } from '../support/kafka.ts';
import { sluice } from '../support/processes.ts';
import { TestProject } from '../support/test-project.ts';
import { testStack } from '../support/test-stack.ts';
import { RESOURCE_CASES, type ResourceCase, type Servers } from './resource-cases.ts';

/** A change as `plan` and `apply` print it. */
interface Shown {
  readonly type: string;
  readonly action: string;
  readonly detail: string;
  readonly withheld?: string;
  readonly failure?: string;
  readonly differences?: readonly { readonly field: string; readonly actual: string | null; readonly declared: string | null }[];
}

/** All types go through their life together, so that each step needs one process. */
describe('declared resources of every type', function () {
  this.timeout('4m');
  const unique = randomUUID().slice(0, 8);
  const FILE = 'resources/shop.yaml';
  let project: TestProject;
  let environment: Record<string, string>;
  let servers: Servers;
  let rabbitmq: ChannelModel;

  before(async function () {
    this.timeout('20m');
    const stack = await testStack(['temporal', 'kafka', 'schema-registry', 'rabbitmq', 's3', 'mysql', 'kafka-connect']);
    const { SLUICE_CONN_KAFKA_DEFAULT: brokers = '', SLUICE_SCHEMA_REGISTRY: registry = '' } = stack.environment;
    const connections = connectionsFrom(stack.environment);
    const { signal } = new AbortController();
    project = await TestProject.create({
      'sluice.config.ts': "import { defineConfig } from 'sluice';\nexport default defineConfig({});\n",
    });
    environment = {
      ...stack.environment,
      ...project.environment,
      SLUICE_TASK_QUEUE: `resources-${unique}`,
      SLUICE_CONN_KAFKA_DEFAULT: `${brokers}?schema_registry=${encodeURIComponent(registry)}`,
    };
    rabbitmq = await openRabbitMQ(connections.get('rabbitmq_default', ['rabbitmq']), 'test');
    servers = {
      kafka: await TestKafka.connect(stack.environment),
      subjects: new RegistrySubjects(registry, signal),
      connect: new KafkaConnect(connections.get('kafka_connect_default', ['kafka_connect']), signal),
      channel: await rabbitmq.createConfirmChannel(),
      s3: openS3(connections.get('aws_default', ['aws'])),
      mysql: connections.get('mysql_default', ['mysql']),
    };
  });
  after(async () => {
    await servers.kafka.close();
    await rabbitmq.close();
    servers.s3.destroy();
    await project.remove();
  });

  const nameOf = ({ type }: ResourceCase): string => `${type.replaceAll('_', '-')}-${unique}`;
  const declare = (resources: readonly JsonObject[]): Promise<void> => project.write({ [FILE]: stringify({ resources }) });
  const asDeclared = (changes: (each: ResourceCase) => JsonObject = () => ({})): JsonObject[] =>
    RESOURCE_CASES.map((each) => ({ name: nameOf(each), type: each.type, ...each.keys(servers, nameOf(each)), ...changes(each) }));

  async function run(command: 'plan' | 'apply', ...options: string[]): Promise<{ code: number | null; of: (type: string) => Shown }> {
    const { code, stdout, stderr } = await sluice([command, join(project.root, 'resources'), '-o', 'json', ...options], environment);
    assert.equal(stderr, '');
    assert.ok(!stdout.includes(servers.mysql.password ?? 'no password'), 'a secret is shown');
    const changes = JSON.parse(stdout) as readonly Shown[];
    return { code, of: (type) => changes.find((each) => each.type === type) ?? assert.fail(`${type} is not in ${stdout}`) };
  }

  it('are created, and are then as declared', async () => {
    await declare(asDeclared());
    const planned = await run('plan');
    const made = await run('apply');
    const after = await run('plan');
    for (const { type } of RESOURCE_CASES) {
      const shown = [
        planned.of(type).action,
        made.of(type).action,
        made.of(type).failure,
        after.of(type).action,
        after.of(type).differences,
      ];
      assert.deepEqual(shown, ['create', 'create', undefined, 'unchanged', undefined], type);
    }
    assert.deepEqual([planned.code, made.code, after.code], [2, 0, 0]);
  });

  it('that an operator changed by hand are shown, and converge', async () => {
    for (const each of RESOURCE_CASES) await each.drift(servers, nameOf(each));
    const planned = await run('plan');
    assert.equal(planned.code, 2);
    for (const { type, differences } of RESOURCE_CASES) {
      const { action, differences: shown = [], withheld } = planned.of(type);
      assert.deepEqual([action, withheld], [differences ? 'update' : 'create', undefined], type);
      assert.deepEqual(
        Object.fromEntries(shown.map(({ field, actual, declared }) => [field, [actual, declared]])),
        differences ?? {},
        type,
      );
    }
    const converged = await run('apply');
    const after = await run('plan');
    for (const { type } of RESOURCE_CASES)
      assert.deepEqual([converged.of(type).failure, after.of(type).action], [undefined, 'unchanged'], type);
    assert.deepEqual([converged.code, after.code], [0, 0]);
  });

  it('stay as they are where the server cannot change them in place, with what to do instead', async () => {
    await declare(asDeclared(({ impossible }) => impossible?.keys ?? {}));
    const applied = await run('apply');
    assert.equal(applied.code, 1);
    for (const { type, impossible } of RESOURCE_CASES) {
      const { withheld, failure } = impossible ? applied.of(type) : {};
      if (impossible) assert.match(withheld ?? failure ?? '', impossible.reason, type);
    }
    await declare(asDeclared());
    assert.equal((await run('plan')).code, 0);
  });

  it('that no file declares any more are deleted only with --prune, and those that keep their contents only when empty', async () => {
    for (const each of RESOURCE_CASES) await each.contents?.fill(servers, nameOf(each));
    await declare([]);
    const kept = await run('apply');
    assert.equal(kept.code, 1);
    for (const { type } of RESOURCE_CASES)
      assert.deepEqual([kept.of(type).action, kept.of(type).withheld], ['delete', '`--prune` deletes it'], type);
    const limited = await run('apply', '--prune');
    for (const { type } of RESOURCE_CASES)
      assert.match(limited.of(type).withheld ?? '', /would be deleted; `--allow-delete 6` allows it/, type);

    const pruned = await run('apply', '--prune', '--allow-delete', '6');
    assert.equal(pruned.code, 1);
    for (const { type, contents } of RESOURCE_CASES) {
      const { detail, withheld, failure } = pruned.of(type);
      if (contents) assert.match(detail, contents.shown, type);
      assert.equal(failure, undefined, type);
      if (contents && !contents.areDeleted) assert.match(withheld ?? '', /empty it first$/, type);
      else assert.equal(withheld, undefined, type);
    }
    for (const each of RESOURCE_CASES) await each.contents?.empty(servers, nameOf(each));
    assert.equal((await run('apply', '--prune', '--allow-delete', '6')).code, 0);
    await declare(asDeclared());
    const again = await run('plan');
    for (const { type } of RESOURCE_CASES) assert.equal(again.of(type).action, 'create', type);
  });
});
