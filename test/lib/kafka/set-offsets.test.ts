import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { ROOT } from '../../../lib/environment.ts';
import { setOffsets } from '../../../lib/kafka/set-offsets.ts';
import { TestKafka } from '../../support/kafka.ts';
import { poll } from '../../support/eventually.ts';
import { testStack } from '../../support/test-stack.ts';

/** A member that is gone holds its group for 30 s by default, and for 6 s at least, in milliseconds. */
const MUCH_SOONER = 20_000;

describe('offsets that are set', function () {
  this.timeout('2m');
  let kafka: TestKafka;
  let environment: Readonly<Record<string, string>>;

  before(async function () {
    this.timeout('10m');
    ({ environment } = await testStack(['kafka']));
    kafka = await TestKafka.connect(environment);
  });
  after(() => kafka.close());

  it('can soon be set again when who set them was killed', async () => {
    const [group, topic] = [`set-${randomUUID()}`, `set-${randomUUID()}`];
    await kafka.createTopic(topic);
    await kafka.sendJson(topic, [{}]);
    const mover = spawn(process.execPath, ['--import', 'tsx', join(ROOT, 'test/support/offset-mover.ts'), group, topic], {
      cwd: ROOT,
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    await poll('a member of the group', async () => {
      const { groups } = await kafka.admin.describeGroups([group]);
      return groups[0]?.state === 'Stable';
    });
    mover.kill('SIGKILL');
    const began = Date.now();
    await setOffsets(kafka.kafka, group, topic, [{ partition: 0, offset: '1' }]);
    assert.ok(Date.now() - began < MUCH_SOONER, `${Date.now() - began} ms`);
    assert.deepEqual(await kafka.committed(group, topic), ['1']);
  });
});
