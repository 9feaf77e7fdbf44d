import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, it } from 'mocha';
import { runCommand, type CommandResult } from '../../activities/command/run-command.ts';
import { processIdentity } from '../../activities/support/programs/process-table.mjs';
import { failureOf } from '../support/failure-of.ts';

const NODE = process.execPath;

describe('command', function () {
  this.timeout(30_000);

  const run = (
    argv: readonly string[],
    more: { signal?: AbortSignal; env?: Record<string, string>; allowed?: string } = {},
  ): Promise<CommandResult> =>
    runCommand(
      {
        dagId: 'dag',
        task: 'task',
        interval: { start: '2024-01-01T00:00:00Z', end: '2024-01-02T00:00:00Z' },
        idempotencyKey: 'key',
        signal: more.signal ?? new AbortController().signal,
      },
      { argv, ...(more.env && { env: more.env }) },
      { ...process.env, SLUICE_COMMANDS: more.allowed ?? `true, ${NODE}`, SLUICE_CONN_POSTGRES_DEFAULT: 'postgresql://secret' },
    );
  const script = (text: string, more = {}): Promise<CommandResult> => run([NODE, '-e', text], more);

  it('returns what the program has printed, parsed where it is JSON', async () => {
    assert.deepEqual(await script('console.log("hello")'), { exit_code: 0, stdout: 'hello\n', json: null });
    assert.deepEqual((await script('console.log("progress"); console.log(JSON.stringify({rows: 3}))')).json, { rows: 3 });
  });

  it('hands arguments on as they are, and no secrets of the worker', async () => {
    const { json } = await run([NODE, '-e', 'console.log(JSON.stringify([process.argv.slice(1), process.env]))', 'a b', '$(id)', ';'], {
      env: { REGION: 'eu' },
    });
    const [argv, env] = json as [string[], Record<string, string>];
    assert.deepEqual(argv, ['a b', '$(id)', ';']);
    assert.deepEqual([env.REGION, env.SLUICE_DATA_INTERVAL_START, env.SLUICE_TASK], ['eu', '2024-01-01T00:00:00Z', 'task']);
    assert.deepEqual([env.SLUICE_CONN_POSTGRES_DEFAULT, env.SLUICE_COMMANDS], [undefined, undefined]);
  });

  it('fails with the end of what the program has said', async () => {
    const error = await failureOf(script('console.error("x".repeat(5000) + "the reason"); process.exit(7)'));
    assert.deepEqual([error.type, error.nonRetryable === true], ['JobFailed', false]);
    assert.match(error.message, /^node ended with exit code 7\.\n\nThe end of what it has said:\nx+the reason$/);
    assert.ok(error.message.length < 2_200);
    assert.match(
      (await failureOf(script('process.kill(process.pid, "SIGKILL")'))).message,
      /^node was ended by SIGKILL\. It has said nothing\.$/,
    );
  });

  it('keeps the end of much output', async () => {
    const { stdout } = await script('for (let i = 0; i < 200000; i++) console.log(i)');
    assert.ok(stdout.length < 70_000);
    assert.match(stdout, /199999\n$/);
  });

  it('runs nothing that the worker does not allow, or has not', async () => {
    const refused = await failureOf(run(['sh', '-c', 'id']));
    assert.equal(refused.type, 'AccessDenied');
    assert.match(
      refused.message,
      /does not allow the program 'sh'\. It allows: true, .*node\. To allow it, add it to SLUICE_COMMANDS of the workers\.$/,
    );
    assert.match((await failureOf(run([''], { allowed: '' }))).message, /It allows: none\./);
    assert.equal((await failureOf(run(['no-such-program'], { allowed: 'no-such-program' }))).type, 'ProgramNotFound');
  });

  it('does not wait forever for processes that it may not kill', async function () {
    // Only root can start what a worker of another user may not kill.
    if (process.getuid?.() !== 0) return this.skip();
    const rootsOwn = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { detached: true, stdio: 'ignore' });
    const module = JSON.stringify(new URL('../../activities/support/programs/end-session.ts', import.meta.url).href);
    const worker = spawn(
      process.execPath,
      [
        '--import=tsx',
        '--input-type=module',
        '-e',
        `const { endSession } = await import(${module}); console.log(await endSession(${rootsOwn.pid}, 200))`,
      ],
      { uid: 65534, gid: 65534, stdio: ['ignore', 'pipe', 'inherit'] },
    );
    assert.equal(await text(worker.stdout), 'false\n');
    rootsOwn.kill('SIGKILL');
  });

  it('ends the program and its children when it is cancelled', async () => {
    const controller = new AbortController();
    const child = 'setInterval(() => {}, 1000)';
    const running = script(
      `const {pid} = require("child_process").spawn(process.execPath, ["-e", ${JSON.stringify(child)}]);
       require("fs").writeFileSync("/tmp/sluice-command-${process.pid}", String(pid)); setInterval(() => {}, 1000)`,
      { signal: controller.signal },
    );
    await sleep(1_500);
    controller.abort();
    await assert.rejects(running, { name: 'AbortError' });
    const { readFileSync, rmSync } = await import('node:fs');
    const pid = Number(readFileSync(`/tmp/sluice-command-${process.pid}`, 'utf8'));
    rmSync(`/tmp/sluice-command-${process.pid}`);
    await sleep(300);
    assert.equal(processIdentity(pid), undefined);
  });
});
