import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { after, before, describe, it } from 'mocha';
import { PACKAGE } from '../../lib/roots.ts';

const run = promisify(execFile);

describe('a fresh clone, without packages', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sluice-clone-'));
    for (const part of ['bin', 'dev', 'package.json', 'package-lock.json'])
      await cp(join(PACKAGE, part), join(folder, part), { recursive: true });
  });
  after(() => rm(folder, { recursive: true, force: true }));

  for (const file of ['dev/launch/install-packages.mjs', 'dev/launch/run-mode.mjs']) {
    it(`loads ${file}, which the start of every npm script loads before it installs packages`, async () => {
      const { stdout } = await run(process.execPath, ['-e', `import('./${file}').then(() => console.log('loaded'))`], { cwd: folder });
      assert.equal(stdout, 'loaded\n');
    });
  }
});
