import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, beforeEach, describe, it } from 'mocha';
import { http } from '../../activities/http.ts';
import { atPointer } from '../../activities/http/json-pointer.ts';
import type { HttpResult } from '../../activities/http/send-request.ts';
import { retryAfterMs } from '../../lib/http/retry-after.ts';
import type { Json, JsonObject } from '../../workflows/plan/values/json.ts';
import { compiler } from '../support/compiler.ts';
import { failureOf } from '../support/failure-of.ts';
import { runTask } from '../support/run-task.ts';

interface Seen {
  readonly call: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

describe('http', function () {
  this.timeout(20_000);
  let server: Server;
  let url: string;
  let seen: Seen[];
  /** Path → status, body, headers. */
  let answers: Record<string, readonly [number, Json, Record<string, string>?]>;

  before(async () => {
    server = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        seen.push({ call: `${request.method} ${request.url}`, headers: request.headers, body });
        const [status, value, headers] = answers[request.url ?? ''] ?? [404, { error: 'no such page' }];
        response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value));
      });
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(() => server.close());
  beforeEach(() => {
    seen = [];
    answers = {};
  });

  const run = (params: JsonObject): Promise<HttpResult> =>
    runTask<HttpResult>(http, { params, environment: { SLUICE_CONN_HTTP_DEFAULT: url.replace('//', '//user:word@') } });

  it('posts and returns the answer; a server can recognize a second attempt', async () => {
    answers = { '/models/reload': [202, { model: { version: 'v7', parts: [1, 2] } }] };
    const params = {
      method: 'POST',
      path: '/models/reload',
      body: { name: 'x' },
      extract: { version: '/model/version', part: '/model/parts/1' },
    };
    const result = await run(params);
    assert.deepEqual(result, {
      status: 202,
      body: { model: { version: 'v7', parts: [1, 2] } },
      extracted: { version: 'v7', part: 2 },
      pages: 1,
    });
    await run(params);
    assert.deepEqual(seen.map(({ call, body }) => [call, body]).at(0), ['POST /models/reload', '{"name":"x"}']);
    assert.equal(seen[0]?.headers.authorization, `Basic ${Buffer.from('user:word').toString('base64')}`);
    assert.equal(seen[0]?.headers['idempotency-key'], 'dag/scheduled/2024-01-01/run/task');
    assert.equal(seen[1]?.headers['idempotency-key'], seen[0]?.headers['idempotency-key']);
  });

  it('reads all pages', async () => {
    answers = {
      '/a': [200, { items: [1], next: '/b' }],
      '/b': [200, { items: [2], next: `${url}/c` }],
      '/c': [200, { items: [3], next: null }],
    };
    const { body, pages } = await run({ path: '/a', pagination: { next: '/next' } });
    assert.deepEqual([pages, (body as JsonObject[]).map(({ items }) => items)], [3, [[1], [2], [3]]]);
    const error = await failureOf(run({ path: '/a', pagination: { next: '/next', max_pages: 2 } }));
    assert.deepEqual([error.type, error.nonRetryable], ['OutputTooLarge', true]);
    assert.match(error.message, /more pages of \/a than 2 pages/);
  });

  it('does not hand its credentials to another host', async () => {
    answers = { '/a': [200, { next: 'http://127.0.0.1:1/steal' }] };
    const error = await failureOf(run({ path: '/a', pagination: { next: '/next' } }));
    assert.match(error.message, /is not at http:\/\/127\.0\.0\.1:\d+, where the connection is/);
  });

