import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'mocha';
import { LockTimeout, withFileLock } from '../../dev/launch/file-lock.mjs';
import { processIdentity } from '../../dev/launch/process-identity.mjs';
import { temporaryHome } from './temporary-home.ts';

async function lockPath(): Promise<string> {
  const { home } = await temporaryHome();
  await mkdir(home);
  return join(home, 'a.lock');
}

describe('a file lock', () => {
  it('lets in one at a time, also of several processes', async () => {
    const path = await lockPath();
    const counter = `${path}.counter`;
    await writeFile(counter, '0');
    const module = new URL('../../dev/launch/file-lock.mjs', import.meta.url).href;
    const program = `
      const { withFileLock } = await import(${JSON.stringify(module)});
      const { readFileSync, writeFileSync } = await import('node:fs');
      const [path, counter] = process.argv.slice(1);
      for (let round = 0; round < 5; round++) await withFileLock(path, async () => {
        const before = Number(readFileSync(counter, 'utf8'));
        await new Promise((resolve) => setImmediate(resolve));
        writeFileSync(counter, String(before + 1));
      });`;
    const ends = Array.from({ length: 4 }, () => {
      const child = spawn(process.execPath, ['--input-type=module', '-e', program, path, counter], { stdio: 'inherit' });
      return new Promise((resolve) => child.once('close', resolve));
    });
    assert.deepEqual(await Promise.all(ends), [0, 0, 0, 0]);
    assert.equal(await readFile(counter, 'utf8'), '20');
    assert.equal(existsSync(path), false);
  });

  for (const [name, content] of Object.entries({
    'a dead process': JSON.stringify({ pid: 2 ** 22 - 1, identity: 'gone', host: hostname() }),
    'a process whose pid is somebody else’s now': JSON.stringify({ pid: process.pid, identity: 'earlier', host: hostname() }),
    'a crash in the middle of writing it': '{"pid": 1',
  })) {
    it(`is taken over from ${name}`, async () => {
      const path = await lockPath();
      await writeFile(path, content);
      assert.equal(await withFileLock(path, () => Promise.resolve('in'), { timeoutMs: 2_000 }), 'in');
    });
  }

  it('is taken over although a removal of it was killed half way', async () => {
    const path = await lockPath();
    await writeFile(path, '');
    await writeFile(`${path}.removal`, '');
    await utimes(`${path}.removal`, new Date(0), new Date(0));
    assert.equal(await withFileLock(path, () => Promise.resolve('in'), { timeoutMs: 2_000 }), 'in');
  });

  it('of another machine holds while it is touched', async () => {
    const path = await lockPath();
    await writeFile(path, JSON.stringify({ pid: 1, identity: 'there', host: 'elsewhere' }));
    await assert.rejects(
      withFileLock(path, () => Promise.resolve(), { timeoutMs: 150 }),
      LockTimeout,
    );
    await utimes(path, new Date(0), new Date(0));
    assert.equal(await withFileLock(path, () => Promise.resolve('in'), { timeoutMs: 2_000 }), 'in');
  });

  it('is let go of when the work fails', async () => {
    const path = await lockPath();
    await assert.rejects(
      withFileLock(path, () => Promise.reject(new Error('work'))),
      /work/,
    );
    assert.equal(existsSync(path), false);
  });
});

describe('the identity of a process', () => {
  it('is the same while it lives and undefined afterwards', async () => {
    assert.equal(processIdentity(process.pid), processIdentity(process.pid));
    const child = spawn(process.execPath, ['-e', ''], { stdio: 'ignore' });
    await new Promise((resolve) => child.once('close', resolve));
    assert.equal(processIdentity(child.pid ?? 0), undefined);
    assert.equal(processIdentity(0), undefined);
  });
});
