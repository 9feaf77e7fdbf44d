import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'mocha';
import { AnswerCache } from '../../activities/http/answer-cache.ts';
import type { HttpResult } from '../../activities/http/send-request.ts';
import { SharedCalls } from '../../activities/http/shared-calls.ts';
import { http } from '../../activities/http.ts';
import { compileYaml } from '../support/compile-yaml.ts';
import { failureOf } from '../support/failure-of.ts';
import { runTask } from '../support/run-task.ts';

/** A service that counts its answers, as a user and a path at a time. */
describe('http tasks that share what one process knows of a service', function () {
  this.timeout('20s');
  let server: Server;
  let host: string;
  let answered = 0;
  /** Status and headers of the next answers by path; default: 200. */
  const faults = new Map<string, [number, Record<string, string>][]>();

  before(async () => {
    server = createServer((request, response) => {
      const { pathname } = new URL(request.url ?? '', 'http://x');
      const [status, headers] = faults.get(pathname)?.shift() ?? [200, {}];
      response.writeHead(status, { 'content-type': 'application/json', ...headers });
      response.end(`{"number": ${++answered}, "price": 0.1234567890123456789}`);
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });

  /** Runs the task of a pipeline, as the compiler plans it. */
  async function run(keys: string, { user = 'ann', options = '' } = {}): Promise<HttpResult> {
    const [task] = compileYaml(`dag_id: x\ntasks:\n  - {name: a, type: http, ${keys}}\n`).tasks;
    const environment = { SLUICE_CONN_HTTP_DEFAULT: `http://${user}:word-of-ann@${host}/${options}` };
    return runTask<HttpResult>(http, { params: task?.params ?? {}, environment });
  }
  const numberOf = async (keys: string, user?: string): Promise<unknown> =>
    ((await run(keys, user === undefined ? {} : { user })).body as { number: unknown }).number;

  it('reuse an answer with the same request only, and exactly', async () => {
    const first = await run('path: /a, cache: 5m');
    assert.deepEqual(await run('path: /a, cache: 1h'), first);
    assert.deepEqual((first.body as { price: unknown }).price, { $number: '0.1234567890123456789' });
    const others = [
      await numberOf('path: /a'),
      await numberOf('path: /a?x=1, cache: 5m'),
      await numberOf('path: /a, cache: 5m, headers: {accept-language: de}'),
      await numberOf('path: /a, cache: 5m, body: {q: 1}'),
      await numberOf('path: /a, cache: 5m', 'bob'),
    ];
    assert.equal(new Set([(first.body as { number: unknown }).number, ...others]).size, 6);
    const german = await numberOf('path: /a, cache: 5m, headers: {accept-language: de}');
    assert.equal(await numberOf('path: /a, cache: 5m, headers: {Accept-Language: de}'), german);
  });

  for (const [name, status, headers] of [
    ['a failure', 500, {}],
    ['a refusal', 404, {}],
    ['an answer with no-store', 200, { 'cache-control': 'private, no-store' }],
    ['an answer with no-cache', 200, { 'cache-control': 'no-cache' }],
    ['an answer that is too old at once', 200, { 'cache-control': 'max-age=0' }],
    ['an answer that varies with everything', 200, { vary: '*' }],
  ] as const) {
    it(`keep nothing of ${name}`, async () => {
      const path = `/${name.replaceAll(' ', '-')}`;
      faults.set(path, [[status, headers]]);
      if (status === 200) await run(`path: ${path}, cache: 5m`);
      else assert.match((await failureOf(run(`path: ${path}, cache: 5m`))).message, new RegExp(String(status)));
      assert.equal(await numberOf(`path: ${path}, cache: 5m`), answered);
      assert.equal(await numberOf(`path: ${path}, cache: 5m`), answered, 'the second answer is kept');
    });
  }

  it('ask again where a kept answer is not the expected one', async () => {
    const first = await numberOf('path: /ready, cache: 5m');
    assert.equal(await numberOf(`path: /ready, cache: 5m, expect: {json: body.number > ${String(first)}}`), answered);
    assert.ok(answered > Number(first));
  });

  it('send equal requests of one moment once, and share their failure', async () => {
    const together = (keys: string): Promise<unknown[]> =>
      Promise.all(Array.from({ length: 5 }, () => numberOf(keys).catch(() => 'failed')));
    assert.equal(new Set(await together('path: /same, cache: 5m')).size, 1);
    assert.equal(new Set(await together('path: /same-without-cache')).size, 5);
    const before = answered;
    faults.set('/same-failure', [[500, {}]]);
    assert.deepEqual(
      await together('path: /same-failure, cache: 5m'),
      Array.from({ length: 5 }, () => 'failed'),
    );
    assert.equal(answered, before + 1);
    assert.equal(await numberOf('path: /same-failure, cache: 5m'), before + 2);
  });

  it('do not end the request of another task when one is cancelled', async () => {
    const calls = new SharedCalls<string>();
    const [first, second, third] = [new AbortController(), new AbortController(), new AbortController()];
    let finish: (answer: string) => void = assert.fail;
    const signals: AbortSignal[] = [];
    const send = (signal: AbortSignal): Promise<string> => {
      signals.push(signal);
      return new Promise((resolve) => (finish = resolve));
    };
    const results = [first, second].map(({ signal }) => calls.run('key', signal, send));
    first.abort(new Error('cancelled'));
    await assert.rejects(results[0] ?? Promise.resolve(), /cancelled/);
    assert.deepEqual([signals.length, signals[0]?.aborted], [1, false]);
    finish('the answer');
    assert.equal(await results[1], 'the answer');
    const alone = calls.run('key', third.signal, send);
    third.abort(new Error('cancelled too'));
    await assert.rejects(alone, /cancelled too/);
    assert.deepEqual([signals.length, signals[1]?.aborted], [2, true]);
  });

  it('do not cache a request that changes something', () => {
    assert.throws(
      () => compileYaml('dag_id: x\ntasks: [{name: a, type: http, method: POST, path: /a, cache: 5m}]\n'),
      /Only GET is cached/,
    );
  });

  it('stay below the rate limit of their connection', async () => {
    const startedAt = performance.now();
    const options = '?rate_limit=5/s';
    await Promise.all(Array.from({ length: 6 }, (_, index) => run(`path: /limited/${index}`, { options })));
    assert.ok(performance.now() - startedAt >= 999, 'the sixth request waits for the next second');
  });

  it('pause together when the service refuses one of them', async () => {
    const options = '?rate_limit=1000/s';
    faults.set('/refused', [[429, { 'retry-after': '1' }]]);
    const startedAt = performance.now();
    assert.match((await failureOf(run('path: /refused', { options }))).message, /429/);
    const order: string[] = [];
    const ended = ['ann', 'bob'].map(async (user) => {
      await run('path: /other', { options, user });
      order.push(user);
    });
    await Promise.all(ended);
    assert.ok(performance.now() - startedAt >= 999, 'the next request waits for the end of the pause');
    assert.deepEqual(order, ['bob', 'ann'], 'another user does not wait');
  });

  it('refuse a rate limit that cannot be read', async () => {
    const error = await failureOf(run('path: /a', { options: '?rate_limit=1000/min' }));
    assert.match(error.message, /'rate_limit' must be requests per s, m or h, such as 1000\/m/);
  });

  it('keep a bounded number of answers, the latest read ones, and none forever', () => {
    let now = 0;
    const cache = new AnswerCache(1_000, () => now);
    const answer = { status: 200, headers: {}, body: 'x'.repeat(300) };
    for (const key of ['a', 'b']) cache.set(key, answer, 60_000);
    assert.ok(cache.get('a'));
    cache.set('c', answer, 120_000);
    assert.deepEqual([cache.get('a') !== undefined, cache.get('b'), cache.get('c')?.body], [true, undefined, answer.body]);
    cache.set('huge', { ...answer, body: 'x'.repeat(1_000) }, 60_000);
    assert.deepEqual([cache.get('huge'), cache.get('a') !== undefined], [undefined, true]);
    now = 60_000;
    assert.deepEqual([cache.get('a'), cache.get('c')?.status], [undefined, 200]);
  });
});
