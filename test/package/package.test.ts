import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { isBuiltin } from 'node:module';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { CATALOG } from '../../activities/catalog.ts';
import { ROOT } from '../../lib/environment.ts';
import { READY_LINES } from '../../lib/ready-lines.ts';
import { connectClient } from '../../temporal/connect.ts';
import { openInbox } from '../support/inbox.ts';
import { OWN_DEFINITIONS, ownPipeline } from '../support/own-definitions.ts';
import { foreignEnvironment, type InstalledPackage, installPackage, npm } from '../support/installed-package.ts';
import { type Outcome, outcomeOf } from '../support/outcome.ts';
import { testStack } from '../support/test-stack.ts';

/** What the tarball may contain. npm adds package.json, the README and the licence. */
const PACKED =
  /^(bin\/[\w-]+\.mjs|(cli\/templates|dist|docs)\/.+|jobs\/sluice_job\.py|(README|CHANGELOG|SECURITY)\.md|LICENSE|package\.json)$/;
/** TypeScript that is not a declaration, tests and source maps. */
const NOT_PACKED = /(?<!\.d)\.ts$|\.test\.[jt]s$|\.map$/;
/** A package that node-fetch, in the bundle of the command, tries to load and can do without. */
const TRIED = 'encoding';
/** Packages that a worker with prebuilt workflows does not need. */
const BUILD_TOOLS = /node_modules\/(@swc\/core|swc-loader|typescript|tsx|esbuild|webpack\/lib\/(webpack|Compiler))\b/;

const PIPELINE = `dag_id: hello
tasks:
  - name: wait
    type: empty
`;

/** A test of the task type of a new project. */
const TASK_TEST = `import assert from 'node:assert/strict';
import { userFault } from 'sluice';
import { compilePipeline, runTask } from 'sluice/testing';
import greet from './greet.ts';

const run = (params: { who: string | number }) =>
  runTask<{ greeting: string }>(greet, { params, environment: {}, interval: { start: '2024-05-01T00:00:00Z', end: '2024-05-02T00:00:00Z' } });
assert.equal((await run({ who: 'Ada' })).greeting, 'Hello, Ada, on 2024-05-01!');
await assert.rejects(run({ who: 5 }), { type: 'InvalidParameters' });
const { diagnostics } = compilePipeline('dag_id: a\\ntasks:\\n  - {name: b, type: greet, whom: Ada}\\n', [greet]);
assert.deepEqual(diagnostics.map(({ line, hint }) => [line, hint]), [[3, "did you mean 'who'?"]]);
// @ts-expect-error: types of failures are a closed set
userFault('NoSuchFault', 'a message');
`;

