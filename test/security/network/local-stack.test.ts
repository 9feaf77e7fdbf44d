import assert from 'node:assert/strict';
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { connect as connectAmqp } from 'amqplib';
import { before, describe, it } from 'mocha';
import mysql from 'mysql2/promise';
import pg from 'pg';
import { type PartName, stackStatus } from '../../../dev/stack.ts';
import { connectionsFrom } from '../../../connections/connections.ts';
import { TEST_HOME, testStack } from '../../support/test-stack.ts';

/** All that listen; beside them there is Spark, which does not. */
const PARTS: readonly PartName[] = [
  ...(['temporal', 'postgres', 's3', 'kafka', 'schema-registry', 'rabbitmq', 'mlflow', 'mysql', 'pgbouncer'] as const),
  'kafka-connect',
];
/** Of those that have passwords. */
const CONNECTIONS = ['postgres_default', 'redshift_default', 'aws_default', 'rabbitmq_default', 'mysql_default', 'postgres_pooled'];

describe('who is on the network of the local stack', function () {
  this.timeout('2m');
  let environment: Record<string, string>;

  before(async function () {
    this.timeout('20m');
    // PgBouncer passes on to PostgreSQL.
    await testStack(['postgres']);
    ({ environment } = await testStack(PARTS));
  });

  it('reaches none of its servers: they listen on loopback only', async function () {
    if (process.platform !== 'linux') return this.skip();
    for (const { name, pid } of (await stackStatus(TEST_HOME)).filter((part) => PARTS.includes(part.name))) {
      const addresses = listeningOf(membersOf(pid ?? 0));
      assert.ok(addresses.length > 0, name);
      assert.deepEqual(
        addresses.filter((address) => !address.startsWith('127.') && address !== '::1'),
        [],
        name,
      );
    }
  });

  it('and other users of the machine read nothing of it', () => {
    assert.equal(statSync(TEST_HOME).mode & 0o777, 0o700);
    for (const file of ['secrets.json', 'environment.json']) assert.equal(statSync(join(TEST_HOME, file)).mode & 0o777, 0o600, file);
  });

  it('and knows no password: each is made up for this stack', () => {
    const secrets = Object.values(JSON.parse(readFileSync(join(TEST_HOME, 'secrets.json'), 'utf8')) as Record<string, string>);
    const connections = connectionsFrom(environment);
    for (const name of CONNECTIONS) {
      const connection = connections.get(name, ['postgres', 'redshift', 'aws', 'rabbitmq', 'mysql']);
      const password = connection.type === 'aws' ? connection.secret_access_key : connection.password;
      assert.ok(password !== undefined && password.length >= 32 && secrets.includes(password), name);
    }
  });

  it('and gets in with none of those that everybody knows', async () => {
    const connections = connectionsFrom(environment);
    const { port: amqp } = connections.get('rabbitmq_default', ['rabbitmq']);
    await assert.rejects(connectAmqp({ hostname: '127.0.0.1', port: amqp, username: 'guest', password: 'guest' }), /ACCESS_REFUSED/);
    const { port: postgres, user } = connections.get('postgres_default', ['postgres']);
    for (const password of [undefined, '', user, 'postgres']) {
      await assert.rejects(new pg.Client({ host: '127.0.0.1', port: postgres, user, password, database: 'postgres' }).connect());
    }
    const { port: maria } = connections.get('mysql_default', ['mysql']);
    for (const password of ['', 'root']) {
      await assert.rejects(mysql.createConnection({ host: '127.0.0.1', port: maria, user: 'root', password }), /denied/);
    }
  });
});

/** The processes of the group that a server leads. */
function membersOf(leader: number): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => {
      try {
        const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
        const [, , group, session] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
        return Number(group) === leader || Number(session) === leader;
      } catch {
        return false;
      }
    });
}

/** The addresses at which these processes listen. */
function listeningOf(pids: readonly number[]): string[] {
  const sockets = new Set(
    pids.flatMap((pid) =>
      readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
        try {
          return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? [];
        } catch {
          return [];
        }
      }),
    ),
  );
  return ['tcp', 'tcp6'].flatMap((table) =>
    readFileSync(`/proc/net/${table}`, 'utf8')
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .filter(([, , , state, , , , , , inode]) => state === '0A' && sockets.has(inode ?? ''))
      .map(([, local = '']) => addressOf(local.split(':')[0] ?? '')),
  );
}

/** `0100007F` is 127.0.0.1: words of four bytes, each the wrong way round. */
function addressOf(hex: string): string {
  const bytes = (hex.match(/.{8}/g) ?? []).flatMap((word) => [...Buffer.from(word, 'hex').reverse()]);
  if (bytes.length === 4) return bytes.join('.');
  const isMapped = bytes.slice(0, 10).every((each) => each === 0) && bytes[10] === 0xff && bytes[11] === 0xff;
  if (isMapped) return bytes.slice(12).join('.');
  return bytes.slice(0, 15).every((each) => each === 0) && bytes[15] === 1 ? '::1' : hex;
}
