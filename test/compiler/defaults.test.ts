import assert from 'node:assert/strict';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { CATALOG } from '../../activities/catalog.ts';
import { Compiler } from '../../compiler/compile.ts';
import { loadPipelines } from '../../compiler/read/load-pipelines.ts';
import { sluice } from '../support/processes.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

describe('defaults.yaml', () => {
  let folder: { path: string; remove(): Promise<void> };
  const write = async (file: string, text: string): Promise<void> => {
    await mkdir(dirname(join(folder.path, file)), { recursive: true });
    await writeFile(join(folder.path, file), text);
  };
  beforeEach(async () => {
    folder = await temporaryFolder();
    await write('package.json', '{"name": "acme"}');
  });
  afterEach(() => folder.remove());

  async function compile(path = 'pipelines', environment?: string) {
    const compilations = new Compiler(CATALOG).compileAll(await loadPipelines(join(folder.path, path), environment));
    return compilations.map(({ file, diagnostics, ...rest }) => ({
      ...rest,
      file: shorten(file),
      mistakes: diagnostics.map(({ file: at, line, column, code, message, hint }) => ({
        at: `${shorten(at)}:${line}:${column}`,
        code,
        message,
        hint,
      })),
    }));
  }
  const shorten = (file: string): string => file.slice(file.indexOf(folder.path.slice(1)) + folder.path.length);
  const places = (compiled: Awaited<ReturnType<typeof compile>>): string[] =>
    compiled.flatMap(({ mistakes }) => mistakes.map(({ at, code }) => `${at} ${code}`));

  const PIPELINE = 'dag_id: orders\nschedule_interval: "0 6 * * *"\ntasks: [{name: a, type: http, path: /a}]\n';

  it('gives keys to all pipelines below it: the file comes first, then the nearest folder', async () => {
    await write('defaults.yaml', 'owner: platform\ntags: [acme]\ndagrun_timeout: 2h\n');
    await write('pipelines/defaults.yaml', 'timezone: Europe/Berlin\ndefault_args: {retries: 7, retry_delay: 1m, priority: 1}\n');
    await write('pipelines/sales/defaults.yaml', 'owner: sales\ndefault_args: {retries: 5}\n');
    await write('pipelines/sales/orders.yaml', `${PIPELINE}default_args: {retry_delay: 9s}\n`);
    const [orders] = await compile();
    assert.deepEqual(orders?.mistakes, []);
    const { plan } = orders;
    assert.deepEqual(
      [plan?.owner, plan?.tags, plan?.runTimeoutMs, plan?.schedule?.timezone],
      ['sales', ['acme'], 7_200_000, 'Europe/Berlin'],
    );
    const [task] = plan?.tasks ?? [];
    assert.deepEqual([task?.retry.maximumAttempts, task?.retry.initialDelayMs, task?.priority], [6, 9_000, 1]);
    const filledIn = orders.filledIn.map(({ what, value, why }) => `${what}: ${value} (${shorten(why)})`);
    assert.deepEqual(filledIn.slice(0, 6), [
      'owner: sales (pipelines/sales/defaults.yaml)',
      'default_args.retries: 5 (pipelines/sales/defaults.yaml)',
      'timezone: Europe/Berlin (pipelines/defaults.yaml)',
      'default_args.priority: 1 (pipelines/defaults.yaml)',
      'tags: ["acme"] (defaults.yaml)',
      'dagrun_timeout: 2h (defaults.yaml)',
    ]);
  });

  it('applies to a file or a subfolder that is named alone, and is part of the hash', async () => {
    await write('pipelines/defaults.yaml', 'owner: platform\n');
    await write('pipelines/sales/orders.yaml', PIPELINE);
    const hashes: (string | undefined)[] = [];
    for (const path of ['pipelines', 'pipelines/sales', 'pipelines/sales/orders.yaml']) hashes.push((await compile(path))[0]?.plan?.hash);
    assert.equal(new Set(hashes).size, 1);
    await write('pipelines/defaults.yaml', 'owner: data\n');
    assert.notEqual((await compile())[0]?.plan?.hash, hashes[0]);
    await assert.rejects(compile('pipelines/defaults.yaml'), /contains defaults of pipelines, not a pipeline/);
  });

  it('reports mistakes at their place in it, for all pipelines below', async () => {
    await write(
      'pipelines/defaults.yaml',
      'dag_id: x\nownr: sales\ntimezone: Europe/Berln\ndefault_args:\n  retries: many\n  queue: nowhere\n  retry_policy: [{on: Nothing, action: fail}]\n',
    );
    await write('pipelines/a.yaml', PIPELINE);
    await write('pipelines/b.yaml', PIPELINE.replace('orders', 'other').replace('/a}', '/a, retries: x}'));
    const [a, b] = await compile();
    assert.deepEqual([a?.plan, b?.plan], [undefined, undefined]);
    const shared = [
      'pipelines/defaults.yaml:1:1 SL201',
      'pipelines/defaults.yaml:2:1 SL201',
      'pipelines/defaults.yaml:3:11 SL205',
      'pipelines/defaults.yaml:5:12 SL203',
      'pipelines/defaults.yaml:7:23 SL204',
    ];
    assert.deepEqual(places([a ?? assert.fail()]), shared);
    assert.deepEqual(places([b ?? assert.fail()]), ['pipelines/b.yaml:3:50 SL203', ...shared]);
    assert.equal(a?.mistakes[0]?.message, "'dag_id' cannot have a default: each pipeline sets it.");
    assert.deepEqual([a?.mistakes[1]?.message, a?.mistakes[1]?.hint], ["Unknown key 'ownr'.", "did you mean 'owner'?"]);
    await write('pipelines/defaults.yaml', 'owner: [\n');
    await write('pipelines/b.yaml', PIPELINE.replace('orders', 'other'));
    assert.deepEqual(places(await compile()), Array(2).fill('pipelines/defaults.yaml:2:1 SL100'));
  });

  it('reports what is wrong only together with a pipeline: expressions and queues', async () => {
    await write(
      'pipelines/defaults.yaml',
      '# shared\ndefault_args:\n  retries: 2\n  queue: gpu\nsla:\n  - {name: n, assert: outputs.zz.rows > 1}\n',
    );
    await write('pipelines/a.yaml', PIPELINE);
    const [compilation] = new Compiler(CATALOG).compileAll(await loadPipelines(join(folder.path, 'pipelines')), {
      queues: new Set(['sluice']),
    });
    assert.deepEqual(
      compilation?.diagnostics.map(({ file, line, column, code }) => `${shorten(file)}:${line}:${column} ${code}`),
      ['pipelines/defaults.yaml:4:10 SL311', 'pipelines/defaults.yaml:6:23 SL504'],
    );
  });

  it('takes variables of environments, and gives pipelines without a schedule no keys about intervals', async () => {
    await write('environments/dev.yaml', 'vars: {pool: small}\n');
    await write('pipelines/defaults.yaml', 'default_args: {pool: "{{ vars.pool }}", depends_on_past: true}\ncatchup: true\n');
    await write('pipelines/a.yaml', PIPELINE);
    await write('pipelines/b.yaml', 'dag_id: by_hand\ntasks: [{name: a, type: http, path: /a}]\n');
    const [a, b] = await compile('pipelines', 'dev');
    assert.deepEqual([a?.mistakes, b?.mistakes], [[], []]);
    assert.deepEqual([a?.plan?.tasks[0]?.pool?.name, a?.plan?.tasks[0]?.dependsOnPast], ['small', true]);
    assert.deepEqual([b?.plan?.tasks[0]?.pool?.name, b?.plan?.tasks[0]?.dependsOnPast], ['small', undefined]);
    assert.deepEqual(places(await compile()), ['pipelines/defaults.yaml:1:22 SL114', 'pipelines/defaults.yaml:1:22 SL114']);
  });

  it('may be empty, and is not followed out of the project', async () => {
    await write('pipelines/defaults.yaml', '# nothing yet\n\n');
    await write('pipelines/a.yaml', PIPELINE);
    assert.deepEqual(places(await compile()), []);
    await write('pipelines/team/b.yaml', PIPELINE.replace('orders', 'other'));
    await symlink('/etc/hostname', join(folder.path, 'pipelines/team/defaults.yaml'));
    assert.deepEqual(places(await compile()), ['pipelines/team/defaults.yaml:1:1 SL108']);
  });

  it('`sluice validate` reports each of its mistakes once', async () => {
    await write('pipelines/defaults.yaml', 'timezone: Mars\n');
    await write('pipelines/a.yaml', PIPELINE);
    await write('pipelines/b.yaml', PIPELINE.replace('orders', 'other'));
    const { code, stdout, stderr } = await sluice(['validate', join(folder.path, 'pipelines')], {});
    assert.equal(code, 3);
    assert.equal(stdout.split('defaults.yaml:1:11').length, 2, stdout);
    assert.match(stderr, /^1 mistake in 2 of 2 files\./);
  });
});
