import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { stringify } from 'yaml';
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
  this.timeout('3m');
  const unique = randomUUID().slice(0, 8);
  const FILE = 'resources/shop.yaml';
  let project: TestProject;
  let environment: Record<string, string>;
  let servers: Servers;

  before(async function () {
    this.timeout('15m');
    const stack = await testStack(['temporal', 'kafka']);
    project = await TestProject.create({
      'sluice.config.ts': "import { defineConfig } from 'sluice';\nexport default defineConfig({});\n",
    });
    environment = { ...stack.environment, ...project.environment, SLUICE_TASK_QUEUE: `resources-${unique}` };
    servers = { kafka: await TestKafka.connect(stack.environment) };
  });
  after(async () => {
    await servers.kafka.close();
    await project.remove();
  });

  const nameOf = ({ type }: ResourceCase): string => `${type.replaceAll('_', '-')}-${unique}`;
  const declare = (resources: readonly JsonObject[]): Promise<void> => project.write({ [FILE]: stringify({ resources }) });
  const asDeclared = (keysOf: (each: ResourceCase) => JsonObject = ({ keys }) => keys): JsonObject[] =>
    RESOURCE_CASES.map((each) => ({ name: nameOf(each), type: each.type, ...keysOf(each) }));

  async function run(command: 'plan' | 'apply', ...options: string[]): Promise<{ code: number | null; of: (type: string) => Shown }> {
    const { code, stdout, stderr } = await sluice([command, join(project.root, 'resources'), '-o', 'json', ...options], environment);
    assert.equal(stderr, '');
    const changes = JSON.parse(stdout) as readonly Shown[];
    return { code, of: (type) => changes.find((each) => each.type === type) ?? assert.fail(`${type} is not in ${stdout}`) };
  }

  it('are created, and are then as declared', async () => {
    await declare(asDeclared());
    const planned = await run('plan');
    const made = await run('apply');
    const after = await run('plan');
    for (const { type } of RESOURCE_CASES)
      assert.deepEqual(
        [planned.of(type).action, made.of(type).action, made.of(type).failure, after.of(type).action],
        ['create', 'create', undefined, 'unchanged'],
        type,
      );
    assert.deepEqual([planned.code, made.code, after.code], [2, 0, 0]);
  });

  it('that an operator changed by hand are shown, and converge', async () => {
    for (const each of RESOURCE_CASES) await each.drift(servers, nameOf(each));
    const planned = await run('plan');
    assert.equal(planned.code, 2);
    for (const { type, differences } of RESOURCE_CASES) {
      const { action, differences: shown = [], withheld } = planned.of(type);
      assert.deepEqual([action, withheld], ['update', undefined], type);
      assert.deepEqual(Object.fromEntries(shown.map(({ field, actual, declared }) => [field, [actual, declared]])), differences, type);
    }
    const converged = await run('apply');
    const after = await run('plan');
    assert.deepEqual([converged.code, after.code], [0, 0]);
    for (const { type } of RESOURCE_CASES) assert.equal(after.of(type).action, 'unchanged', type);
  });

  it('keep what cannot be changed in place, with what to do instead', async () => {
    await declare(asDeclared(({ keys, impossible }) => impossible?.keys ?? keys));
    const applied = await run('apply');
    assert.equal(applied.code, 1);
    for (const { type, impossible } of RESOURCE_CASES)
      if (impossible) assert.match(applied.of(type).withheld ?? '', impossible.reason, type);
    await declare(asDeclared());
    assert.equal((await run('plan')).code, 0);
  });

  it('whose files declare them no more are deleted only with --prune, and never with contents that the type keeps', async () => {
    for (const each of RESOURCE_CASES) await each.fill?.(servers, nameOf(each));
    await declare([]);
    const kept = await run('apply');
    assert.equal(kept.code, 1);
    for (const { type } of RESOURCE_CASES)
      assert.deepEqual([kept.of(type).action, kept.of(type).withheld], ['delete', '`--prune` deletes it'], type);
    const limited = await run('apply', '--prune');
    for (const { type } of RESOURCE_CASES)
      assert.match(limited.of(type).withheld ?? '', /would be deleted; `--allow-delete \d+` allows it|empty it first/, type);
    const planned = await run('plan', '--prune', '--allow-delete', '9');
    for (const { type, contents } of RESOURCE_CASES) if (contents) assert.match(planned.of(type).detail, contents, type);
    const deleted = await run('apply', '--prune', '--allow-delete', '9');
    assert.equal(deleted.code, 0);
    await declare(asDeclared());
    const again = await run('plan');
    for (const { type } of RESOURCE_CASES) assert.equal(again.of(type).action, 'create', type);
  });
});
