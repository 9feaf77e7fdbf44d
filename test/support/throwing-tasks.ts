import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import mysql from 'mysql2';
import pg from 'pg';
import Type from 'typebox';
import { defineTask, type TaskContext } from '../../activities/define-task.ts';
import { createKafka } from '../../lib/kafka/client.ts';
import { openPostgres } from '../../lib/databases/postgres.ts';
import { openRabbitMQ } from '../../lib/rabbitmq.ts';
import { getObject, openS3 } from '../../lib/s3.ts';
import { defineTrigger } from '../../sensors/define-trigger.ts';

/** Sets up a callback that throws, without waiting for it. Resolves to a cleanup function. */
type Throw = (ctx: TaskContext) => Promise<() => void | Promise<void>>;

const fail = (driver: string): never => {
  throw new RangeError(`${driver} threw`);
};

/** Every driver and every kind of callback in tasks. */
const THROWS: Readonly<Record<string, Throw>> = {
  async pg(ctx) {
    const { client, close } = await openPostgres(ctx.connection('postgres_default', ['postgres']), 'throwing', ctx.signal);
    const query = new pg.Query<Record<string, unknown>>('SELECT 1');
    query.on('row', () => fail('pg'));
    client.query(query);
    return close;
  },
  mysql2(ctx) {
    const { host, port, user, password } = ctx.connection('mysql_default', ['mysql']);
    const client = mysql.createConnection({ host, port, user, password });
    client.query('SELECT 1', () => fail('mysql2'));
    return Promise.resolve(() => client.destroy());
  },
  async kafkajs(ctx) {
    const admin = createKafka(ctx.connection('kafka_default', ['kafka']), 'throwing').admin();
    await admin.connect();
    admin.on(admin.events.REQUEST, () => fail('kafkajs'));
    void admin.listTopics();
    return () => undefined;
  },
  async amqplib(ctx) {
    const connection = await openRabbitMQ(ctx.connection('rabbitmq_default', ['rabbitmq']), 'throwing');
    const channel = await connection.createChannel();
    const queue = `throwing-${randomUUID()}`;
    await channel.assertQueue(queue, { exclusive: true });
    await channel.consume(queue, () => fail('amqplib'));
    channel.sendToQueue(queue, Buffer.from('x'));
    return () => connection.close().catch(() => undefined);
  },
  async s3(ctx) {
    const client = openS3(ctx.connection('aws_default', ['aws']));
    const body = await getObject(client, { bucket: process.env['THROWING_BUCKET'] ?? '', key: 'object' }, ctx.signal);
    body.on('data', () => fail('s3'));
    return () => client.destroy();
  },
  child(ctx) {
    const child = spawn(process.execPath, ['-e', 'console.log(1)'], { signal: ctx.signal });
    child.on('error', () => undefined);
    child.stdout.on('data', () => fail('child'));
    return Promise.resolve(() => void child.kill());
  },
  timer() {
    setTimeout(() => fail('timer'), 10);
    return Promise.resolve(() => undefined);
  },
  promise() {
    void sleep(10).then(() => fail('promise'));
    return Promise.resolve(() => undefined);
  },
};

export const DRIVERS = Object.keys(THROWS);

/** Waits for a callback that throws; only its signal ends it. */
const throwing = defineTask({
  type: 'throwing',
  description: 'For tests.',
  summary: ({ driver }) => driver,
  params: Type.Object({ driver: Type.String(), stuck: Type.Optional(Type.Boolean()) }),
  result: Type.Null(),
  connections: {},
  example: { name: 'a', type: 'throwing', driver: 'timer' },
  async run(ctx, { driver, stuck }) {
    const cleanUp = await THROWS[driver]?.(ctx);
    await new Promise<void>((resolve) => {
      if (!stuck) ctx.signal.addEventListener('abort', () => resolve(), { once: true });
    });
    await cleanUp?.();
    return null;
  },
});

/** Also has a callback, which does not throw, and takes a while. */
const calm = defineTask({
  type: 'calm',
  description: 'For tests.',
  summary: () => 'calm',
  params: Type.Object({ ms: Type.Integer() }),
  result: Type.String(),
  connections: {},
  example: { name: 'a', type: 'calm', ms: 1 },
  async run({ signal }, { ms }) {
    await sleep(ms, undefined, { signal });
    return 'calm';
  },
});

export const THROWING_TASKS = [throwing, calm];

/** A sensor with a callback that throws in its first attempt. */
export const THROWING_TRIGGER = defineTrigger({
  type: 'throwing_trigger',
  description: 'For tests.',
  params: Type.Object({}),
  event: {},
  sensor: {
    async run({ signal }) {
      if (Context.current().info.attempt === 1) setTimeout(() => fail('sensor'), 10);
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
      signal.throwIfAborted();
    },
    reset: () => Promise.resolve(undefined),
  },
  example: { name: 'a', type: 'throwing_trigger' },
});
