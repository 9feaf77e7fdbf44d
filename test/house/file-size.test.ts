import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'mocha';
import { ROOT } from '../../lib/environment.ts';

const MAX_LINES = 300;
/** Files that are one for a reason. */
const WHOLE: Readonly<Record<string, string>> = { 'jobs/sluice_job.py': 'a library that Spark is handed as one file' };
const SKIPPED = /^(node_modules|\.sluice|\.git|dist|test)(\/|$)/;

describe('files', () => {
  it(`have at most ${MAX_LINES} lines outside of test/: one concept each`, () => {
    const files = readdirSync(ROOT, { recursive: true, encoding: 'utf8' }).filter(
      (file) => /\.([cm]?ts|[cm]?js|py|sql)$/.test(file) && !SKIPPED.test(file),
    );
    assert.ok(files.length > 400);
    const lengths = files.map((file) => ({ file, lines: readFileSync(join(ROOT, file), 'utf8').trimEnd().split('\n').length }));
    assert.deepEqual(
      lengths.filter(({ file, lines }) => lines > MAX_LINES && !Object.hasOwn(WHOLE, file)),
      [],
    );
  });
});
