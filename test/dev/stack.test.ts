import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'mocha';
import { homePaths } from '../../dev/home.ts';
import { writeJson } from '../../dev/servers/json-file.ts';
import { processIdentity } from '../../dev/launch/process-identity.mjs';
import { readRecord, type ServerRecord, writeRecord } from '../../dev/servers/server-process.ts';
import { cleanStack, StackFailed, stackStatus, stopStack } from '../../dev/stack.ts';
import { payloadKeysFrom } from '../../temporal/codec/payload-keys.ts';
import { fakeTemporal, killProcess, type TemporaryHome, temporaryHome } from './temporary-home.ts';

async function homeWithTemporal(misbehave?: string): Promise<TemporaryHome> {
  const it = await temporaryHome();
  await it.program('temporal', fakeTemporal(misbehave));
  return it;
}

/** The pids of all starts so far. */
function starts({ home }: TemporaryHome): number[] {
  const file = join(homePaths.data(home, 'temporal'), 'temporal.db.starts');
  return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n').map(Number) : [];
}

async function recordOf({ home }: TemporaryHome): Promise<ServerRecord> {
  const record = await readRecord(home, 'temporal');
  assert.ok(record);
  return record;
}

async function listenOn(port: number): Promise<Server> {
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return server;
}

describe('the local stack', () => {
  it('starts a server, shows where it is, and uses it again', async () => {
    const sluice = await homeWithTemporal();
    const first = await sluice.start(['temporal']);
    const ports = (await recordOf(sluice)).ports;
    assert.equal(first.environment['TEMPORAL_ADDRESS'], `127.0.0.1:${ports['grpc']}`);
    assert.equal(first.environment['SLUICE_TEMPORAL_UI'], `http://127.0.0.1:${ports['ui']}`);
    const second = await sluice.start(['temporal']);
    assert.deepEqual(second.environment, first.environment);
    assert.equal(starts(sluice).length, 1);
    await second.stop(); // it started nothing
    assert.equal((await stackStatus(sluice.home, sluice.environment))[0]?.state, 'running');
    await first.stop();
    assert.equal((await stackStatus(sluice.home, sluice.environment))[0]?.state, 'stopped');
  });

  it('keeps its variables in environment.json, for its owner only, until it is stopped', async () => {
    const sluice = await homeWithTemporal();
    const stack = await sluice.start(['temporal']);
    const file = homePaths.environment(sluice.home);
    assert.deepEqual(JSON.parse(readFileSync(file, 'utf8')), stack.environment);
    assert.equal(statSync(file).mode & 0o777, 0o600);
    // Whoever has merged them has not chosen a server of their own.
    const again = await sluice.start(['temporal'], { environment: stack.environment });
    assert.equal(again.parts[0]?.state, 'running');
    assert.deepEqual(await stopStack(sluice.home), ['temporal']);
    assert.equal(existsSync(file), false);
  });

  it('makes a key for the payloads of its Temporal, once; one with data from before encryption still reads it', async () => {
    const [fresh, old] = [await homeWithTemporal(), await homeWithTemporal()];
    await mkdir(homePaths.data(old.home, 'temporal'), { recursive: true });
    await writeFile(join(homePaths.data(old.home, 'temporal'), 'temporal.db'), '');
    const keysOf = async (home: TemporaryHome): Promise<(string | undefined)[]> => {
      const { environment } = await home.start(['temporal']);
      return [environment.SLUICE_PAYLOAD_KEYS, environment.SLUICE_PAYLOAD_PLAIN];
    };
    const [keys, plain] = await keysOf(fresh);
    assert.equal(payloadKeysFrom({ SLUICE_PAYLOAD_KEYS: keys })?.first, 'local');
    assert.equal(plain, undefined);
    assert.equal(statSync(homePaths.secrets(fresh.home)).mode & 0o777, 0o600);
    await stopStack(fresh.home);
    assert.deepEqual(await keysOf(fresh), [keys, undefined]);
    const [others, read] = await keysOf(old);
    assert.notEqual(others, keys);
    assert.equal(read, 'read');
  });

  it('shows and stops what only those start who need it, too', async () => {
    const { home, environment } = await temporaryHome();
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore', detached: true });
    const ended = once(child, 'exit');
    const { pid = 0 } = child;
    await writeRecord(home, 'rabbitmq', {
      pid,
      identity: processIdentity(pid) ?? '',
      ports: { amqp: 1, distribution: 2 },
      executable: process.execPath,
      stopSignal: 'SIGTERM',
      startedAt: '2026-01-01T00:00:00Z',
      prepared: true,
    });
    assert.equal((await stackStatus(home, environment)).find(({ name }) => name === 'rabbitmq')?.pid, pid);
    assert.deepEqual(await stopStack(home), ['rabbitmq']);
    await ended;
    assert.equal(
      (await stackStatus(home, environment)).some(({ name }) => name === 'rabbitmq'),
      false,
    );
  });

  it('makes one server of two starts at once', async () => {
    const sluice = await homeWithTemporal();
    const [left, right] = await Promise.all([sluice.start(['temporal']), sluice.start(['temporal'])]);
    assert.deepEqual(left.environment, right.environment);
    assert.equal(starts(sluice).length, 1);
  });

  it('starts a killed server again, at the same address', async () => {
    const sluice = await homeWithTemporal();
    const before = await sluice.start(['temporal']);
    await killProcess((await recordOf(sluice)).pid);
    const [status] = await stackStatus(sluice.home, sluice.environment);
    assert.equal(status?.state, 'stopped');
    const after = await sluice.start(['temporal']);
    assert.deepEqual(after.environment, before.environment);
    assert.equal(starts(sluice).length, 2);
  });

  it('neither believes nor harms the process that a stale pid has come to belong to', async () => {
    const sluice = await homeWithTemporal();
    await sluice.start(['temporal']);
    const record = await recordOf(sluice);
    await killProcess(record.pid);
    await writeRecord(sluice.home, 'temporal', { ...record, pid: process.pid }); // ours, which started at another time
    const stack = await sluice.start(['temporal']);
    assert.equal(stack.parts[0]?.state, 'running');
    assert.notEqual((await recordOf(sluice)).pid, process.pid);
    assert.equal(starts(sluice).length, 2);
  });

  it('gets over damaged files', async () => {
    const sluice = await homeWithTemporal();
    await sluice.start(['temporal']);
    await stopStack(sluice.home);
    for (const file of [homePaths.record(sluice.home, 'temporal'), homePaths.ports(sluice.home), homePaths.environment(sluice.home)]) {
      await writeFile(file, '{"half');
    }
    assert.equal((await sluice.start(['temporal'])).parts[0]?.state, 'running');
  });

  it('uses another port when another process has taken its own, and remembers that', async () => {
    const sluice = await homeWithTemporal();
    const before = await sluice.start(['temporal']);
    const port = (await recordOf(sluice)).ports['grpc'] ?? 0;
    await before.stop();
    const intruder = await listenOn(port);
    try {
      const during = await sluice.start(['temporal']);
      assert.notEqual(during.environment['TEMPORAL_ADDRESS'], before.environment['TEMPORAL_ADDRESS']);
      assert.equal(during.environment['SLUICE_TEMPORAL_UI'], before.environment['SLUICE_TEMPORAL_UI']);
      await during.stop();
    } finally {
      intruder.close();
    }
    const remembered = JSON.parse(readFileSync(homePaths.ports(sluice.home), 'utf8')) as { temporal: { grpc: number } };
    const after = await sluice.start(['temporal']);
    assert.equal(after.environment['TEMPORAL_ADDRESS'], `127.0.0.1:${remembered.temporal.grpc}`);
    assert.notEqual(remembered.temporal.grpc, port);
  });

  it('tries again when a server ends at once', async () => {
    const once =
      "if (require('node:fs').readFileSync(value('--db-filename') + '.starts', 'utf8').split('\\n').length < 3) process.exit(1);";
    const sluice = await homeWithTemporal(once);
    assert.equal((await sluice.start(['temporal'])).parts[0]?.state, 'running');
    assert.equal(starts(sluice).length, 2);
  });

  it("fails with the server's last words and what to do", async () => {
    const sluice = await homeWithTemporal("console.error('the disk is on fire'); process.exit(3);");
    await assert.rejects(sluice.start(['temporal']), (error) => {
      assert.ok(error instanceof StackFailed);
      assert.match(error.message, /exit code 3/);
      assert.match(error.message, /the disk is on fire/);
      assert.match(error.message, /TEMPORAL_ADDRESS/);
      return true;
    });
    assert.equal(await readRecord(sluice.home, 'temporal'), undefined);
  });

  it('leaves alone what the environment names', async () => {
    const sluice = await homeWithTemporal();
    const environment = {
      TEMPORAL_ADDRESS: 'temporal.example:7233',
      SLUICE_CONN_POSTGRES_DEFAULT: 'postgresql://me:hush@db.example:5432/app',
      SLUICE_CONN_REDSHIFT_DEFAULT: 'redshift://me:hush@dwh.example:5439/dwh',
      SLUICE_CONN_AWS_DEFAULT: 'aws://KEY:hush@/?region_name=eu-west-1',
      SLUICE_CONN_KAFKA_DEFAULT: 'kafka://kafka.example:9092',
      SLUICE_CONN_SPARK_DEFAULT: '{"type":"spark","master":"yarn"}',
    };
    const stack = await sluice.start(['temporal', 'postgres', 's3', 'kafka', 'spark'], { environment });
    assert.deepEqual(stack.environment, {});
    assert.deepEqual(new Set(stack.parts.map((part) => part.state)), new Set(['external']));
    assert.equal(stack.parts[0]?.address, 'temporal.example:7233');
    assert.doesNotMatch(JSON.stringify(stack.parts), /hush/);
    assert.deepEqual(starts(sluice), []);
    const states = (await stackStatus(sluice.home, { ...sluice.environment, ...environment })).map((part) => part.state);
    assert.deepEqual(states, Array(5).fill('external'));
  });

  it("takes a profile of Temporal's configuration file for an address", async () => {
    const sluice = await homeWithTemporal();
    const asked = await sluice.start(['temporal'], { environment: { TEMPORAL_PROFILE: 'production' } });
    assert.equal(asked.parts[0]?.state, 'external');
    const folder = join(sluice.root, 'config');
    await writeJson(join(folder, 'temporalio/unused.json'), {});
    await writeFile(join(folder, 'temporalio/temporal.toml'), '[profile.default]\naddress = "temporal.example:7233"\n');
    const found = await sluice.start(['temporal'], { environment: { XDG_CONFIG_HOME: folder } });
    assert.equal(found.parts[0]?.address, 'temporal.example:7233');
  });

  it('says in one line what is missing, and starts the others', async () => {
    const sluice = await homeWithTemporal();
    const stack = await sluice.start(['temporal', 's3', 'kafka', 'spark']);
    const [temporal, ...others] = stack.parts;
    assert.equal(temporal?.state, 'running');
    for (const part of others) {
      assert.equal(part.state, 'missing', part.name);
      assert.doesNotMatch(part.detail, /\n/);
      assert.match(part.detail, /apt install .*brew install/, part.name);
    }
    assert.match(others[1]?.detail ?? '', /sensors/);
    const states = (await stackStatus(sluice.home, sluice.environment)).map((part) => part.state);
    assert.deepEqual([states[0], ...states.slice(2)], ['running', 'missing', 'missing', 'missing']);
  });

  it('takes no program that is too old', async () => {
    const sluice = await temporaryHome();
    await sluice.program('temporal', '#!/bin/sh\necho "temporal version 1.1.0 (Server 1.25.0, UI 2.30.0)"\n');
    const [status] = await stackStatus(sluice.home, sluice.environment);
    assert.match(status?.detail ?? '', /is fetched at the first start/);
  });

  it('stops and cleans everything', async () => {
    const sluice = await homeWithTemporal();
    assert.deepEqual(await stopStack(sluice.home), []);
    await sluice.start(['temporal']);
    const { pid } = await recordOf(sluice);
    await writeFile(join(sluice.home, 'mine.txt'), 'not the stack');
    await cleanStack(sluice.home);
    assert.equal(processIdentity(pid), undefined);
    assert.equal(existsSync(homePaths.data(sluice.home, 'temporal')), false);
    assert.equal(existsSync(join(sluice.home, 'mine.txt')), true);
    await cleanStack(sluice.home);
  });
});