describe('the package', function () {
  this.timeout('5m');
  let installed: InstalledPackage;

  before(async () => {
    installed = await installPackage();
    await mkdir(join(installed.folder, 'pipelines'));
    await writeFile(join(installed.folder, 'pipelines', 'hello.yaml'), PIPELINE);
  });
  after(() => installed.remove());

  it('contains compiled files, their types, templates and docs, and nothing else', () => {
    assert.deepEqual(
      installed.packed.filter((file) => !PACKED.test(file) || NOT_PACKED.test(file)),
      [],
    );
    const needed = [
      'dist/index.js',
      'dist/types/index.d.ts',
      'dist/cli.cjs',
      'dist/workflows/index.bundle.js',
      'cli/templates/pipelines/etl.yaml',
    ];
    assert.deepEqual(
      needed.filter((file) => !installed.packed.includes(file)),
      [],
    );
  });

  it('has every file that its modules find relative to themselves', async () => {
    const dist = join(installed.folder, 'node_modules', 'sluice', 'dist');
    const missing: string[] = [];
    for (const file of await modulesIn(dist))
      for (const [, place = '', path = ''] of (await readFile(join(dist, file), 'utf8')).matchAll(
        /new URL\("([^"`$]+)", new URL\("(\.\/[^"]+)", import\.meta\.url\)\.href\)/g,
      )) {
        const found = join('dist', new URL(place, new URL(path, 'file:///')).pathname);
        if (!installed.packed.some((each) => each === found || each.startsWith(`${found.replace(/\/$/, '')}/`))) missing.push(found);
      }
    assert.deepEqual(missing, []);
  });

  it('imports only packages that it declares', async () => {
    const { dependencies, peerDependencies } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as Record<string, object>;
    const declared = new Set(Object.keys({ ...dependencies, ...peerDependencies }));
    const dist = join(installed.folder, 'node_modules', 'sluice', 'dist');
    const undeclared = new Set<string>();
    for (const file of [...(await modulesIn(dist)), 'cli.cjs'])
      for (const [, name = ''] of (await readFile(join(dist, file), 'utf8')).matchAll(
        /(?:\bfrom ?|^import |\bimport\(|\brequire\()"((?:@[\w.-]+\/)?[\w][\w.-]*)(?:\/[^"]*)?"/gm,
      ))
        if (!isBuiltin(name) && !declared.has(name) && name !== TRIED) undeclared.add(name);
    assert.deepEqual([...undeclared], []);
  });

  it('names its version and its task types', async () => {
    const { version } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as { version: string };
    assert.deepEqual(await installed.sluice(['--version']), { code: 0, stdout: `${version}\n`, stderr: '' });
    const { stdout } = await installed.sluice(['types', '-o', 'json']);
    assert.deepEqual(
      (JSON.parse(stdout) as { type: string }[]).map(({ type }) => type),
      CATALOG.map(({ type }) => type),
    );
  });

  it('checks pipelines', async () => {
    const file = join('pipelines', 'hello.yaml');
    assert.equal((await installed.sluice(['validate', file])).code, 0);
    const wrong = join(installed.folder, 'wrong.yaml');
    await writeFile(wrong, PIPELINE.replace('type: empty', 'type: emty'));
    const { code, stdout, stderr } = await installed.sluice(['validate', wrong]);
    assert.equal(code, 3);
    assert.match(stdout + stderr, /wrong\.yaml:4:11.*\n[^]*did you mean 'empty'/);
  });

  it('makes a project whose tests pass at once, and files of it that compile', async () => {
    const folder = join(installed.folder, 'acme-pipelines');
    const inProject = (...args: string[]): Promise<Outcome> => outcomeOf(installed.command, args, foreignEnvironment(), folder);
    const made = await installed.sluice(['init', 'acme-pipelines']);
    assert.equal(made.code, 0, made.stderr);
    assert.match(await npm(['test'], folder), /✔ a day on which all goes well/);

    for (const kind of ['task', 'connection', 'trigger', 'channel']) {
      const { code, stderr } = await inProject('new', kind, `my_${kind}`);
      assert.deepEqual([code, stderr], [0, `Created ${kind}s/my-${kind}.ts, an example to change.\n`]);
    }
    const built = await inProject('build');
    assert.deepEqual([built.code, /^task type greet \(tasks\/greet\.ts\)$/m.test(built.stderr)], [0, true], built.stderr);
    await writeFile(join(folder, 'tasks', 'greet.test.ts'), TASK_TEST);
    const types = ['--typeRoots', join(ROOT, 'node_modules/@types')];
    const compiled = await outcomeOf(join(ROOT, 'node_modules/typescript/bin/tsc'), ['-p', folder, ...types], foreignEnvironment());
    assert.equal(compiled.code, 0, compiled.stdout);
    const tested = await outcomeOf(join(ROOT, 'node_modules/tsx/dist/cli.mjs'), ['tasks/greet.test.ts'], foreignEnvironment(), folder);
    assert.equal(tested.code, 0, tested.stderr);

    const { stdout } = await inProject('types', '-o', 'json');
    const known = (JSON.parse(stdout) as { type: string }[]).map(({ type }) => type);
    assert.deepEqual(known, [...CATALOG.map(({ type }) => type), 'greet', 'my_task']);
    assert.equal((await inProject('validate')).code, 0);
    assert.equal((await inProject('new', 'pipeline', 'orders')).code, 0);
    const draft = await inProject('validate');
    assert.equal(draft.code, 3);
    assert.match(draft.stdout, /orders\.yaml:\d+/);

    const again = await inProject('init', '.');
    assert.equal(again.code, 1);
    assert.match(again.stderr, /pipelines\/hello\.yaml, .* already exist\. Nothing was written\./);
  });

  it('runs a pipeline with a worker that loads no build tools', async () => {
    const { environment } = await testStack(['temporal']);
    const env = { ...environment, SLUICE_TASK_QUEUE: `package-${randomUUID()}`, SLUICE_HOME: join(installed.folder, '.sluice') };
    const list = join(installed.folder, 'modules.json');
    const spy = join(installed.folder, 'spy.cjs');
    await writeFile(
      spy,
      `process.on('exit', () => require('node:fs').writeFileSync(${JSON.stringify(list)}, JSON.stringify(Object.keys(require.cache))));`,
    );
    const worker = spawn(process.execPath, ['--require', spy, installed.command, 'worker'], {
      cwd: installed.folder,
      env: { ...foreignEnvironment(), ...env },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const exited = new Promise((resolve) => worker.once('exit', resolve));
    let log = '';
    try {
      await new Promise<void>((resolve, reject) => {
        worker.stderr.on('data', (data: Buffer) => {
          log += data.toString();
          if (log.includes(`worker: ${READY_LINES.worker}`)) resolve();
        });
        void exited.then((code) => reject(new Error(`The worker ended with ${String(code)}:\n${log}`)));
      });
      const run = await installed.sluice(['run', join('pipelines', 'hello.yaml'), '--wait'], env);
      assert.equal(run.code, 0, run.stderr);
      assert.match(run.stdout, /success/);
      const doctor = await installed.sluice(['doctor'], { ...env, SLUICE_CONN_MYSQL_DEFAULT: 'mysql://a:b@127.0.0.1:1/shop' });
      assert.match(doctor.stdout, /✘ connection mysql_default: .*need the npm package 'mysql2'.*npm install mysql2/);
    } finally {
      worker.kill('SIGTERM');
      await exited;
    }
    const modules = JSON.parse(await readFile(list, 'utf8')) as string[];
    assert.ok(modules.some((file) => file.includes('@temporalio/worker')));
    assert.deepEqual(
      modules.filter((file) => BUILD_TOOLS.test(file)),
      [],
    );
  });

  it('runs the pipelines of a project with own definitions and a plugin package', async () => {
    const { environment } = await testStack(['temporal']);
    const [queue, bell] = [`project_${randomUUID().replaceAll('-', '_')}`, await openInbox()];
    const files: Readonly<Record<string, string>> = {
      ...PLUGIN,
      ...OWN_DEFINITIONS,
      'sluice.config.ts': OWN_DEFINITIONS['sluice.config.ts'].replace('./plugin/index.ts', 'sluice-shout').replace('acme_data', queue),
      'pipelines/hello.yaml': ownPipeline(queue),
    };
    for (const [name, text] of Object.entries(files)) {
      await mkdir(dirname(join(installed.folder, name)), { recursive: true });
      await writeFile(join(installed.folder, name), text);
    }
    const client = await connectClient(environment);
    try {
      const connections = { SLUICE_CONN_VAULT_DEFAULT: 'vault://:secret@vault.acme', SLUICE_CONN_BELL_DEFAULT: bell.url };
      const checked = await installed.sluice(['validate'], connections);
      assert.equal(checked.code, 0, checked.stdout + checked.stderr);
      const { code, stdout, stderr } = await installed.sluice(['dev', '--once'], { ...environment, ...connections });
      assert.deepEqual([code, stdout], [0, `${queue}: success\n`], stderr);
    } finally {
      // Absent if the test failed before.
      await client.schedule
        .getHandle(queue)
        .delete()
        .catch(() => undefined);
      await client.connection.close();
      bell.close();
    }
  });
});

/** The plugin as a package of JavaScript, which imports `sluice` from node_modules. */
const PLUGIN = {
  'node_modules/sluice-shout/package.json': '{ "name": "sluice-shout", "type": "module", "exports": "./index.js" }\n',
  'node_modules/sluice-shout/index.js': OWN_DEFINITIONS['plugin/index.ts'],
};

/** The ES modules of the package. */
async function modulesIn(dist: string): Promise<string[]> {
  return (await readdir(dist)).filter((name) => name.endsWith('.js'));
}
