import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LogFollower, readLogLine, tailOf } from '../../../activities/spark/job-log.ts';

describe('activities/spark/job-log', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-log-'));
  after(() => rmSync(folder, { recursive: true }));

  it("reads Spark's levels, and takes what the job prints for information", () => {
    const level = (line: string) => readLogLine(line).level;
    assert.equal(level('26/11/23 07:56:47 INFO MemoryStore: MemoryStore cleared'), 'debug');
    assert.equal(level('26/11/23 07:56:47 WARN TaskSetManager: Lost task 0.0'), 'warn');
    assert.equal(level('26/11/23 07:56:47 ERROR Executor: Exception in task'), 'warn');
    assert.equal(level('26/11/23 07:56:47 WARN NativeCodeLoader: Unable to load native-hadoop library'), 'debug');
    assert.equal(level('42 categories'), 'info');
    const stage =
      'Submitting ShuffleMapStage 7 (MapPartitionsRDD[24] at csv at NativeMethodAccessorImpl.java:0), which has no missing parents';
    assert.equal(readLogLine(`26/11/23 07:56:47 INFO DAGScheduler: ${stage}`).stage, 'ShuffleMapStage 7');
  });

  it('follows a file that grows: whole lines, split characters, a last line without an end', async () => {
    const file = join(folder, 'growing');
    const follower = new LogFollower(file);
    const lines: string[] = [];
    const read = (last = false) => follower.read((line) => lines.push(line), last);
    await read();
    const emoji = Buffer.from('😀');
    writeFileSync(file, Buffer.concat([Buffer.from('one\r\n\ntwo '), emoji.subarray(0, 2)]));
    await read();
    assert.deepEqual(lines, ['one']);
    appendFileSync(file, Buffer.concat([emoji.subarray(2), Buffer.from('\nthree')]));
    await read();
    await read(true);
    assert.deepEqual(lines, ['one', 'two 😀', 'three']);
    const later: string[] = [];
    await new LogFollower(file, 5).read((line) => later.push(line), true);
    assert.deepEqual(later, ['two 😀', 'three']);
  });

  it('keeps its memory small when a job never ends its line', async () => {
    const file = join(folder, 'endless');
    writeFileSync(file, 'x'.repeat(10_000_000));
    const lines: string[] = [];
    await new LogFollower(file).read((line) => lines.push(line), true);
    assert.equal(lines.length, 1);
    assert.ok((lines[0]?.length ?? 0) <= 8 * 1024);
  });

  it('reads the tail of a file', async () => {
    const file = join(folder, 'tail');
    writeFileSync(file, Array.from({ length: 1000 }, (_, at) => `line ${at}`).join('\n'));
    assert.deepEqual((await tailOf(file, 30)).slice(-2), ['line 998', 'line 999']);
    assert.deepEqual(await tailOf(join(folder, 'absent'), 30), []);
  });
});
