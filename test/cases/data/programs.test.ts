import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { processIdentity } from '../../../activities/support/programs/process-table.mjs';
import type { RunResult } from '../../../workflows/plan/runs/run.ts';
import { eventually } from '../../support/eventually.ts';
import { createYamlRuns, type YamlRuns } from '../../support/yaml-runs.ts';

/** Ignores SIGTERM, leaves a daemon behind that holds its standard output, and a child in a process group of its own. */
const STUBBORN = `
  const { spawn } = require('node:child_process');
  const { writeFileSync } = require('node:fs');
  process.on('SIGTERM', () => {});
  const forever = ['-e', "process.on('SIGTERM', () => {}); setInterval(() => {}, 1000)"];
  const daemon = spawn(process.execPath, forever, { detached: true, stdio: 'inherit' });
  const child = spawn(process.execPath, forever, { stdio: 'inherit' });
  writeFileSync(process.argv[2] + '.part', JSON.stringify([process.pid, child.pid, daemon.pid]));
  require('node:fs').renameSync(process.argv[2] + '.part', process.argv[2]);
  if (process.argv[3] === 'exit') { console.log('{"rows": 3}'); process.exit(0); }
  setInterval(() => {}, 1000);
`;

describe('programs that do not want to end', function () {
  this.timeout('2m');
  let runs: YamlRuns;
  let folder: string;
  const daemons: number[] = [];

  before(async function () {
    this.timeout('20m');
    folder = await mkdtemp(join(tmpdir(), 'sluice-programs-'));
    await writeFile(join(folder, 'stubborn.cjs'), STUBBORN);
    runs = await createYamlRuns({ environment: { SLUICE_COMMANDS: process.execPath } });
    await runs.source.rows('CREATE TABLE ended (id int)');
  });
  after(async () => {
    for (const pid of daemons) process.kill(pid, 'SIGKILL');
    await runs.close();
    await rm(folder, { recursive: true });
  });

  const yaml = (name: string, ...more: string[]): string => `
dag_id: ${name}
schedule_interval: null
tasks: [{name: c, type: command, argv: ${JSON.stringify([process.execPath, join(folder, 'stubborn.cjs'), join(folder, name), ...more])}}]
finally: [{name: f, type: sql, sql: "INSERT INTO ended VALUES (555)"}]
`;
  /** The pids of program, child and daemon. */
  const pidsOf = async (name: string): Promise<number[]> => {
    let pids: number[] = [];
    await eventually(() => {
      pids = JSON.parse(readFileSync(join(folder, name), 'utf8')) as number[];
      return Promise.resolve();
    }, 30_000);
    daemons.push(pids[2] ?? 0);
    return pids;
  };
  const alive = (pids: readonly number[]): boolean[] => pids.map((pid) => processIdentity(pid) !== undefined);

  it('are killed 10 s after SIGTERM when their run is cancelled, and `finally` runs', async () => {
    const run = await runs.start(yaml('stubborn_cancelled'));
    const pids = await pidsOf('stubborn_cancelled');
    const began = Date.now();
    await run.cancel();
    await run.result().catch(() => undefined);
    const took = Date.now() - began;
    assert.ok(took > 9_000 && took < 40_000, `${took} ms`);
    assert.deepEqual(alive(pids), [false, false, true]);
    assert.deepEqual(await runs.source.rows('SELECT count(*)::int AS n FROM ended'), [{ n: 1 }]);
  });

  it('are over when the program has ended, even if another process holds its output; what it has left in its session ends with it', async () => {
    const running = runs.run(yaml('stubborn_ended', 'exit'));
    const pids = await pidsOf('stubborn_ended');
    const { state, tasks } = (await running) satisfies RunResult;
    assert.equal(state, 'success');
    assert.deepEqual((tasks.c?.output as { json: unknown }).json, { rows: 3 });
    assert.deepEqual(alive(pids), [false, false, true]);
  });
});
