import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, it } from 'mocha';
import { ROOT } from '../../lib/environment.ts';

/** Imports what a worker does at its start, and prints which packages of AWS's SDK that has loaded. */
const START = `
  const { createRequire } = await import('node:module');
  for (const file of ['activities/catalog.ts', 'activities/run/create-activities.ts', 'activities/run/output-store.ts', 'sensors/catalog.ts',
    'sensors/run/create-sensors.ts', 'connections/connections.ts', 'channels/catalog.ts']) await import('./' + file);
  const packages = /node_modules\\/(@aws-sdk\\/[\\w-]+)\\//;
  const loaded = Object.keys(createRequire(process.cwd() + '/x.js').cache).flatMap((file) => packages.exec(file)?.[1] ?? []);
  console.log(JSON.stringify([...new Set(loaded)]));
`;

describe('the start of a worker', function () {
  this.timeout('60s');

  it('does not load the SDK of AWS, which few workers need', async () => {
    const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', START], { cwd: ROOT });
    assert.deepEqual(JSON.parse(stdout), []);
  });
});
