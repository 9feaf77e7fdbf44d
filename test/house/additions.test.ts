import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { ROOT } from '../../lib/environment.ts';
import { CopiedTree } from '../support/copied-tree.ts';
import { ADDED_TEST } from '../support/added-test.ts';

const FILE_COMMENT = /^\/\/ (\S+\.ts)\n/;

/** The example of a docstring: a whole file, whose first line is its path. */
function exampleIn(file: string): [path: string, text: string] {
  const text = readFileSync(join(ROOT, file), 'utf8');
  const [, block = ''] = /@example\n((?: \* ?.*\n)+?) \*\//.exec(text) ?? [];
  const code = block.replaceAll(/^ \* ?/gm, '');
  const [, path] = FILE_COMMENT.exec(code) ?? [];
  assert.ok(path !== undefined, `${file} has no @example that begins with a path`);
  return [path, code];
}

/** The files that a page shows whole. */
function filesIn(page: string): [path: string, text: string][] {
  const text = readFileSync(join(ROOT, page), 'utf8');
  const blocks = [...text.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code = '']) => code);
  return blocks.flatMap((code) => {
    const [, path] = FILE_COMMENT.exec(code) ?? [];
    return path === undefined ? [] : [[path, code]];
  });
}

/** Lists a definition in its catalog. */
async function list(
  tree: CopiedTree,
  catalog: string,
  name: string,
  file: string,
  [before, after]: readonly [string, string],
): Promise<void> {
  await tree.edit(catalog, before, after);
  const [, firstImport = ''] = /^(import .*)$/m.exec(readFileSync(join(tree.root, catalog), 'utf8')) ?? [];
  await tree.edit(catalog, `${firstImport}\n`, `import { ${name} } from './${file}';\n${firstImport}\n`);
}

const COMMAND = `import { Command } from 'commander';

export const command = new Command('hello').description('Greet.').action(() => console.log('hello from a command'));
`;

describe('to add one, edit one place (CONTRIBUTING.md), and everything else knows it', function () {
  this.timeout('5m');
  let tree: CopiedTree;

  before(async () => {
    tree = await CopiedTree.create();
    for (const definition of [
      'activities/define-task.ts',
      'sensors/define-trigger.ts',
      'connections/define-connection.ts',
      'channels/define-channel.ts',
      'resources/define-resource.ts',
    ])
      await tree.write(...exampleIn(definition));
    await list(tree, 'activities/catalog.ts', 'greet', 'greet.ts', ['  unfinished,\n];', '  unfinished,\n  greet,\n];']);
    await list(tree, 'sensors/catalog.ts', 'feed', 'feed.ts', ['rabbitmq];', 'rabbitmq, feed];']);
    await list(tree, 'connections/catalog.ts', 'ftp', 'ftp.ts', ['spark] as const', 'spark, ftp] as const']);
    await list(tree, 'channels/catalog.ts', 'teams', 'teams.ts', ['webhook];', 'webhook, teams];']);
    await list(tree, 'resources/catalog.ts', 'sharedFolder', 'shared-folder.ts', ['kafkaConnector];', 'kafkaConnector, sharedFolder];']);
    await tree.edit(
      'workflows/plan/incidents/sla-references.ts',
      'export const SLA_REFERENCES = {\n',
      `export const SLA_REFERENCES = {
  data_interval_middle: {
    of: 'interval',
    description: 'the middle of the interval',
    words: 'after the middle of its interval',
    timeOf: ({ interval }) => interval && (Date.parse(interval.start) + Date.parse(interval.end)) / 2,
  },
`,
    );
    await tree.write('cli/commands/hello.ts', COMMAND);
    await tree.edit('cli.ts', 'const COMMANDS = {\n', "const COMMANDS = {\n  hello: () => import('./cli/commands/hello.ts'),\n");
    await tree.write('test/house/added.test.ts', ADDED_TEST);
    const { code, stderr } = await tree.run('dev/generate-docs.ts');
    assert.equal(code, 0, stderr);
  });
  after(() => tree.remove());

  it('a task type, a trigger type, a connection type, a channel, a resource type, an SLA reference', async () => {
    const { code, stdout, stderr } = await tree.mocha(['test/house/added.test.ts', 'test/house/docs.test.ts']);
    assert.equal(code, 0, `${stdout}\n${stderr}`);
    assert.match(stdout, /an SLA reference is compiled/);
  });

  it('a command of sluice', async () => {
    const called = await tree.run('cli.ts', ['hello']);
    assert.deepEqual([called.code, called.stdout], [0, 'hello from a command\n'], called.stderr);
    const help = await tree.run('cli.ts', ['--help']);
    assert.match(help.stdout, /^ {2}hello +Greet\.$/m);
  });

  it('a test file', async () => {
    const files = filesIn('docs/10-testing-task-types.md');
    assert.deepEqual(
      files.map(([path]) => path),
      ['activities/count-to.ts', 'test/activities/count-to.test.ts'],
    );
    for (const [path, text] of files) await tree.write(path, text);
    await list(tree, 'activities/catalog.ts', 'countTo', 'count-to.ts', ['  greet,\n];', '  greet,\n  countTo,\n];']);
    const { code, stdout, stderr } = await tree.mocha(['test/activities/count-to.test.ts']);
    assert.equal(code, 0, `${stdout}\n${stderr}`);
    assert.match(stdout, /4 passing/);
  });

  it('CONTRIBUTING.md names each place', () => {
    const table = readFileSync(join(ROOT, 'CONTRIBUTING.md'), 'utf8');
    for (const place of [
      'activities/catalog.ts',
      'sensors/catalog.ts',
      'connections/catalog.ts',
      'channels/catalog.ts',
      'resources/catalog.ts',
      'workflows/plan/incidents/sla-references.ts',
      'workflows/plan/tasks/common-task-keys.ts',
      'cli.ts',
    ])
      assert.ok(table.includes(`\`${place}\``), place);
  });
});
