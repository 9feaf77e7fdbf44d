import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { ApplicationFailure } from '@temporalio/common';
import { describe, it } from 'mocha';
import { kafkaPublish } from '../../activities/kafka-publish.ts';
import { kafkaFailure } from '../../activities/kafka/kafka-failure.ts';
import type { KafkaRecord } from '../../lib/kafka/record-source.ts';
import { readTopic } from '../../lib/kafka/read-topic.ts';
import type { JsonObject } from '../../workflows/plan/values/json.ts';
import { openBlackHole } from '../support/black-hole.ts';
import { endsAtOnce } from '../support/ends-at-once.ts';
import { failureOf } from '../support/failure-of.ts';
import { kafkaSetting } from '../support/kafka.ts';
import { runTask, type TaskRun } from '../support/run-task.ts';

interface Published {
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
}

describe('kafka_publish', function () {
  this.timeout('30s');
  const setting = kafkaSetting();

  async function newTopic(partitions = 1, config: Readonly<Record<string, string>> = {}): Promise<string> {
    const topic = `told-${randomUUID()}`;
    await setting.kafka.createTopic(topic, partitions, config);
    return topic;
  }

  const publish = (params: JsonObject, run: Partial<TaskRun> = {}): Promise<Published> =>
    runTask<Published>(kafkaPublish, { params, environment: setting.environment, ...run });

  async function recordsOf(topic: string): Promise<KafkaRecord[]> {
    const records: KafkaRecord[] = [];
    await readTopic(
      setting.kafka.kafka,
      { topic, from: 'earliest', signal: new AbortController().signal },
      (record) => records.push(record) > 0,
    );
    return records;
  }

  it('writes JSON with its key and headers, and says where it is', async () => {
    const topic = await newTopic(3);
    const {
      partition,
      offset,
      topic: told,
    } = await publish({
      topic,
      key: 'shoes',
      value: { rows: 3, names: ['Jalapeño', null] },
      headers: { source: 'sluice' },
    });
    const [record, ...more] = await recordsOf(topic);
    assert.deepEqual(more, []);
    assert.deepEqual([told, partition, offset], [topic, record?.partition, record?.offset]);
    assert.deepEqual([record?.key?.toString(), record?.value?.toString()], ['shoes', '{"rows":3,"names":["Jalapeño",null]}']);
    assert.deepEqual(record?.headers, { source: 'sluice', 'idempotency-key': 'dag/scheduled/2024-01-01/run/task' });
  });

  it('writes every kind of value', async () => {
    const topic = await newTopic();
    const values = [null, false, 0, 'text', [1, 2]];
    for (const value of values) await publish({ topic, value });
    assert.deepEqual(
      (await recordsOf(topic)).map(({ value }) => value?.toString()),
      values.map((value) => JSON.stringify(value)),
    );
  });

  it('without a key goes to the same partition at each attempt, and with other runs to others', async () => {
    const topic = await newTopic(8);
    const partitions = new Set<number>();
    for (const runId of ['run/1', 'run/2', 'run/3', 'run/4']) {
      const [first, second] = [await publish({ topic, value: 1 }, { runId }), await publish({ topic, value: 1 }, { runId, attempt: 2 })];
      assert.equal(first.partition, second.partition);
      partitions.add(first.partition);
    }
    assert.ok(partitions.size > 1);
    assert.ok((await recordsOf(topic)).every(({ key }) => key === null));
  });

  it('creates no topic: the error suggests the existing one', async () => {
    const topic = await newTopic();
    const wrong = `${topic.slice(0, -1)}x`;
    const error = await failureOf(publish({ topic: wrong, value: 1 }));
    assert.deepEqual([error.type, error.nonRetryable], ['InvalidParameters', true]);
    assert.match(error.message, new RegExp(`^There is no topic '${wrong}' at 127\\.0\\.0\\.1:\\d+\\. Did you mean '${topic}'\\?`));
    assert.ok(!(await setting.kafka.admin.listTopics()).includes(wrong));
  });

  it('says of a record that is too large how large it is', async () => {
    const topic = await newTopic(1, { 'max.message.bytes': '1000' });
    const error = await failureOf(publish({ topic, value: 'x'.repeat(2_000) }));
    assert.deepEqual([error.type, error.nonRetryable], ['DataDoesNotFit', true]);
    assert.match(error.message, /^The record has 2002 bytes, and the topic 'told-.*' takes no such record \(its max\.message\.bytes/);
  });

  it('says that a compacted topic needs a key', async () => {
    const topic = await newTopic(1, { 'cleanup.policy': 'compact' });
    const error = await failureOf(publish({ topic, value: 1 }));
    assert.deepEqual([error.type, error.nonRetryable], ['DataDoesNotFit', true]);
    assert.match(error.message, /refuses the record: it is compacted, and needs a key\./);
    assert.equal((await publish({ topic, key: 'k', value: 1 })).offset, '0');
  });

  for (const topic of ['a b', '..', '', 'x'.repeat(250)]) {
    it(`refuses the topic '${topic.slice(0, 5)}' before it asks anybody`, async () => {
      const error = await failureOf(publish({ topic, value: 1 }, { environment: { SLUICE_CONN_KAFKA_DEFAULT: 'kafka://127.0.0.1:1' } }));
      assert.deepEqual([error.type, error.nonRetryable], ['InvalidParameters', true]);
    });
  }

  it('tries again when no broker answers', async () => {
    const error = await failureOf(publish({ topic: 't', value: 1 }, { environment: { SLUICE_CONN_KAFKA_DEFAULT: 'kafka://127.0.0.1:1' } }));
    assert.deepEqual([error.type, error.nonRetryable], ['KafkaUnavailable', false]);
    assert.match(error.message, /^Could not write to t: .*ECONNREFUSED.* \(brokers 127\.0\.0\.1:1\)/);
  });

  it('ends at once when it is cancelled, regardless of the broker', async () => {
    const hole = await openBlackHole();
    const nowhere = { SLUICE_CONN_KAFKA_DEFAULT: `kafka://${hole.address}` };
    await endsAtOnce((watch) => publish({ topic: 't', value: 1 }, { environment: nowhere, ...watch }), hole.entered);
    hole.close();
  });

  it('distinguishes what is forbidden from what cannot be reached', () => {
    const refusal = Object.assign(new Error('Not authorized to access topics: [Topic authorization failed]'), {
      type: 'TOPIC_AUTHORIZATION_FAILED',
    });
    // As the client gives it, out of retries.
    const error = new Error(refusal.message, { cause: refusal });
    const failure = kafkaFailure(error, { type: 'kafka', brokers: ['b:9092'], username: 'ann', password: 'word' }, 'write to t');
    assert.ok(failure instanceof ApplicationFailure);
    assert.deepEqual([failure.type, failure.nonRetryable], ['AccessDenied', true]);
    assert.match(failure.message, /Ask their administrator to allow it to user 'ann'/);
    assert.doesNotMatch(failure.message, /word/);
  });
});
