import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { eventually } from '../support/eventually.ts';
import { TestKafka } from '../support/kafka.ts';
import { sluice, startProcess, type TestProcess } from '../support/processes.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { unique } from '../support/test-sensors.ts';
import { testStack } from '../support/test-stack.ts';

describe('sluice sensors and dead-letters', function () {
  this.timeout('2m');
  const name = unique();
  const dagId = `listens_${name}`;
  const topic = `listens-${name}`;
  const taskQueue = `cli-${name}`;
  let environment: Record<string, string>;
  let folder: { path: string; remove(): Promise<void> };
  let file: string;
  let kafka: TestKafka;
  let worker: TestProcess;

  before(async function () {
    this.timeout('15m');
    ({ environment } = await testStack(['temporal', 'kafka']));
    environment = { ...environment, SLUICE_TASK_QUEUE: taskQueue };
    kafka = await TestKafka.connect(environment);
    folder = await temporaryFolder();
    file = join(folder.path, 'listens.yaml');
    await kafka.createTopic(topic);
    worker = startProcess('worker.ts', ['--queue', taskQueue], environment);
    await apply('event.score > 0.7');
  });
  after(async () => {
    await worker.stop();
    await kafka.close();
    await folder.remove();
  });

  async function apply(when: string): Promise<void> {
    await writeFile(
      file,
      `dag_id: ${dagId}\ntriggers: [{name: changes, type: kafka, topic: ${topic}, when: "${when}", start: earliest}]\ntasks: [{name: a, type: empty}]\n`,
    );
    const scheduler = startProcess('scheduler.ts', ['--pipelines', folder.path, '--task-queue', taskQueue], environment);
    assert.equal(await scheduler.exited, 0, scheduler.stderr());
  }

  const call = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await sluice(args, environment);
    assert.equal(code, 0, stderr);
    return stdout + stderr;
  };

  it('show the status of a sensor, and what it could not read; an edit and a replay start what was meant', async () => {
    await kafka.send(topic, [{ value: '{"score": 0.9}' }, { value: '{"points": 90}' }, { value: 'no JSON' }]);
    await eventually(async () => assert.match(await call('runs', dagId), new RegExp(`${dagId}/kafka/${topic}-0-0`)), 30_000);
    await eventually(async () => assert.match(await call('sensors'), new RegExp(`${dagId}/changes +running`)), 30_000);
    const letters = await call('dead-letters', 'list', file, 'changes');
    assert.match(letters, new RegExp(`${topic}-0-1 .*No such key: score`));
    assert.match(letters, new RegExp(`${topic}-0-2 .*It is not JSON`));

    await apply('event.points > 50');
    const { code, stdout, stderr } = await sluice(['dead-letters', 'replay', file, 'changes'], environment);
    assert.match(stdout, new RegExp(`${topic}-0-1 +started ${dagId}/kafka/${topic}-0-1`));
    assert.match(stdout, new RegExp(`${topic}-0-2 +still invalid: It is not JSON`));
    assert.deepEqual([code, stderr], [1, '1 of 2 dead letters are still invalid with the current pipeline file.\n']);
    assert.match((await sluice(['dead-letters', 'replay', file, 'changes'], environment)).stdout, /already started/);
  });

  it('pause, resume and reset, each by an operator', async () => {
    assert.match(await call('sensors', 'pause', `${dagId}/changes`, '--as', 'ann', '--reason', 'a rebuild'), /paused by ann/);
    await eventually(async () => assert.match(await call('sensors'), /paused.*by ann: a rebuild/));
    assert.match(await call('sensors', 'resume', `${dagId}/changes`, '--as', 'ann'), /resumed by ann/);
    assert.match(await call('sensors', 'reset', `${dagId}/changes`, '--to', 'earliest'), /moved to earliest/);
    const { code, stderr } = await sluice(['sensors', 'reset', `${dagId}/changes`, '--to', 'yesterday'], environment);
    assert.equal(code, 1);
    assert.match(stderr, /'yesterday' is not a position\. Allowed: earliest, latest, or a time/);
  });

  it('report what does not exist', async () => {
    const refused = async (...args: string[]): Promise<string> => {
      const { code, stderr } = await sluice(args, environment);
      assert.equal(code, 1);
      return stderr;
    };
    assert.match(await refused('dead-letters', 'list', file, 'other'), /has no trigger 'other'\. Its triggers: changes/);
    assert.match(await refused('sensors', 'pause', 'nobody/changes'), /nobody\/changes/);
  });
});
