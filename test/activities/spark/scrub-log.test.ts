import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { scrubLog } from '../../../activities/spark/scrub-log.ts';
import { Scrubber } from '../../../lib/scrubbing/scrub.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const SECRET = 'canary-of-a-log';

describe('the log of a Spark job that has ended', () => {
  const secrets = new Scrubber([{ value: SECRET }]);
  let folder: { path: string; remove(): Promise<void> };
  before(async () => (folder = await temporaryFolder()));
  after(() => folder.remove());

  it('is the same without secrets, wherever they are, and closed to others', async () => {
    const file = join(folder.path, 'log');
    const lines = Array.from({ length: 20_000 }, (_, n) => (n % 7 === 0 ? `${n} ü ${SECRET} behind` : `${n} line`));
    const text = `${lines.join('\r\n')}\n\n${'x'.repeat(1_200_000)}\n${SECRET}`;
    await writeFile(file, text);
    await scrubLog(file, (part) => secrets.hide(part));
    assert.ok((await readFile(file, 'utf8')) === text.replaceAll(SECRET, '***'));
    assert.equal((await stat(file)).mode & 0o077, 0);
  });

  it('is not made where there is none', async () => {
    const file = join(folder.path, 'none');
    await scrubLog(file, (part) => part);
    assert.equal(existsSync(file), false);
  });
});
