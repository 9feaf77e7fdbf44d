import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { describe, it } from 'mocha';
import { startStandIns } from '../../dev/demo/stand-ins.ts';
import { readStackEnvironment } from '../../dev/stack.ts';
import { temporaryHome } from './temporary-home.ts';

const SERVICE = 'SLUICE_CONN_RECOMMENDATION_SERVICE';

describe('stand-ins of the demo', () => {
  it('show `sluice` in another terminal where the recommendation service is, while it is running', async () => {
    const { home, environment } = await temporaryHome();
    await mkdir(home);
    const standIns = await startStandIns(home, environment);
    const { [SERVICE]: url = '' } = await readStackEnvironment(home);
    await standIns.close();
    assert.match(url, /^http:\/\/127\.0\.0\.1:\d+/);
    assert.equal(standIns.environment[SERVICE], url);
    assert.deepEqual(await readStackEnvironment(home), {});
  });

  it('leave a service alone that the environment names', async () => {
    const { home, environment } = await temporaryHome();
    await mkdir(home);
    const standIns = await startStandIns(home, { ...environment, [SERVICE]: 'http://127.0.0.1:9' });
    await standIns.close();
    assert.equal(standIns.environment[SERVICE], undefined);
  });
});
