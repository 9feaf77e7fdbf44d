import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { Kafka, logLevel } from 'kafkajs';
import { describe, it } from 'mocha';
import { connectionsFrom } from '../../../connections/connections.ts';
import { type NewRecord, publishRecord } from '../../../lib/kafka/publish-record.ts';
import { eventually } from '../../support/eventually.ts';
import { kafkaSetting } from '../../support/kafka.ts';

/** Kafka's number of the request that writes. */
const PRODUCE = 0;

describe('publishRecord', function () {
  this.timeout('30s');
  const setting = kafkaSetting();

  /** A client whose connections tell of what they write. @param lost whether the connection breaks before the answer to this one comes */
  function watched(lost: (produced: number) => boolean): { readonly client: Kafka; readonly sockets: Socket[]; produced: number } {
    const sockets: Socket[] = [];
    const watch = { client: undefined as unknown as Kafka, sockets, produced: 0 };
    watch.client = new Kafka({
      brokers: [...connectionsFrom(setting.environment).get('kafka_default', ['kafka']).brokers],
      logLevel: logLevel.NOTHING,
      retry: { initialRetryTime: 50 },
      socketFactory: ({ host, port, onConnect }) => {
        const socket = connect({ host, port }, onConnect);
        sockets.push(socket);
        const write = socket.write.bind(socket);
        // Four bytes of length, then the number of the request.
        socket.write = (data: Buffer) => {
          if (data.readInt16BE(4) === PRODUCE && lost(++watch.produced)) {
            // The first byte of the answer says that the broker has written.
            socket.removeAllListeners('data').once('data', () => socket.destroy(new Error('read ECONNRESET')));
          }
          return write(data);
        };
        return socket;
      },
    });
    return watch;
  }

  async function record(partitions: number): Promise<NewRecord> {
    const topic = `publishes-${randomUUID()}`;
    await setting.kafka.createTopic(topic, partitions);
    return { topic, value: '1', headers: {}, identity: randomUUID() };
  }

  const countOf = async (topic: string): Promise<number> =>
    (await setting.kafka.admin.fetchTopicOffsets(topic)).reduce((sum, { high }) => sum + Number(high), 0);

  for (const [name, key] of [
    ['with a key', { key: 'k' }],
    ['without a key', {}],
  ] as const) {
    it(`writes once, ${name}, though the answer was lost`, async () => {
      const written = await record(8);
      const watch = watched((produced) => produced <= 2);
      const place = await publishRecord(watch.client, { ...written, ...key }, new AbortController().signal);
      assert.deepEqual([watch.produced, await countOf(written.topic), place.offset], [3, 1, '0']);
    });
  }

  it('writes nothing any more once it was asked to end', async () => {
    const written = await record(1);
    const watch = watched(() => false);
    const reason = new Error('enough');
    await assert.rejects(publishRecord(watch.client, written, AbortSignal.abort(reason)), reason);
    // It was about to connect; it leaves when it sees that it must not write.
    await eventually(() => Promise.resolve(assert.ok(watch.sockets.length > 0 && watch.sockets.every(({ destroyed }) => destroyed))));
    assert.deepEqual([watch.produced, await countOf(written.topic)], [0, 0]);
  });
});
