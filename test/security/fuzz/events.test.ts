import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ConsumeMessage } from 'amqplib';
import { describe, it } from 'mocha';
import { decodeJson } from '../../../lib/kafka/decode-record.ts';
import type { KafkaRecord } from '../../../lib/kafka/record-source.ts';
import type { DeadLetters } from '../../../sensors/kafka/dead-letters.ts';
import { Incarnations } from '../../../sensors/kafka/incarnation.ts';
import { Position } from '../../../sensors/kafka/position.ts';
import type { HandlerContext } from '../../../sensors/kafka/record-handler.ts';
import { type Finding, pollSource } from '../../../sensors/run/poll.ts';
import { watchAnswer } from '../../../sensors/http/watch-answer.ts';
import { messageIdOf } from '../../../sensors/rabbitmq/delivery-ids.ts';
import { matchMessage } from '../../../sensors/rabbitmq/read-message.ts';
import { findingOf } from '../../../sensors/s3/watch-objects.ts';
import { identify } from '../../../sensors/sql/new-rows.ts';
import type { JsonObject } from '../../../workflows/plan/values/json.ts';
import { drawing } from '../../support/bags.ts';
import { FUZZ_SEED, fuzzCount, Slowest } from '../../support/fuzzing.ts';
import { handlerInMemory, recordInMemory, sensorInMemory } from '../../support/memory-sensor.ts';
import { oddEvents, oddValue } from '../../support/odd-events.ts';

/** What one event may cost of the CPU, in milliseconds: reading it, and a few expressions of tens of milliseconds. */
const LONGEST = 1_500;
/** So many events of each trigger in the suite. */
const SHORT = 1_000;
const COUNT = fuzzCount(SHORT);

const PARAMS = 'params: {x: "{{ event.a }}", y: "of {{ event.b }}"}';

/** Triggers of Kafka with expressions of all kinds over what events may hold. */
const KAFKA: Readonly<Record<string, string>> = {
  'each, by its id': `mode: each, when: event.a != null, dedup_key: event.id, ${PARAMS}`,
  'each, by a text that is put together': `mode: each, when: 'event.text.contains("a")', dedup_key: event.text + string(event.n), ${PARAMS}`,
  'each, by its place': `mode: each, when: 'event.text.like("%a%b%") || event.n > 0.5 || event.tags.exists(t, t in event.tags)'`,
  'each, by its key and its time': `mode: each, when: 'timestamp(event.t) > timestamp("2020-01-01T00:00:00Z") || event.n != 1', dedup_key: event_meta.key`,
  cooldown: `mode: {cooldown: 10m}, when: event.n * 2 + 1 > 0.5, dedup_key: event`,
  batch: `mode: {batch: {max_records: 7, within: 1m}}, when: 'event.tags.all(t, t != event.a)'`,
  window: `mode: {window: {size: 1h, slide: 10m, key: event.id, aggregates: {c: count(), s: sum(event.n), m: max(event.n), v: avg(event.n)}, having: s > 10 && m / 3 > 1}}`,
  'window of many keys': `mode: {window: {size: 1h, key: 'event.a', aggregates: {c: count()}, having: c > 0, keys_per_run: 5}}`,
};

