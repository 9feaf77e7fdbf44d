import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { defaultPayloadConverter, type Payload, type SerializationContext } from '@temporalio/common';
import { describe, it } from 'mocha';
import { SluiceCodec } from '../../../temporal/codec/codec.ts';
import { payloadKeysFrom } from '../../../temporal/codec/payload-keys.ts';
import type { Json } from '../../../workflows/plan/values/json.ts';
import { whyUnreadable } from '../../../workflows/plan/tasks/unreadable.ts';
import { payloadKey } from '../../support/payload-keys.ts';

const [ONE, TWO] = [payloadKey('one'), payloadKey('two')];
const OF_A_RUN: SerializationContext = { type: 'workflow', namespace: 'default', workflowId: 'a/manual/1' };
const ofTask = (workflowId: string): SerializationContext => ({ type: 'activity', namespace: 'default', workflowId, isLocal: false });

function codecWith(keys?: string, more: Record<string, string> = {}): SluiceCodec {
  return new SluiceCodec(payloadKeysFrom({ ...(keys !== undefined && { SLUICE_PAYLOAD_KEYS: keys }), ...more }));
}

const payloadOf = (value: Json): Payload => defaultPayloadConverter.toPayload(value);
const valueOf = (payload: Payload): Json => defaultPayloadConverter.fromPayload<Json>(payload);

describe('encrypted payloads', () => {
  it('show nothing of what is in them, and come back as they were', () => {
    const codec = codecWith(ONE);
    const large = Array.from({ length: 3_000 }, (_, index) => `row ${index} – ü`);
    for (const value of [{ token: 'canary-1' }, null, 'canary-2', large]) {
      const sealed = codec.seal(payloadOf(value), OF_A_RUN);
      assert.doesNotMatch(Buffer.from(sealed.data ?? []).toString('latin1'), /canary|row 1/);
      assert.deepEqual(valueOf(codec.open(sealed, OF_A_RUN)), value);
    }
    assert.notDeepEqual(codec.seal(payloadOf('same')), codec.seal(payloadOf('same')));
  });

  it('are refused when a byte of them is another', () => {
    const codec = codecWith(ONE);
    const { metadata, data } = codec.seal(payloadOf({ plan: 'as it was' }), OF_A_RUN);
    for (let at = 0; at < (data?.length ?? 0); at++) {
      const changed = Buffer.from(data ?? []);
      changed[at] = (changed[at] ?? 0) ^ 1;
      assert.match(whyUnreadable(valueOf(codec.open({ metadata: metadata ?? null, data: changed }, OF_A_RUN))) ?? '', /was changed/);
    }
    const cut = { metadata: metadata ?? null, data: data?.subarray(0, 20) ?? null };
    assert.match(whyUnreadable(valueOf(codec.open(cut, OF_A_RUN))) ?? '', /was changed/);
  });

  it('are refused when another deployment has encrypted them, or when nothing has', () => {
    const codec = codecWith(ONE);
    const sameId = codecWith(`one:${randomBytes(32).toString('base64')}`);
    const foreign = { 'another key': codecWith(TWO), 'another key of the same id': sameId, 'no key': codecWith() };
    for (const [name, other] of Object.entries(foreign)) {
      const sealed = other.seal(payloadOf({ plan: {} }), OF_A_RUN);
      assert.ok(whyUnreadable(valueOf(codec.open(sealed, OF_A_RUN))), name);
      assert.throws(() => codec.open(sealed, ofTask('a')), { name: 'PayloadRefused' }, name);
    }
    const text = codec.seal(payloadOf('x'));
    assert.match(whyUnreadable(valueOf(codecWith().open(text))) ?? '', /key 'one', which SLUICE_PAYLOAD_KEYS does not have here/);
  });

  it('cannot be used elsewhere: the output of a task, which others have written, is not an input of a workflow, nor of a task of another run', () => {
    const codec = codecWith(ONE);
    const output = codec.seal(payloadOf({ plan: { dagId: 'evil' } }), ofTask('a'));
    assert.deepEqual(valueOf(codec.open(output, ofTask('a'))), { plan: { dagId: 'evil' } });
    assert.match(whyUnreadable(valueOf(codec.open(output, OF_A_RUN))) ?? '', /was copied/);
    assert.throws(() => codec.open(output, ofTask('b')), { name: 'PayloadRefused', message: /was copied/ });
  });

  it('are read with every key that is given, and written with the first', () => {
    const [old, both] = [codecWith(ONE), codecWith(`${TWO},${ONE}`)];
    assert.equal(valueOf(both.open(old.seal(payloadOf('old')))), 'old');
    assert.ok(whyUnreadable(valueOf(old.open(both.seal(payloadOf('new'))))));
  });

  it('without encryption are read where the operator allows it', () => {
    const plain = codecWith().seal(payloadOf('before'));
    assert.equal(valueOf(codecWith(ONE, { SLUICE_PAYLOAD_PLAIN: 'read' }).open(plain, ofTask('a'))), 'before');
  });

  it('that are damaged hide nothing else', () => {
    for (const codec of [codecWith(), codecWith(ONE)]) {
      const damaged = { metadata: { encoding: Buffer.from('binary/zlib') }, data: Buffer.from('no zlib') };
      const [first, second] = [damaged, codec.seal(payloadOf('good'))].map((payload) => valueOf(codec.open(payload)));
      assert.ok(whyUnreadable(first));
      assert.equal(second, 'good');
    }
  });
});

describe('SLUICE_PAYLOAD_KEYS', () => {
  const [id = '', key = ''] = ONE.split(':');
  const mistakes: readonly (readonly [string, string, RegExp])[] = [
    ['a key without an id', key, /Entry 1 .* has no id/],
    ['an id with a space', `my key:${key}`, /id of entry 1 .* is not valid/],
    ['no id', `:${key}`, /id of entry 1 .* is not valid/],
    ['a short key', `a:${Buffer.alloc(16, 7).toString('base64')}`, /'a' .* has 16 bytes; AES-256 needs 32/],
    ['what is not base64', `a:${key.slice(0, -3)}!!=`, /'a' .* is not base64/],
    ['an empty entry', `${ONE},`, /Entry 2/],
    ['an id twice', `${ONE},${id}:${payloadKey('x').slice(2)}`, /two keys with the id 'one'/],
  ];
  for (const [name, text, message] of mistakes) {
    it(`is refused, without showing a key: ${name}`, () => {
      assert.throws(
        () => payloadKeysFrom({ SLUICE_PAYLOAD_KEYS: text }),
        (error: Error) => error.name === 'SettingError' && message.test(error.message) && !error.message.includes(key.slice(0, 12)),
      );
    });
  }

  it('may be absent; SLUICE_PAYLOAD_PLAIN has one value', () => {
    assert.equal(payloadKeysFrom({}), undefined);
    assert.throws(() => payloadKeysFrom({ SLUICE_PAYLOAD_PLAIN: 'yes' }), { name: 'SettingError', message: /allowed: read/ });
  });
});
