import assert from 'node:assert/strict';
import type { Server } from 'node:http';
import { request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import { after, before, describe, it } from 'mocha';
import { SluiceCodec } from '../../../temporal/codec/codec.ts';
import { serveCodec } from '../../../temporal/codec/codec-server.ts';
import { payloadKeysFrom } from '../../../temporal/codec/payload-keys.ts';
import { payloadKey } from '../../support/payload-keys.ts';

interface Answer {
  readonly status: number;
  readonly allowed: unknown;
  readonly body: string;
}

interface Message {
  readonly metadata: Record<string, string>;
  readonly data: string;
}

function messageOf({ metadata, data }: Payload): Message {
  const entries = Object.entries(metadata ?? {}).map(([key, value]) => [key, Buffer.from(value).toString('base64')]);
  return { metadata: Object.fromEntries(entries) as Record<string, string>, data: Buffer.from(data ?? []).toString('base64') };
}

describe('the codec server', () => {
  const UI = 'http://127.0.0.1:8233';
  const codec = new SluiceCodec(payloadKeysFrom({ SLUICE_PAYLOAD_KEYS: payloadKey('one') }));
  const sealed = [{ rows: 3 }, 'x'.repeat(50_000)].map((value) => messageOf(codec.seal(defaultPayloadConverter.toPayload(value))));
  let server: Server;
  before(async () => {
    server = await serveCodec(codec, { origin: UI, port: 0 });
  });
  after(() => server.close());

  const ask = (method: string, path: string, headers: Record<string, string>, body = ''): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const { port } = server.address() as AddressInfo;
      const sent = request({ host: '127.0.0.1', port, method, path, headers }, (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.once('end', () => {
          const allowed = answer.headers['access-control-allow-origin'];
          resolve({ status: answer.statusCode ?? 0, allowed, body: Buffer.concat(chunks).toString() });
        });
      });
      sent.once('error', reject).end(body);
    });
  const json = { 'content-type': 'application/json', 'x-namespace': 'default' };

  it('decodes for the Temporal UI', async () => {
    const { status, allowed, body } = await ask('POST', '/decode', { ...json, origin: UI }, JSON.stringify({ payloads: sealed }));
    assert.deepEqual([status, allowed], [200, UI]);
    const { payloads } = JSON.parse(body) as { payloads: Message[] };
    assert.deepEqual(
      payloads.map(({ data }) => JSON.parse(Buffer.from(data, 'base64').toString()) as unknown),
      [{ rows: 3 }, 'x'.repeat(50_000)],
    );
    const preflight = await ask('OPTIONS', '/decode', { origin: UI, 'access-control-request-method': 'POST' });
    assert.deepEqual([preflight.status, preflight.allowed], [204, UI]);
  });

  const body = JSON.stringify({ payloads: sealed });
  const attacks: readonly (readonly [string, string, Record<string, string>])[] = [
    ['a page of somebody else', '/decode', { ...json, origin: 'http://evil.example' }],
    ['a page whose origin begins as the UI', '/decode', { ...json, origin: `${UI}.evil.example` }],
    ['a page that sends text', '/decode', { 'content-type': 'text/plain', origin: 'null' }],
    ['a page whose name leads to loopback', '/decode', { ...json, origin: UI, host: 'evil.example:8234' }],
    ['who names no origin', '/decode', json],
  ];
  for (const [name, path, headers] of attacks) {
    it(`decodes nothing for ${name}`, async () => {
      const answer = await ask('POST', path, headers, body);
      assert.deepEqual([answer.status, answer.allowed], [403, undefined]);
      assert.doesNotMatch(answer.body, /payloads/);
    });
  }

  it('encodes nothing: a plan that it would encrypt, workers would run', async () => {
    const plain = JSON.stringify({ payloads: [messageOf(defaultPayloadConverter.toPayload({ plan: {} }))] });
    assert.equal((await ask('POST', '/encode', { ...json, origin: UI }, plain)).status, 404);
  });
});