describe(`fuzzing: ${COUNT} random events for each trigger, of the seed ${FUZZ_SEED}`, function () {
  this.timeout('3h');

  for (const [name, trigger] of Object.entries(KAFKA)) {
    it(`kafka: ${name}`, async () => {
      const { sensor, starts } = sensorInMemory(`type: kafka, topic: t, on_invalid: dead_letter, ${trigger}`);
      const incarnations = new Incarnations({});
      let buried = 0;
      const letters = {
        write: (list: readonly unknown[]) => Promise.resolve(void (buried += list.length)),
        close: () => Promise.resolve(),
      } as unknown as DeadLetters;
      const position = new Position(sensor.journal, letters, incarnations);
      const context: HandlerContext = { sensor, decode: decodeJson, position, incarnations };
      const handler = handlerInMemory(context);
      const [draw, event, slowest] = [drawing(FUZZ_SEED), oddEvents(FUZZ_SEED), new Slowest()];
      const offer = (value: Buffer, more: Partial<KafkaRecord>, offset: number): Promise<void> => {
        const batch = {
          topic: 't',
          partition: 0,
          records: [recordInMemory(value, offset, more)],
          count: 1,
          from: String(offset),
          next: String(offset + 1),
          lag: 0,
          alive: nothing,
          commit: nothing,
        };
        return slowest.measure(value, () => handler.handle(batch));
      };
      for (let n = 0; n < COUNT; n++) await offer(event(), oddRecord(draw), n);
      const before = starts.started;
      const good = { id: 'good', a: 'good', b: 'good', n: 20, t: '2026-01-01T00:00:00Z', text: 'a b', tags: [1] };
      const hourAgo = Date.now() - 3 * 3_600_000;
      for (let n = 0; n < 8; n++)
        await offer(Buffer.from(JSON.stringify(good)), { key: Buffer.from(`good-${n}`), timestamp: String(hourAgo) }, COUNT + n);
      await position.close();
      assert.ok(buried > 0);
      if (sensor.trigger.mode.kind !== 'window') assert.ok(starts.started > before, 'the good record behind them starts a run');
      assert.ok(slowest.ms < LONGEST, String(slowest));
    });
  }

  it('rabbitmq', async () => {
    const { sensor, starts } = sensorInMemory(`type: rabbitmq, queue: q, when: event.a != null, ${PARAMS}`);
    const [draw, event, slowest] = [drawing(FUZZ_SEED), oddEvents(FUZZ_SEED), new Slowest()];
    const kinds = new Set<string>();
    for (let n = 0; n < COUNT; n++) {
      const message = oddMessage(event(), draw);
      await slowest.measure(message.content, async () => {
        const match = matchMessage(message, (each) => sensor.matcher.match(each));
        kinds.add(match.kind);
        if (match.kind === 'run') await sensor.runs.start(match.event, match, messageIdOf(message) ?? `message-${n}`);
      });
    }
    assert.ok(kinds.has('invalid') && kinds.has('run') && starts.started > 0);
    assert.ok(slowest.ms < LONGEST, String(slowest));
  });

  const POLLED: Readonly<Record<string, [trigger: string, find: (draw: ReturnType<typeof drawing>, text: Buffer) => Finding | undefined]>> =
    {
      s3: [
        `type: s3, bucket: b, when: event.size > 0, params: {x: "{{ event.key }}", y: "{{ event.etag }}"}`,
        (draw) => {
          const key = textOf(oddValue(draw)) || 'k';
          return findingOf('b', { key, size: 1 + draw(10), etag: textOf(oddValue(draw)), modified: oddTime(draw) });
        },
      ],
      sql: [
        `type: sql, query: SELECT 1 AS id, cursor: id, when: event.a != null, ${PARAMS}`,
        (draw, text) => {
          const row = objectOf(text);
          const cursor = textOf(oddValue(draw));
          const [identified] = row ? identify([{ cursor, isAhead: false, row }]) : [];
          const timestamp = new Date().toISOString();
          return identified && { id: `${cursor}-${identified.id}`, event: { value: identified.row, meta: { timestamp, cursor } } };
        },
      ],
    };
  for (const [name, [trigger, find]] of Object.entries(POLLED)) {
    it(name, async () => {
      const { sensor, starts, stop } = sensorInMemory(trigger);
      const [draw, event, slowest] = [drawing(FUZZ_SEED), oddEvents(FUZZ_SEED), new Slowest()];
      let looks = 0;
      const poll = (cursor: null): Promise<{ found: Finding[]; cursor: null; more: true }> => {
        if (looks++ >= COUNT) stop.abort();
        stop.signal.throwIfAborted();
        const text = event();
        const found = find(draw, text);
        const began = process.cpuUsage();
        setImmediate(() => {
          const { user, system } = process.cpuUsage(began);
          slowest.ms = Math.max(slowest.ms, (user + system) / 1_000);
        });
        return Promise.resolve({ found: found ? [found] : [], cursor, more: true });
      };
      await assert.rejects(pollSource<null>(sensor, { every: 0, begin: () => Promise.resolve(null), poll }), { name: 'AbortError' });
      assert.ok(looks > COUNT && starts.started > 0 && sensor.journal.obstacle === undefined, sensor.journal.obstacle);
      assert.ok(slowest.ms < LONGEST, String(slowest.ms));
    });
  }

  it('http: an answer on which its condition fails is shown, and the next answer is read', async () => {
    const [event, slowest] = [oddEvents(FUZZ_SEED), new Slowest()];
    let answers = 0;
    const { sensor, starts, stop } = await new Promise<ReturnType<typeof sensorInMemory>>((resolve) => {
      const server = createServer((_, response) => {
        answers += 1;
        if (answers > COUNT + 4) stop.abort();
        const good = JSON.stringify({ ready: answers > COUNT + 1, n: 0, a: 'a', b: 'b' });
        response.writeHead(200, { 'content-type': 'application/json' }).end(answers > COUNT ? good : event());
      }).listen(0, '127.0.0.1', () => {
        const made = sensorInMemory(
          `type: http, path: /, until: event.ready == true || event.n > 3, ${PARAMS}`,
          `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
        );
        made.stop.signal.addEventListener('abort', () => server.close());
        resolve(made);
      });
    });
    Object.assign(sensor.trigger.source, { poke_interval: '1ms' });
    await slowest.measure('all of them', () => assert.rejects(watchAnswer(sensor), { name: 'AbortError' }));
    assert.ok(answers > COUNT && starts.started > 0);
    assert.ok(slowest.ms / COUNT < LONGEST, String(slowest));
  });
});

const nothing = (): Promise<void> => Promise.resolve();

/** Times in milliseconds: of today, and of all other times that one can write down. */
function oddTime(draw: ReturnType<typeof drawing>): number {
  const odd = [0, -1, 1, 253_402_300_799_999, 8.64e15, -8.64e15, 86_400_000, Date.now() + 3_600_000, Date.now() + 90 * 86_400_000];
  return draw(3) === 0 ? (odd[draw(odd.length)] ?? 0) : Date.now() - draw(2_000) * 10_000;
}

function oddRecord(draw: ReturnType<typeof drawing>): Partial<KafkaRecord> {
  const odd = ['', 'NaN', '-1', '9999999999999999999', '1e3'];
  const key = textOf(oddValue(draw));
  return {
    timestamp: draw(20) === 0 ? (odd[draw(odd.length)] ?? '') : String(oddTime(draw)),
    key: draw(3) === 0 ? null : draw(300) === 0 ? Buffer.alloc(100_000, key || 'k') : Buffer.from(key),
    headers: draw(4) === 0 ? { [textOf(oddValue(draw))]: textOf(oddValue(draw)) } : {},
  };
}

function oddMessage(content: Buffer, draw: ReturnType<typeof drawing>): ConsumeMessage {
  const odd = (): unknown => JSON.parse(textSmall(draw));
  const fields = {
    consumerTag: '',
    deliveryTag: draw(1_000),
    redelivered: draw(2) === 0,
    exchange: '',
    routingKey: textOf(oddValue(draw)),
  };
  const properties = {
    ...(draw(2) === 0 && { messageId: odd() }),
    ...(draw(2) === 0 && { timestamp: draw(2) === 0 ? odd() : Math.floor(oddTime(draw) / 1_000) }),
    ...(draw(3) === 0 && { headers: { 'x-a': odd(), [textOf(oddValue(draw))]: Buffer.from([0xff, 0]) } }),
  };
  return { content, fields, properties } as unknown as ConsumeMessage;
}

function textSmall(draw: ReturnType<typeof drawing>): string {
  const text = oddValue(draw);
  return text.length < 1_000 ? text : '1';
}

/** What a value is as a text of a server. */
function textOf(json: string): string {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === 'string' ? Buffer.from(value).toString() : json;
  } catch {
    return json;
  }
}

function objectOf(text: Buffer): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text.toString());
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : undefined;
  } catch {
    return undefined;
  }
}
