import assert from 'node:assert/strict';
import kafkajs, { Kafka, logLevel } from 'kafkajs';
import { describe, it } from 'mocha';
import { waitForCoordinators, whenLoaded } from '../../../lib/kafka/coordinator-loading.ts';

/** An error as kafkajs makes it of a broker's answer. */
const answered = (type: string, code: number): Error =>
  new kafkajs.KafkaJSProtocolError(Object.assign(new Error(type), { type, code, retriable: true }));

/** Fails so often, then answers. */
function after(failures: readonly Error[]): { ask(): Promise<string>; readonly asked: number } {
  const left = [...failures];
  const state = {
    asked: 0,
    ask(): Promise<string> {
      state.asked++;
      const error = left.shift();
      return error ? Promise.reject(error) : Promise.resolve('answer');
    },
  };
  return state;
}

describe('a coordinator of Kafka that is loading', () => {
  for (const [type, code] of [
    ['GROUP_LOAD_IN_PROGRESS', 14],
    ['GROUP_COORDINATOR_NOT_AVAILABLE', 15],
    ['NOT_COORDINATOR_FOR_GROUP', 16],
  ] as const) {
    it(`is waited for: ${type}`, async () => {
      const source = after([answered(type, code), answered(type, code)]);
      assert.equal(await whenLoaded(() => source.ask()), 'answer');
      assert.equal(source.asked, 3);
    });
  }

  it('is recognized in the error of a client that is out of retries', async () => {
    const source = after([new Error('out of retries', { cause: answered('GROUP_LOAD_IN_PROGRESS', 14) })]);
    assert.equal(await whenLoaded(() => source.ask()), 'answer');
  });

  it('is waited for no longer than it may take, and the error has the reason', async () => {
    const source = after(Array.from({ length: 100 }, () => answered('GROUP_LOAD_IN_PROGRESS', 14)));
    await assert.rejects(
      whenLoaded(() => source.ask(), { withinMs: 400 }),
      /^Error: Kafka's coordinator was not ready within 0.4 s: GROUP_LOAD_IN_PROGRESS$/,
    );
  });

  it('other errors, and what has had an effect, are not repeated', async () => {
    const other = after([answered('TOPIC_AUTHORIZATION_FAILED', 29)]);
    await assert.rejects(
      whenLoaded(() => other.ask()),
      /TOPIC_AUTHORIZATION_FAILED/,
    );
    const effective = after([answered('GROUP_LOAD_IN_PROGRESS', 14)]);
    await assert.rejects(
      whenLoaded(() => effective.ask(), { mayRepeat: () => false }),
      /GROUP_LOAD_IN_PROGRESS/,
    );
    assert.deepEqual([other.asked, effective.asked], [1, 1]);
  });

  it('admins of a client wait in every call, and stay what they are', async () => {
    const kafka = waitForCoordinators(new Kafka({ brokers: ['127.0.0.1:1'], logLevel: logLevel.NOTHING, retry: { retries: 0 } }));
    const admin = kafka.admin();
    assert.equal(admin.events.CONNECT, 'admin.connect');
    assert.equal(typeof admin.on('admin.connect', () => undefined), 'function');
    await assert.rejects(admin.connect(), /ECONNREFUSED/);
  });
});
