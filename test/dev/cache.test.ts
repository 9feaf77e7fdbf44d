import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'mocha';
import { cached, cacheFolder, findCached } from '../../dev/servers/cache.ts';
import { temporaryHome } from './temporary-home.ts';

const entry = { name: 'thing-1.0', essential: 'program' };
const silent = () => {};

describe('the cache of fetched programs', () => {
  it('is filled once, also by two at once', async () => {
    const { environment } = await temporaryHome();
    let fills = 0;
    const fill = async (folder: string) => {
      fills++;
      await writeFile(join(folder, 'program'), '');
    };
    const folders = await Promise.all([cached(environment, entry, silent, fill), cached(environment, entry, silent, fill)]);
    assert.equal(fills, 1);
    assert.equal(folders[0], folders[1]);
    assert.equal(findCached(environment, entry), folders[0]);
  });

  it('holds nothing of a fetch that failed', async () => {
    const { environment } = await temporaryHome();
    const failing = cached(environment, entry, silent, async (folder) => {
      await writeFile(join(folder, 'program'), 'half');
      throw new Error('refused');
    });
    await assert.rejects(failing, /refused/);
    assert.equal(findCached(environment, entry), undefined);
    assert.deepEqual(await readdir(cacheFolder(environment)), ['.locks']);
  });

  it('deletes what a killed fetch left, and its lock', async () => {
    const { environment } = await temporaryHome();
    const root = cacheFolder(environment);
    await mkdir(join(root, 'thing-1.0.partial-dead'), { recursive: true });
    await mkdir(join(root, '.locks'));
    await writeFile(join(root, '.locks/thing-1.0.lock'), JSON.stringify({ pid: 2 ** 22 - 1, identity: 'gone', host: 'x' }));
    await rm(join(root, '.locks/thing-1.0.lock'));
    await writeFile(join(root, '.locks/thing-1.0.lock'), '{"pid":');
    await cached(environment, entry, silent, (folder) => writeFile(join(folder, 'program'), ''));
    assert.deepEqual((await readdir(root)).sort(), ['.locks', 'thing-1.0']);
  });

  it('fetches again what was damaged', async () => {
    const { environment } = await temporaryHome();
    const fill = (folder: string) => writeFile(join(folder, 'program'), '');
    const folder = await cached(environment, entry, silent, fill);
    await rm(join(folder, 'program'));
    assert.equal(findCached(environment, entry), undefined);
    await cached(environment, entry, silent, fill);
    assert.ok(existsSync(join(folder, 'program')));
  });

  it('follows XDG_CACHE_HOME, unless it is relative', () => {
    assert.equal(cacheFolder({ XDG_CACHE_HOME: '/x', HOME: '/h' }), '/x/sluice');
    assert.equal(cacheFolder({ XDG_CACHE_HOME: 'x', HOME: '/h' }), '/h/.cache/sluice');
  });
});