  for (const [name, answer, more, type, isFinal, message] of [
    ['no such page', [404, { error: 'gone' }], {}, 'RequestRefused', true, /answers GET \/x with 404\. Its answer: \{"error":"gone"\}/],
    ['a server in trouble', [503, null], {}, 'ServiceUnavailable', false, /answers GET \/x with 503\./],
    ['too much', [429, null, { 'retry-after': '7' }], {}, 'ServiceUnavailable', false, /429/],
    ['another code than wanted', [200, null], { expect: { status: [202] } }, 'RequestRefused', true, /with 200/],
    [
      'another answer',
      [200, { ready: false }],
      { expect: { json: 'body.ready == true' } },
      'ServiceUnavailable',
      false,
      /but not: body\.ready == true/,
    ],
    [
      'nothing to keep',
      [200, { a: 1 }],
      { extract: { b: '/b' } },
      'RequestRefused',
      true,
      /has nothing at '\/b', which 'extract\.b' asks for/,
    ],
  ] as const) {
    it(`fails: ${name}`, async () => {
      answers = { '/x': answer };
      const error = await failureOf(run({ path: '/x', ...(more as JsonObject) }));
      assert.deepEqual([error.type, error.nonRetryable === true], [type, isFinal]);
      assert.match(error.message, message);
      assert.doesNotMatch(error.message, /word/);
      if (name === 'too much') assert.equal(error.nextRetryDelay, 7_000);
    });
  }

  it('a server that is not there is tried again', async () => {
    const error = await failureOf(
      runTask(http, { params: { path: '/x' }, environment: { SLUICE_CONN_HTTP_DEFAULT: 'http://127.0.0.1:1' } }),
    );
    assert.deepEqual([error.type, error.nonRetryable === true], ['ServiceUnavailable', false]);
  });

  for (const [pointer, value] of [
    ['', { 'a/b': [{ '~': 1 }] }],
    ['/a~1b/0/~0', 1],
    ['/a~1b/1', undefined],
    ['/toString', undefined],
    ['/a~1b/length', undefined],
  ] as const) {
    it(`the pointer '${pointer}'`, () => {
      assert.deepEqual(atPointer({ 'a/b': [{ '~': 1 }] }, pointer), value);
    });
  }
});

describe('an http task in YAML', () => {
  for (const [keys, mistake] of [
    ['{body: {a: 1}, form: {a: 1}}', /'body' or 'form', not both/],
    ['{body: {a: 1}, headers: {Content-Type: application/x-www-form-urlencoded}}', /'body' that is not text is sent as JSON/],
    [
      '{form: {a: 1}, headers: {content-type: application/json}}',
      /'form' is sent as application\/x-www-form-urlencoded, not as application\/json/,
    ],
    ['{form: {a: [1]}}', /form/],
    ['{headers: {"a b": c}}', /'a b' cannot be the name of a header/],
    ['{headers: {a: "b\\nc"}}', /a character that HTTP does not allow/],
    ['{headers: {Content-Length: "3"}}', /Sluice sets the header 'Content-Length' itself/],
    ['{timeout: 300}', /timeout/],
    ['{body: "<a/>", headers: {content-type: text/xml}}', undefined],
    ['{body: {a: 1}, headers: {content-type: application/problem+json; charset=utf-8}}', undefined],
    ['{body: {a: 1}, headers: {content-type: "{{ params.type }}"}}', undefined],
    ['{timeout: 5m, form: {a: 1, b: true, c: "{{ ds }}"}}', undefined],
  ] as const) {
    it(`${keys}: ${mistake ? 'refused' : 'good'}`, () => {
      const text = `dag_id: x\nparams: {type: application/json}\ntasks:\n  - {name: a, type: http, method: POST, path: /x, ${keys.slice(1)}\n`;
      const errors = compiler
        .compile({ file: 'x.yaml', text })
        .diagnostics.filter(({ severity }) => severity === 'error')
        .map(({ message }) => message);
      if (mistake) assert.match(errors.join('\n'), mistake);
      else assert.deepEqual(errors, []);
    });
  }
});

describe('retry-after', () => {
  const now = Date.parse('2026-11-28T06:00:00Z');
  for (const [value, ms] of [
    ['7', 7_000],
    ['Sat, 28 Nov 2026 06:00:30 GMT', 30_000],
    ['Sat, 28 Nov 2026 05:00:00 GMT', undefined],
    ['86400', 3_600_000],
    ['Wed, 01 Jan 2031 00:00:00 GMT', 3_600_000],
    ['99999999999999999999', 3_600_000],
    ['0', undefined],
    ['-5', undefined],
    ['soon', undefined],
    ['', undefined],
    [undefined, undefined],
  ] as const) {
    it(`'${value}'`, () => assert.equal(retryAfterMs(value, now), ms));
  }
});
