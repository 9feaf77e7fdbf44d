import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'mocha';
import { ROOT } from '../../lib/environment.ts';
import { ownFiles } from '../support/own-files.ts';

const MAX_LINES = 300;
/** Files that are one for a reason. */
const WHOLE: Readonly<Record<string, string>> = { 'jobs/sluice_job.py': 'a library that Spark is handed as one file' };

describe('files', () => {
  it(`have at most ${MAX_LINES} lines outside of test/: one concept each`, () => {
    const files = ownFiles(/\.([cm]?ts|[cm]?js|py|sql)$/).filter((file) => !file.startsWith('test/'));
    assert.ok(files.length > 400);
    const lengths = files.map((file) => ({ file, lines: readFileSync(join(ROOT, file), 'utf8').trimEnd().split('\n').length }));
    assert.deepEqual(
      lengths.filter(({ file, lines }) => lines > MAX_LINES && !Object.hasOwn(WHOLE, file)),
      [],
    );
  });
});
