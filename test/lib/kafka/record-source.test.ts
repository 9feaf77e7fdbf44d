import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import type { PartName } from '../../../dev/stack.ts';
import { kafkajsSource } from '../../../lib/kafka/kafkajs-source.ts';
import { readTopic } from '../../../lib/kafka/read-topic.ts';
import type { RecordBatch, RecordSource } from '../../../lib/kafka/record-source.ts';
import { setOffsets } from '../../../lib/kafka/set-offsets.ts';
import { Consuming } from '../../support/consuming.ts';
import { eventually } from '../../support/eventually.ts';
import { TestKafka } from '../../support/kafka.ts';
import { unique } from '../../support/test-sensors.ts';
import { testStack } from '../../support/test-stack.ts';

/** What whoever takes the place of kafkajs has to do as well: one line here, and its suite is written. */
const SOURCES: Readonly<Record<string, (kafka: TestKafka) => RecordSource>> = {
  kafkajs: ({ kafka }) => kafkajsSource(kafka),
};

/** The brokers that it has to be done with: the part of the stack, and its connection. */
const BROKERS: Readonly<Record<string, readonly [PartName, string]>> = {
  'Kafka 4': ['kafka', 'kafka_default'],
  'Kafka 3.9': ['kafka-3.9', 'kafka_3_9'],
};

const COMPRESSIONS = ['gzip', 'snappy', 'lz4', 'zstd'] as const;

