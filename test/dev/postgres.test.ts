import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { describe, it } from 'mocha';
import pg from 'pg';
import { homePaths } from '../../dev/home.ts';
import { postgresDataFolder } from '../../dev/servers/postgres-data.ts';
import { processIdentity } from '../../dev/launch/process-identity.mjs';
import { readRecord } from '../../dev/servers/server-process.ts';
import { cleanStack, stopStack } from '../../dev/stack.ts';
import { killProcess, type TemporaryHome, temporaryHome } from './temporary-home.ts';

/** The machine's own PATH, so that its PostgreSQL or npm's is found. */
const ownPath = { PATH: process.env['PATH'] ?? '' };

async function start(sluice: TemporaryHome): Promise<Record<string, string>> {
  const environment = { PATH: [sluice.environment['PATH'], ownPath.PATH].join(delimiter) };
  return (await sluice.start(['postgres'], { environment })).environment;
}

async function query(url: string | undefined, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

async function killServer({ home }: TemporaryHome): Promise<void> {
  const record = await readRecord(home, 'postgres');
  assert.ok(record);
  await killProcess(record.pid);
}

describe('the local PostgreSQL', () => {
  it('keeps what was committed when it is killed', async () => {
    const sluice = await temporaryHome();
    const before = await start(sluice);
    await query(before['SLUICE_CONN_POSTGRES_DEFAULT'], 'create table t as select 1 as n');
    await killServer(sluice);
    const folder = homePaths.data(sluice.home, 'postgres');
    if (postgresDataFolder(sluice.home) !== folder) {
      // Where earlier releases kept it: in the home, which was open to the server's user.
      execFileSync('mv', [postgresDataFolder(sluice.home), folder]);
      await rm(homePaths.postgresPlace(sluice.home));
    }
    const after = await start(sluice);
    assert.deepEqual(after, before);
    assert.deepEqual(await query(after['SLUICE_CONN_POSTGRES_DEFAULT'], 'select n from t'), [{ n: 1 }]);
    const warehouse = await query(after['SLUICE_CONN_REDSHIFT_DEFAULT'], 'select current_database() as name');
    assert.deepEqual(warehouse, [{ name: 'warehouse' }]);
  });

  it('starts although its home was deleted manually and is recreated: the data of the one before is not its own', async () => {
    const sluice = await temporaryHome();
    await start(sluice);
    await stopStack(sluice.home, ['postgres']);
    const before = postgresDataFolder(sluice.home);
    try {
      await rm(sluice.home, { recursive: true });
      const { SLUICE_CONN_POSTGRES_DEFAULT: url } = await start(sluice);
      assert.deepEqual(await query(url, 'select 1 as n'), [{ n: 1 }]);
    } finally {
      if (before !== postgresDataFolder(sluice.home)) await rm(dirname(before), { recursive: true, force: true });
    }
  });

  it('starts although the pid in its own pid file belongs to another process now', async () => {
    const sluice = await temporaryHome();
    await start(sluice);
    await killServer(sluice);
    const file = join(postgresDataFolder(sluice.home), 'postmaster.pid');
    const [, ...rest] = (await readFile(file, 'utf8')).split('\n');
    await writeFile(file, [process.pid, ...rest].join('\n'));
    assert.ok((await start(sluice))['SLUICE_CONN_POSTGRES_DEFAULT']);
  });

  it('ends a server that it started and lost track of', async () => {
    const sluice = await temporaryHome();
    const before = await start(sluice);
    const lost = await readRecord(sluice.home, 'postgres');
    await writeFile(homePaths.record(sluice.home, 'postgres'), '');
    const after = await start(sluice);
    assert.ok(after['SLUICE_CONN_POSTGRES_DEFAULT']);
    assert.equal(processIdentity(lost?.pid ?? 0), undefined);
    await query(after['SLUICE_CONN_REDSHIFT_DEFAULT'] ?? before['SLUICE_CONN_REDSHIFT_DEFAULT'], 'select 1');
  });

  it('repeats what a killed initdb left half done', async () => {
    const sluice = await temporaryHome();
    await mkdir(join(homePaths.data(sluice.home, 'postgres.partial'), 'base'), { recursive: true });
    await writeFile(homePaths.data(sluice.home, 'postgres.password'), 'old');
    assert.ok((await start(sluice))['SLUICE_CONN_POSTGRES_DEFAULT']);
    assert.equal(existsSync(homePaths.data(sluice.home, 'postgres.partial')), false);
    await cleanStack(sluice.home);
    assert.equal(existsSync(sluice.home), false);
  });

  it('gives only the connection that the user has not set', async () => {
    const sluice = await temporaryHome();
    const own = { SLUICE_CONN_POSTGRES_DEFAULT: 'postgresql://me@db.example/app' };
    const stack = await sluice.start(['postgres'], { environment: { ...ownPath, ...own } });
    assert.deepEqual(Object.keys(stack.environment), ['SLUICE_CONN_REDSHIFT_DEFAULT']);
  });
});
