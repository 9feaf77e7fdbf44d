import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { kafkajsSource } from '../../../lib/kafka/kafkajs-source.ts';
import type { KafkaRecord, RecordBatch, RecordSource } from '../../../lib/kafka/record-source.ts';
import { setOffsets } from '../../../lib/kafka/set-offsets.ts';
import { eventually } from '../../support/eventually.ts';
import { TestKafka } from '../../support/kafka.ts';
import { unique } from '../../support/test-sensors.ts';
import { testStack } from '../../support/test-stack.ts';

/** What whoever takes the place of kafkajs has to do as well: one line here, and its suite is written. */
const SOURCES: Readonly<Record<string, (kafka: TestKafka) => RecordSource>> = {
  kafkajs: ({ kafka }) => kafkajsSource(kafka),
};

for (const [client, sourceOf] of Object.entries(SOURCES)) {
  describe(`${client} as a source of records`, function () {
    this.timeout('1m');
    let kafka: TestKafka;

    before(async function () {
      this.timeout('15m');
      kafka = await TestKafka.connect((await testStack(['kafka'])).environment);
    });
    after(() => kafka.close());

    async function topicOf(partitions = 1, config: Readonly<Record<string, string>> = {}): Promise<string> {
      const topic = `source-${unique()}`;
      await kafka.createTopic(topic, partitions, config);
      return topic;
    }

    /** A consumer that notes what it is handed; `handle` may do more. */
    function consuming(topic: string, group: string, handle: (batch: RecordBatch) => Promise<void> = (batch) => batch.commit()) {
      const stopping = new AbortController();
      const records: KafkaRecord[] = [];
      const done = sourceOf(kafka).consume({
        group,
        topics: [topic],
        signal: stopping.signal,
        async handle(batch) {
          records.push(...batch.records);
          await handle(batch);
        },
      });
      done.catch(() => undefined);
      return {
        records,
        done,
        async stop(): Promise<void> {
          stopping.abort();
          await done;
        },
      };
    }

    const numbers = (records: readonly KafkaRecord[]): (string | undefined)[] => records.map(({ value }) => value?.toString());

    it('hands over all of a record, those of a partition in order, from the earliest on', async () => {
      const topic = await topicOf(2);
      await kafka.send(topic, [
        { partition: 0, key: 'k', value: '1', headers: { a: 'b', list: ['c', 'd'] }, timestamp: '1700000000000' },
        { partition: 0, value: null, timestamp: '1700000000001' },
        { partition: 1, value: '2' },
        { partition: 0, value: '3' },
      ]);
      const consumer = consuming(topic, unique());
      await eventually(() => Promise.resolve(assert.equal(consumer.records.length, 4)));
      const [first, second, third] = consumer.records.filter(({ partition }) => partition === 0);
      assert.deepEqual(
        [first?.key?.toString(), first?.value?.toString(), first?.headers, first?.timestamp, first?.offset],
        ['k', '1', { a: 'b', list: 'd' }, '1700000000000', '0'],
      );
      assert.deepEqual([second?.value, second?.key, third?.offset], [null, null, '2']);
      await consumer.stop();
    });

    it('goes on where it was committed, and hands over again what was not', async () => {
      const topic = await topicOf();
      const group = unique();
      await kafka.send(topic, [{ value: '1' }, { value: '2' }]);
      const first = consuming(topic, group, (batch) => batch.commit('1'));
      await eventually(() => Promise.resolve(assert.deepEqual(numbers(first.records), ['1', '2'])));
      await eventually(async () => assert.deepEqual(await kafka.committed(group, topic), ['1']));
      await first.stop();
      await kafka.send(topic, [{ value: '3' }]);
      const second = consuming(topic, group);
      await eventually(() => Promise.resolve(assert.deepEqual(numbers(second.records), ['2', '3'])));
      await second.stop();
    });

    it('begins where offsets were set', async () => {
      const topic = await topicOf();
      const group = unique();
      await kafka.send(topic, [{ value: '1' }, { value: '2' }, { value: '3' }]);
      await setOffsets(kafka.kafka, group, topic, [{ partition: 0, offset: '2' }]);
      const consumer = consuming(topic, group);
      await eventually(() => Promise.resolve(assert.deepEqual(numbers(consumer.records), ['3'])));
      await consumer.stop();
    });

    it('shares the partitions with the other members of its group, and takes over those of one that goes', async () => {
      const topic = await topicOf(4);
      const group = unique();
      const [first, second] = [consuming(topic, group), consuming(topic, group)];
      const sendAll = (value: string): Promise<void> =>
        kafka.send(
          topic,
          [0, 1, 2, 3].map((partition) => ({ partition, value })),
        );
      await eventually(async () => {
        await sendAll('shared');
        assert.ok(first.records.length > 0 && second.records.length > 0);
      }, 30_000);
      await second.stop();
      await sendAll('alone');
      await eventually(
        () => Promise.resolve(assert.equal(first.records.filter(({ value }) => value?.toString() === 'alone').length, 4)),
        30_000,
      );
      await first.stop();
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
      await eventually(() => Promise.resolve(assert.deepEqual(numbers(consumer.records), ['commit'])));
      await kafka.send(topic, [{ value: 'after' }]);
      await eventually(async () => assert.deepEqual(await kafka.committed(group, topic), ['7']));
      assert.deepEqual(numbers(consumer.records), ['commit', 'after']);
      await consumer.stop();
    });

    it('passes gaps that compaction has left', async () => {
      const topic = await topicOf(1, {
        'cleanup.policy': 'compact',
        'segment.ms': '100',
        'min.cleanable.dirty.ratio': '0.01',
        'max.compaction.lag.ms': '100',
      });
      const group = unique();
      for (let n = 0; n < 20; n++) await kafka.send(topic, [{ key: 'same', value: String(n) }]);
      const consumer = consuming(topic, group);
      await eventually(async () => assert.deepEqual(await kafka.committed(group, topic), ['20']));
      assert.equal(consumer.records.at(-1)?.value?.toString(), '19');
      await consumer.stop();
    });

    it('hands over a record of ten megabytes', async () => {
      const topic = await topicOf(1, { 'max.message.bytes': '20000000' });
      const body = JSON.stringify({ text: 'x'.repeat(10_000_000) });
      await kafka.send(topic, [{ value: body }, { value: 'after' }]);
      const consumer = consuming(topic, unique());
      await eventually(() => Promise.resolve(assert.equal(consumer.records.length, 2)), 20_000);
      assert.equal(consumer.records[0]?.value?.length, body.length);
      await consumer.stop();
    });

    it('ends with what its handler has thrown, whatever that is, and has committed nothing', async () => {
      const topic = await topicOf();
      const group = unique();
      await kafka.send(topic, [{ value: '1' }]);
      const consumer = consuming(topic, group, () => Promise.reject(new TypeError('a mistake of ours')));
      await assert.rejects(consumer.done, { name: 'TypeError', message: 'a mistake of ours' });
      assert.deepEqual(await kafka.committed(group, topic), ['-1']);
      const again = consuming(topic, group);
      await eventually(() => Promise.resolve(assert.deepEqual(numbers(again.records), ['1'])), 15_000);
      await again.stop();
    });
  });
}
