import assert from 'node:assert/strict';
import { text } from 'node:stream/consumers';
import { before, describe, it } from 'mocha';
import { type OutputStore, outputStoreFrom } from '../../activities/run/output-store.ts';
import { connectionsFrom } from '../../connections/connections.ts';
import { getObject, openS3, parseS3Uri } from '../../lib/s3.ts';
import { testStack } from '../support/test-stack.ts';

describe('outputs that are too large for a history', () => {
  let environment: Record<string, string>;
  const storeAt = (uri: string): OutputStore | undefined =>
    outputStoreFrom({ ...environment, SLUICE_OUTPUTS: uri }, connectionsFrom(environment));

  before(async function () {
    this.timeout('15m');
    ({ environment } = await testStack(['s3']));
  });

  it('go where the local stack has a bucket for them, and can be read there; another attempt writes to the same place', async () => {
    const store = storeAt(environment.SLUICE_OUTPUTS ?? '');
    const json = JSON.stringify(Array.from({ length: 20_000 }, (_, index) => index));
    const { signal } = new AbortController();
    const stored = await store?.put('dag/manual/2024-01-01T00:00:00Z/a[3]', json, signal);
    assert.deepEqual(stored, { stored_at: 's3://sluice-outputs/dag/manual/2024-01-01T00:00:00Z/a[3].json', bytes: json.length });
    assert.deepEqual(await store?.put('dag/manual/2024-01-01T00:00:00Z/a[3]', json, signal), stored);
    const client = openS3(connectionsFrom(environment).get('aws_default', ['aws']));
    assert.equal(await text(await getObject(client, parseS3Uri(stored?.stored_at ?? ''), signal)), json);
    client.destroy();
  });

  it('a prefix comes before', async () => {
    const stored = await storeAt('s3://sluice-outputs/team/')?.put('x', '1', new AbortController().signal);
    assert.equal(stored?.stored_at, 's3://sluice-outputs/team/x.json');
  });

  it('of runs whose ids hold dot segments go to no other folder', async () => {
    const stored = await storeAt('s3://sluice-outputs/team/')?.put('dag/kafka/../../../x/a', '1', new AbortController().signal);
    assert.equal(stored?.stored_at, 's3://sluice-outputs/team/dag/kafka/~../~../~../x/a.json');
    const client = openS3(connectionsFrom(environment).get('aws_default', ['aws']));
    assert.equal(await text(await getObject(client, parseS3Uri(stored.stored_at), new AbortController().signal)), '1');
    client.destroy();
  });

  it('are refused where nothing is said, and nonsense is refused at once', () => {
    assert.equal(storeAt(''), undefined);
    assert.throws(() => storeAt('outputs'), { name: 'SettingError', message: /SLUICE_OUTPUTS is 'outputs'\. Set it to .*s3:\/\// });
  });
});
