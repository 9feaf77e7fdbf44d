import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { withTemporaryFolder } from '../../lib/temporary-folder.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

describe('temporary folders', () => {
  const { TMPDIR = tmpdir() } = process.env;
  let root: Awaited<ReturnType<typeof temporaryFolder>>;
  beforeEach(async () => {
    root = await temporaryFolder();
    process.env.TMPDIR = root.path;
  });
  afterEach(async () => {
    process.env.TMPDIR = TMPDIR;
    await root.remove();
  });

  it('go with the work that needed them, also when it fails', async () => {
    assert.equal(await withTemporaryFolder('test', async (folder) => existsSync(folder)), true);
    await assert.rejects(
      withTemporaryFolder('test', () => Promise.reject(new Error('broken'))),
      /broken/,
    );
    assert.deepEqual(readdirSync(root.path), []);
  });

  it('of a process that was killed go with the next; those of the living stay, and those of other hosts', async () => {
    const dead = execFileSync(process.execPath, ['-p', 'process.pid'], { encoding: 'utf8' }).trim();
    await withTemporaryFolder('test', async (own) => {
      const named = (pid: string | number, began = '1'): string =>
        basename(own)
          .replace(`.${process.pid}.`, `.${pid}.`)
          .replace(/\.\d+-\w+$/, `.${began}-abcdef`);
      const kept = [
        named(process.ppid),
        named(dead).replace(/^sluice-test-[^.]+/, 'sluice-test-elsewhere'),
        'sluice-others',
        basename(own),
      ];
      const gone = [named(dead), named(process.pid)];
      for (const name of [...kept, ...gone]) mkdirSync(join(root.path, name), { recursive: true });
      for (const name of gone) writeFileSync(join(root.path, name, 'file'), 'x');
      await withTemporaryFolder('test', async () => {});
      assert.deepEqual(readdirSync(root.path).sort(), kept.sort());
    });
  });
});