for (const [client, sourceOf] of Object.entries(SOURCES)) {
  for (const [broker, [, connection]] of Object.entries(BROKERS)) {
    describe(`${client} as a source of the records of ${broker}`, function () {
      this.timeout('1m');
      let kafka: TestKafka;
      const consumers: Consuming[] = [];

      before(async function () {
        this.timeout('15m');
        // All at once: starting takes longer than all tests.
        const { environment } = await testStack(Object.values(BROKERS).map(([part]) => part));
        kafka = await TestKafka.connect(environment, connection);
      });
      after(async () => {
        await Promise.allSettled(consumers.map((consumer) => consumer.stop()));
        await kafka.close();
      });

      async function topicOf(partitions = 1, config: Readonly<Record<string, string>> = {}): Promise<string> {
        const topic = `source-${unique()}`;
        await kafka.createTopic(topic, partitions, config);
        return topic;
      }

      /** A topic with these records. */
      async function topicWith(...values: string[]): Promise<string> {
        const topic = await topicOf();
        await kafka.send(
          topic,
          values.map((value) => ({ value })),
        );
        return topic;
      }

      /** One record with this value in each partition. */
      function sendToAll(topic: string, partitions: number, value: string): Promise<void> {
        return kafka.send(
          topic,
          Array.from({ length: partitions }, (_, partition) => ({ partition, value })),
        );
      }

      function consuming(topic: string | readonly string[], group = unique(), handle?: (batch: RecordBatch) => Promise<void>): Consuming {
        const consumer = new Consuming(sourceOf(kafka), [topic].flat(), group, handle);
        consumers.push(consumer);
        return consumer;
      }

      function soon(check: () => void): Promise<void> {
        return eventually(() => Promise.resolve(check()), 30_000);
      }

      function soonCommitted(group: string, topic: string, offset: string): Promise<void> {
        return eventually(async () => assert.deepEqual(await kafka.committed(group, topic), [offset]), 30_000);
      }

      it('hands over all of a record', async () => {
        const topic = await topicOf();
        await kafka.send(topic, [
          { key: 'k', value: '1', headers: { a: 'b', list: ['c', 'd'] }, timestamp: '1700000000000' },
          { value: null, timestamp: '1700000000001' },
          { key: '', value: '' },
        ]);
        const { records } = consuming(topic);
        await soon(() => assert.equal(records.length, 3));
        assert.deepEqual(
          records.map(({ key, value, headers, timestamp, offset }) => [key?.toString(), value?.toString(), headers, timestamp, offset]),
          [
            ['k', '1', { a: 'b', list: 'd' }, '1700000000000', '0'],
            [undefined, undefined, {}, '1700000000001', '1'],
            ['', '', {}, records[2]?.timestamp, '2'],
          ],
        );
      });

      it('hands over the batches of a partition in order, one at a time', async () => {
        const topic = await topicOf(3);
        const busy = new Set<number>();
        let batches = 0;
        const { records } = consuming(topic, unique(), async ({ partition }) => {
          batches++;
          assert.ok(!busy.has(partition), `two batches of partition ${partition} at once`);
          busy.add(partition);
          await new Promise((resolve) => setTimeout(resolve, 50));
          busy.delete(partition);
        });
        for (let n = 0; n < 12; n++) await sendToAll(topic, 3, String(n));
        await soon(() => assert.equal(records.length, 36));
        assert.ok(batches > 3);
        for (const partition of [0, 1, 2]) {
          const values = records.filter((record) => record.partition === partition).map(({ value }) => Number(value));
          assert.deepEqual(values, [...Array(12).keys()]);
        }
      });

      it('reports how far a batch reaches, and what comes after it', async () => {
        const topic = await topicWith('1', '2', '3');
        let seen: unknown;
        consuming(topic, unique(), ({ partition, count, next, lag }) => {
          seen = [partition, count, next, lag];
          return Promise.resolve();
        });
        await soon(() => assert.deepEqual(seen, [0, 3, '3', 0]));
      });

      it('commits nothing automatically, and repeats what was not committed', async () => {
        const topic = await topicWith('1', '2');
        const group = unique();
        const first = consuming(topic, group, () => Promise.resolve());
        await soon(() => assert.deepEqual(first.values, ['1', '2']));
        await kafka.send(topic, [{ value: '3' }]);
        await soon(() => assert.deepEqual(first.values, ['1', '2', '3']));
        await first.stop();
        assert.deepEqual(await kafka.committed(group, topic), ['-1']);
        const second = consuming(topic, group);
        await soon(() => assert.deepEqual(second.values, ['1', '2', '3']));
      });

      it('continues where it was committed, in the middle of a batch too', async () => {
        const topic = await topicWith('1', '2');
        const group = unique();
        const first = consuming(topic, group, (batch) => batch.commit('1'));
        await soonCommitted(group, topic, '1');
        await first.stop();
        await kafka.send(topic, [{ value: '3' }]);
        const second = consuming(topic, group);
        await soon(() => assert.deepEqual(second.values, ['2', '3']));
      });

      it('begins where offsets were set, and where none was at the earliest record', async () => {
        const topic = await topicOf(2);
        const group = unique();
        for (const value of ['1', '2', '3']) await sendToAll(topic, 2, value);
        await setOffsets(kafka.kafka, group, topic, [{ partition: 0, offset: '2' }]);
        await kafka.admin.deleteTopicRecords({ topic, partitions: [{ partition: 1, offset: '1' }] });
        const { records } = consuming(topic, group);
        await soon(() => assert.equal(records.length, 3));
        assert.deepEqual(records.map(({ partition, value }) => `${partition}: ${value?.toString()}`).sort(), ['0: 3', '1: 2', '1: 3']);
      });

      it('continues at the earliest record when retention has overtaken it', async () => {
        const topic = await topicWith('1', '2', '3');
        const group = unique();
        await setOffsets(kafka.kafka, group, topic, [{ partition: 0, offset: '0' }]);
        await kafka.admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '2' }] });
        const consumer = consuming(topic, group);
        await soon(() => assert.deepEqual(consumer.values, ['3']));
      });

      it('shares the partitions with the other members of its group, and takes over those of one that goes', async () => {
        const topic = await topicOf(4);
        const group = unique();
        const [first, second] = [consuming(topic, group), consuming(topic, group)];
        await eventually(async () => {
          await sendToAll(topic, 4, 'shared');
          assert.ok(first.records.length > 0 && second.records.length > 0);
        }, 30_000);
        await second.stop();
        await sendToAll(topic, 4, 'alone');
        await soon(() => assert.equal(first.values.filter((value) => value === 'alone').length, 4));
      });

      it('notifies the holder of partitions, if it asks, that others take them', async () => {
        const topic = await topicOf(4);
        const group = unique();
        await sendToAll(topic, 4, '1');
        const held = new Set<number>();
        let told: unknown;
        consuming(topic, group, async ({ partition, alive }) => {
          assert.ok(!held.has(partition), `partition ${partition} twice at once`);
          held.add(partition);
          // One asks; three are at something that takes until it was told.
          while (told === undefined) {
            await new Promise((resolve) => setTimeout(resolve, 50));
            if (partition === 0) await alive().catch((error: unknown) => (told = error));
          }
          held.delete(partition);
          if (partition === 0) await alive();
        });
        await soon(() => assert.equal(held.size, 4));
        const second = consuming(topic, group);
        await soon(() => assert.ok(second.records.length > 0));
        assert.ok(told instanceof Error);
      });

      it('reads records in each compression', async () => {
        const topics = await Promise.all(COMPRESSIONS.map((compression) => topicOf(1, { 'compression.type': compression })));
        const value = 'compressible '.repeat(1_000);
        // The broker compresses them, in the way of Java's clients.
        await Promise.all(topics.map((topic) => kafka.send(topic, [{ value }, { value: 'short' }])));
        const { records } = consuming(topics);
        await soon(() => assert.equal(records.length, 2 * topics.length));
        for (const topic of topics) {
          const values = records.filter((record) => record.topic === topic).map((record) => record.value?.toString());
          assert.deepEqual(values, [value, 'short'], COMPRESSIONS[topics.indexOf(topic)]);
        }
      });

      it('hands over nothing of a transaction that was aborted, and passes what is left of it', async () => {
        const topic = await topicOf();
        const group = unique();
        const producer = kafka.kafka.producer({
          transactionalId: unique(),
          idempotent: true,
          maxInFlightRequests: 1,
          allowAutoTopicCreation: false,
        });
        await producer.connect();
        for (const ending of ['abort', 'commit', 'abort'] as const) {
          const transaction = await producer.transaction();
          await transaction.send({ topic, messages: [{ value: ending }] });
          await transaction[ending]();
        }
        await producer.disconnect();
        const consumer = consuming(topic, group);
        await soon(() => assert.deepEqual(consumer.values, ['commit']));
        await kafka.send(topic, [{ value: 'after' }]);
        await soonCommitted(group, topic, '7');
        assert.deepEqual(consumer.values, ['commit', 'after']);
      });

      it('passes gaps that compaction has left', async () => {
        const topic = await topicOf(1, {
          'cleanup.policy': 'compact',
          'segment.ms': '100',
          'min.cleanable.dirty.ratio': '0.01',
          'max.compaction.lag.ms': '100',
        });
        const group = unique();
        // By the times of records, a new segment begins with each: the cleaner leaves only the last one alone.
        const began = Date.now() - 20_000;
        for (let n = 0; n < 20; n++) await kafka.send(topic, [{ key: 'same', value: String(n), timestamp: String(began + n * 1_000) }]);
        await eventually(async () => {
          let left = 0;
          await readTopic(kafka.kafka, { topic, from: 'earliest', signal: new AbortController().signal }, () => ++left > 0);
          assert.ok(left < 20);
        }, 30_000);
        const consumer = consuming(topic, group);
        await soonCommitted(group, topic, '20');
        assert.ok(consumer.records.length < 20);
        assert.equal(consumer.values.at(-1), '19');
      });

      it('hands over a record that is larger than what it asks for at once', async () => {
        const topic = await topicOf(1, { 'max.message.bytes': '20000000' });
        const body = JSON.stringify({ text: 'x'.repeat(10_000_000) });
        await kafka.send(topic, [{ value: body }, { value: 'after' }]);
        const { records } = consuming(topic);
        await soon(() => assert.equal(records.length, 2));
        assert.equal(records[0]?.value?.length, body.length);
      });

      it('ends with the error of its handler, and has committed nothing', async () => {
        const topic = await topicWith('1');
        const group = unique();
        const consumer = consuming(topic, group, () => Promise.reject(new TypeError('a mistake of ours')));
        await assert.rejects(consumer.done, { name: 'TypeError', message: 'a mistake of ours' });
        assert.deepEqual(await kafka.committed(group, topic), ['-1']);
        const again = consuming(topic, group);
        await soon(() => assert.deepEqual(again.values, ['1']));
      });

      it('leaves its group whenever it is asked to end', async () => {
        const topic = await topicWith('1');
        const groups = Array.from({ length: 32 }, () => unique());
        await Promise.all(
          groups.map(async (group, index) => {
            const consumer = consuming(topic, group);
            await new Promise((resolve) => setTimeout(resolve, index * 10));
            await consumer.stop();
          }),
        );
        const { groups: left } = await kafka.admin.describeGroups(groups);
        assert.deepEqual(
          left.flatMap(({ members }) => members),
          [],
        );
      });

      it('ends when it is asked to: before it has started, while it waits, and while it handles', async () => {
        const topic = await topicWith('1');
        const early = consuming(topic);
        const busy = consuming(topic, unique(), async ({ alive }) => {
          await new Promise((resolve) => busy.signal.addEventListener('abort', resolve));
          await alive().catch(() => undefined);
        });
        const idle = consuming(topic);
        await early.stop();
        await soon(() => assert.deepEqual([busy.values, idle.values], [['1'], ['1']]));
        await Promise.all([busy.stop(), idle.stop()]);
        await kafka.send(topic, [{ value: '2' }]);
        const later = consuming(topic);
        await soon(() => assert.deepEqual(later.values, ['1', '2']));
        assert.deepEqual([early.values, busy.values, idle.values], [[], ['1'], ['1']]);
      });
    });
  }
}
