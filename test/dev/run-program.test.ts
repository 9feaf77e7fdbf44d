import assert from 'node:assert/strict';
import { cp, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { ROOT } from '../../lib/environment.ts';
import { type Outcome, outcomeOf } from '../support/outcome.ts';

const PROGRAM = `import { formatDuration } from '../workflows/plan/values/duration.ts';

const ms: number = Number(process.argv[2]);
if (Number.isNaN(ms)) throw new Error('not a number');
console.log(formatDuration(ms));
`;

describe('programs that run from a bundle', function () {
  this.timeout('1m');
  let copy: string;
  let cache: string;

  before(async () => {
    copy = await mkdtemp(join(tmpdir(), 'sluice-program-'));
    for (const part of ['dev', 'workflows', 'package.json', 'package-lock.json'])
      await cp(join(ROOT, part), join(copy, part), { recursive: true });
    await mkdir(join(copy, 'node_modules'));
    for (const name of await readdir(join(ROOT, 'node_modules')))
      if (name !== '.cache') await symlink(join(ROOT, 'node_modules', name), join(copy, 'node_modules', name));
    cache = join(copy, 'node_modules', '.cache', 'sluice');
    await writeFile(join(copy, 'dev', 'probe.ts'), PROGRAM);
  });

  after(() => rm(copy, { recursive: true, force: true }));

  const probe = (argument: string, program = 'dev/probe.ts'): Promise<Outcome> =>
    outcomeOf(join(copy, 'dev', 'launch', 'run-program.mjs'), [program, argument]);

  it('begin at once, several at a time, from one bundle', async () => {
    for (const { code, stdout, stderr } of await Promise.all([probe('60000'), probe('60000'), probe('60000')])) {
      assert.equal(code, 0, stderr);
      assert.equal(stdout, '1m\n');
    }
    const [bundle, ...others] = await readdir(cache);
    assert.deepEqual(others, []);
    assert.deepEqual((await readdir(join(cache, bundle ?? ''))).sort(), ['probe.mjs', 'probe.mjs.map']);
  });

  it('fail where their TypeScript fails', async () => {
    const { code, stderr } = await probe('soon');
    assert.equal(code, 1);
    assert.match(stderr, /Error: not a number\n.*dev\/probe\.ts:4:/);
  });

  it('are rebuilt when a source has changed', async () => {
    await writeFile(join(copy, 'dev', 'probe.ts'), PROGRAM.replace('formatDuration(ms)', '`${formatDuration(ms)} and no more`'));
    assert.equal((await probe('60000')).stdout, '1m and no more\n');
    assert.equal((await readdir(cache)).length, 1);
  });

  it('are not taken for another of the same name', async () => {
    await mkdir(join(copy, 'dev', 'other'));
    await writeFile(join(copy, 'dev', 'other', 'probe.ts'), "console.log('another');\n");
    assert.equal((await probe('60000', 'dev/other/probe.ts')).stdout, 'another\n');
    assert.equal((await probe('60000')).stdout, '1m and no more\n');
  });

  it('run from their TypeScript where nothing can be written', async () => {
    await rm(join(copy, 'node_modules', '.cache'), { recursive: true });
    await writeFile(join(copy, 'node_modules', '.cache'), '');
    const { code, stdout, stderr } = await probe('60000');
    assert.equal(code, 0, stderr);
    assert.equal(stdout, '1m and no more\n');
    assert.match((await probe('soon')).stderr, /dev\/probe\.ts:4:/);
  });
});
