import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, describe, it } from 'mocha';
import { ROOT } from '../../lib/environment.ts';
import { keptBundle } from '../../temporal/worker/kept-bundle.ts';

const FOLDER = join(ROOT, 'node_modules', '.cache', 'sluice');

describe('bundles of workflows', () => {
  const name = `test-${randomUUID()}`;
  const filesOf = async (): Promise<string[]> => (await readdir(FOLDER)).filter((file) => file.includes(name));
  let made = 0;
  const make = async (): Promise<{ code: string }> => ({ code: `code ${made++}` });

  after(async () => {
    for (const file of await filesOf()) await rm(join(FOLDER, file));
  });

  it('are made once for all callers, and those of other sources are removed', async () => {
    const first = await keptBundle(name, make);
    await writeFile(join(FOLDER, `workflows-${name}-0123456789abcdef.js`), 'old');
    assert.deepEqual([await keptBundle(name, make), made], [first, 1]);
    for (const file of await filesOf()) if (!file.includes('0123456789abcdef')) await rm(join(FOLDER, file));
    const both = await Promise.all([keptBundle(name, make), keptBundle(name, make)]);
    // Two at once make one each, unless the second comes when the first has ended.
    const codes = both.map(({ code }) => code);
    assert.ok(
      codes.every((code) => ['code 1', 'code 2'].includes(code)),
      codes.join(),
    );
    const { code: kept } = await keptBundle(name, make);
    assert.ok(codes.includes(kept), kept);
    const files = await filesOf();
    assert.equal(files.length, 1, files.join());
    assert.ok(!files.join().includes('0123456789abcdef'));
  });
});
