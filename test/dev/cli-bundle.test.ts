import assert from 'node:assert/strict';
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { SOURCES } from '../../dev/launch/bundle.mjs';
import { ROOT } from '../../lib/environment.ts';
import { type Outcome, outcomeOf } from '../support/outcome.ts';

/** What the `sluice` command is made of, in a copy whose sources can be changed. */
const PARTS = ['bin', 'cli.ts', ...SOURCES.filter((source) => !source.startsWith('dev/')), 'dev', 'package.json'];

describe('the bundle of the command', function () {
  this.timeout('2m');
  let copy: string;
  let home: string;

  before(async () => {
    copy = await mkdtemp(join(tmpdir(), 'sluice-bundle-'));
    home = join(copy, '.sluice');
    for (const part of [...PARTS, 'package-lock.json']) await cp(join(ROOT, part), join(copy, part), { recursive: true });
    await symlink(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
  });

  after(() => rm(copy, { recursive: true, force: true }));

  const explain = (env: Record<string, string> = {}): Promise<Outcome> =>
    outcomeOf(join(copy, 'bin', 'sluice.mjs'), ['explain', 'SL100'], {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      SLUICE_HOME: home,
      ...env,
    });
  const bundles = async (): Promise<string[]> => (await readdir(join(home, 'cache'))).filter((name) => name.startsWith('cli-'));

  it('is made by the first of several commands, and once', async () => {
    const ended = await Promise.all([explain(), explain(), explain()]);
    for (const { code, stdout, stderr } of ended) {
      assert.equal(code, 0, stderr);
      assert.match(stdout, /YAML 1\.2/);
    }
    const [bundle, ...others] = await bundles();
    assert.deepEqual(others, []);
    const files = (await readdir(join(home, 'cache', bundle ?? ''))).sort();
    assert.deepEqual(files, ['cli.cjs', `cli.cjs.${process.arch}.v8`]);
  });

  it('is rebuilt when a source has changed', async () => {
    const earlier = await bundles();
    const codes = join(copy, 'compiler', 'mistakes', 'codes.ts');
    await writeFile(codes, (await readFile(codes, 'utf8')).replace('is not valid YAML 1.2', 'is something else'));
    assert.match((await explain()).stdout, /is something else/);
    const later = await bundles();
    assert.equal(later.length, 1);
    assert.notDeepEqual(later, earlier);
  });

  it('is not trusted when what V8 made of it is not its own', async () => {
    const [bundle = ''] = await bundles();
    await writeFile(join(home, 'cache', bundle, `cli.cjs.${process.arch}.v8`), 'nonsense');
    const { code, stdout } = await explain();
    assert.equal(code, 0);
    assert.match(stdout, /is something else/);
  });

  it('is not needed where nothing can be written', async () => {
    const readOnly = join(copy, 'read-only');
    await mkdir(readOnly);
    await writeFile(join(readOnly, 'file'), '');
    await chmod(readOnly, 0o500);
    // A file where a folder should be is refused to root as well.
    const { code, stdout, stderr } = await explain({ SLUICE_HOME: join(readOnly, 'file') });
    assert.equal(code, 0, stderr);
    assert.match(stdout, /is something else/);
  });
});
