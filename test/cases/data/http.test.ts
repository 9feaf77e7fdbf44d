import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import type { HttpResult } from '../../../activities/http/send-request.ts';
import type { JsonObject } from '../../../workflows/plan/values/json.ts';
import type { TaskResult } from '../../../workflows/plan/runs/run.ts';
import { type OddService, openOddService } from '../../support/odd-service.ts';
import { createYamlRuns, type YamlRuns } from '../../support/yaml-runs.ts';

/** A call, by its keys in YAML, and what the task comes to: its body, or what it says. */
type Case = readonly [name: string, task: JsonObject, expected: unknown];

describe('http', function () {
  this.timeout('2m');
  let runs: YamlRuns;
  let service: OddService;
  let folder: string;
  /** Cases run side by side; by name. */
  const results = new Map<string, TaskResult | undefined>();

  before(async function () {
    this.timeout('20m');
    folder = await mkdtemp(join(tmpdir(), 'sluice-http-'));
    service = await openOddService(folder);
    const withToken = (url: string, more = ''): string => `${url}/?token=secret-token${more}`;
    runs = await createYamlRuns({
      parts: ['temporal', 'postgres'],
      environment: {
        SLUICE_CONN_HTTP_DEFAULT: withToken(service.url),
        SLUICE_CONN_SELF_SIGNED: withToken(service.tlsUrl),
        SLUICE_CONN_TRUSTED: withToken(service.tlsUrl, `&ca_file=${service.caFile}`),
        SLUICE_CONN_NO_CA: withToken(service.tlsUrl, '&ca_file=/there/is/none.pem'),
        SLUICE_CONN_NOBODY: 'http://127.0.0.1:1',
      },
    });
    await runAll([...ANSWERS, ...REQUESTS, ...REDIRECTS, ...FAILURES]);
  });
  after(async () => {
    await runs.close();
    service.close();
    await rm(folder, { recursive: true });
  });

  /** All cases as tasks of one run, at once. */
  async function runAll(cases: readonly Case[]): Promise<void> {
    const tasks = cases.map(([, task], index) => ({ name: `t${index}`, type: 'http', depends_on: [], retries: 0, ...task }));
    const { tasks: ended } = await runs.run(`dag_id: hr_http\nschedule_interval: null\ntasks: ${JSON.stringify(tasks)}\n`);
    for (const [index, [name]] of cases.entries()) results.set(name, ended[`t${index}`]);
  }

  function check([name, , expected]: Case): void {
    it(name, () => {
      const result = results.get(name);
      if (expected instanceof RegExp) {
        assert.equal(result?.state, 'failed', JSON.stringify(result));
        assert.match(result.error ?? '', expected);
        assert.doesNotMatch(result.error ?? '', /secret-token/);
      } else {
        assert.equal(result?.state, 'success', result?.error);
        assert.deepEqual((result.output as unknown as HttpResult).body, expected);
      }
    });
  }

  const MÜLLER = { name: 'Müller' };
  const ANSWERS: readonly Case[] = [
    ['a declared charset is obeyed', { path: '/latin1' }, MÜLLER],
    ['a charset in quotes', { path: '/latin1-quoted' }, MÜLLER],
    ['windows-1252, which Node takes for ISO-8859-1', { path: '/windows-1252' }, '€ “ü”'],
    ['UTF-16', { path: '/utf-16' }, MÜLLER],
    ['an unknown charset is refused', { path: '/utf-7' }, /charset 'utf-7', which this worker does not know/],
    ['bytes that are not UTF-8 are refused', { path: '/not-utf-8' }, /no charset is declared, and it is not UTF-8/],
    ['a failure is shown as well as it can be read', { path: '/not-utf-8-failure' }, /with 500\. Its answer: f.r sp.ter/],
    ['a byte order mark is no part of JSON', { path: '/bom' }, MÜLLER],
    ['gzip', { path: '/gzip' }, MÜLLER],
    ['deflate', { path: '/deflate' }, MÜLLER],
    ['deflate without its header', { path: '/deflate-raw' }, MÜLLER],
    ['Brotli', { path: '/br' }, MÜLLER],
    ['gzip twice', { path: '/gzip-twice' }, MÜLLER],
    ['gzip that ends early', { path: '/gzip-cut' }, /cannot be decompressed \(gzip\)/],
    ['gzip of too much', { path: '/gzip-bomb' }, /more than 10485760 bytes when it is decompressed/],
    ['an unknown compression', { path: '/zstd' }, /compressed as 'zstd'; Sluice reads gzip, deflate, br/],
    ['application/problem+json', { path: '/problem' }, MÜLLER],
    ['text/json', { path: '/text-json' }, MÜLLER],
    ['JSON as text/plain', { path: '/plain-json' }, MÜLLER],
    ['JSON without a type', { path: '/no-type' }, [1]],
    ['a text that looks like a number', { path: '/plain-number' }, '1.10'],
    ['JSON that is broken is refused', { path: '/broken-json' }, /is not the JSON that its content-type says it is/],
    ['a gzip of nothing', { path: '/empty' }, null],
    ['204', { path: '/204' }, null],
    ['an answer that breaks off', { path: '/cut' }, /broke off before the answer was complete/],
  ];
  describe('reads answers as they say they are', () => ANSWERS.forEach(check));

  const received = (name: string): { method: string; body: string; headers: Record<string, string> } =>
    (results.get(name)?.output as unknown as HttpResult | undefined)?.body as never;
  const REQUESTS: readonly Case[] = [
    ['GET with a body', { path: '/echo', body: { query: { match_all: {} } } }, 'GET {"query":{"match_all":{}}}'],
    ['DELETE with a body', { method: 'DELETE', path: '/echo', body: [1] }, 'DELETE [1]'],
    [
      'a form',
      { method: 'POST', path: '/echo', form: { grant_type: 'client_credentials', n: 7, s: 'a b&c=ü' } },
      'POST grant_type=client_credentials&n=7&s=a+b%26c%3D%C3%BC',
    ],
    [
      'a text with a content type of its own',
      {
        method: 'POST',
        path: '/echo',
        headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
        body: 'grant_type=client_credentials&a=b',
      },
      'POST grant_type=client_credentials&a=b',
    ],
    ['a text as JSON', { method: 'POST', path: '/echo', body: 'a' }, 'POST "a"'],
    ['TLS with the certificate of ca_file', { conn_id: 'trusted', path: '/echo' }, 'GET '],
    ['within its timeout', { path: '/slow', timeout: '10s' }, { done: true }],
  ];
  describe('sends requests as they are written', () => {
    for (const [name, , expected] of REQUESTS) {
      it(name, () => {
        const result = results.get(name);
        assert.equal(result?.state, 'success', result?.error);
        const { method, body } = received(name);
        assert.deepEqual(method === undefined ? (result.output as unknown as HttpResult).body : `${method} ${body}`, expected);
      });
    }

    it('with the content type of what is sent', () => {
      const types = ['GET with a body', 'a form', 'a text with a content type of its own', 'a text as JSON'].map(
        (name) => received(name).headers['content-type'],
      );
      const form = 'application/x-www-form-urlencoded';
      assert.deepEqual(types, ['application/json', form, form, 'application/json']);
    });
  });

  const custom = { 'x-api-key': 'k' };
  const REDIRECTS: readonly Case[] = [
    ...([301, 302, 303] as const).map((status): Case => {
      const expected = new RegExp(
        `POST /${status} of .* is redirected \\(${status}\\) to http.*/echo: it would become a GET without its body`,
      );
      return [`POST is not redirected by ${status}`, { method: 'POST', path: `/${status}`, body: { pay: 100 } }, expected];
    }),
    ['PUT is not redirected by 302', { method: 'PUT', path: '/302', body: 1 }, /PUT \/302 .* is redirected/],
    ['DELETE is not redirected by 301', { method: 'DELETE', path: '/301' }, /DELETE \/301 .* is redirected/],
    ['GET with a body is not redirected by 303', { path: '/303', body: 1 }, /GET without its body/],
    [
      'POST is not redirected to another origin',
      { method: 'POST', path: '/307-other', body: 1 },
      /another origin gets neither the body nor the credentials/,
    ],
    ['GET with a body is not redirected to another origin', { path: '/302-other', body: 1 }, /another origin gets neither/],
    ['a redirect without end', { path: '/loop' }, /redirects \/loop more than 20 times/],
    ['a redirect that is not HTTP', { path: '/302-file' }, /a redirect to another origin is not followed/],
    ['GET is not redirected to another origin', { path: '/302-other', headers: custom }, /a redirect to another origin is not followed/],
    ['a redirect that is expected is the answer', { method: 'POST', path: '/303', expect: { status: [303] } }, null],
    ['304 is not a redirect', { path: '/304', expect: { status: [304] } }, null],
  ];
  describe('follows redirects where nothing is lost by it', () => {
    REDIRECTS.forEach(check);

    before(async () => {
      const get = ['/301', '/302', '/303', '/307', '/308'].map((path): Case => [`GET ${path}`, { path, headers: custom }, undefined]);
      const post = ['/307', '/308'].map((path): Case => [
        `POST ${path}`,
        { method: 'POST', path, body: { pay: 100 }, headers: custom },
        undefined,
      ]);
      await runAll([...get, ...post]);
    });

    for (const name of ['GET /301', 'GET /302', 'GET /303', 'GET /307', 'GET /308', 'POST /307', 'POST /308']) {
      it(`${name}, with method, body and headers`, () => {
        assert.equal(results.get(name)?.state, 'success', results.get(name)?.error);
        const { method, body, headers } = received(name);
        const [expected = ''] = name.split(' ');
        assert.deepEqual(
          [method, body, headers['x-api-key'], headers.authorization],
          // The token is hidden in outputs; the service has got it.
          [expected, expected === 'GET' ? '' : '{"pay":100}', 'k', 'Bearer ***'],
        );
        assert.ok(service.callsOf('/echo').every((call) => call.headers.authorization === 'Bearer secret-token'));
        assert.equal(headers['idempotency-key'] === undefined, expected === 'GET');
      });
    }

    it('and another origin was never asked', () => {
      assert.deepEqual(
        service.seen.filter(({ call }) => call.startsWith('other')),
        [],
      );
    });
  });

  const FAILURES: readonly Case[] = [
    [
      'a self-signed certificate',
      { conn_id: 'self_signed', path: '/echo' },
      /does not trust: self.signed certificate\. Set 'ca_file' of its connection/,
    ],
    [
      'a ca_file that is not there',
      { conn_id: 'no_ca', path: '/echo' },
      /'ca_file' of the connection cannot be read on this worker: ENOENT/,
    ],
    ['nobody there', { conn_id: 'nobody', path: '/x' }, /did not answer \/x: connect ECONNREFUSED 127\.0\.0\.1:1\./],
    [
      'a POST that runs into its limit',
      { method: 'POST', path: '/hang', timeout: '1s', retries: 3, retry_delay: '1s' },
      /did not answer POST \/hang within 1s \('timeout'\)\. It may have carried the request out/,
    ],
    [
      'a GET that runs into its limit',
      { path: '/hang', timeout: '1s', retries: 1, retry_delay: '1s' },
      /did not answer GET \/hang within 1s/,
    ],
  ];
  describe('says why a call fails', () => {
    FAILURES.forEach(check);

    it('and does not send a POST a second time by its own limit, unless it may', async () => {
      const sent = (method: string): number => service.callsOf('/hang').filter(({ call }) => call.startsWith(method)).length;
      assert.deepEqual([sent('POST'), sent('GET')], [1, 2]);
      const allowed = { method: 'POST', path: '/hang', timeout: '1s', retries: 1, retry_delay: '1s' };
      await runAll([['allowed', { ...allowed, retry_policy: [{ on: 'RequestTimedOut', action: 'retry' }] }, undefined]]);
      const keys = service
        .callsOf('/hang')
        .slice(-2)
        .map(({ headers }) => headers['idempotency-key']);
      assert.equal(sent('POST'), 3);
      assert.equal(keys[0], keys[1]);
    });
  });

  it('waits as long as retry-after asks for, in seconds or as a date', async () => {
    const began = Date.now();
    await runAll(['/429-date', '/503-seconds'].map((path) => [path, { path, retries: 1, retry_delay: '10m' }, undefined]));
    assert.deepEqual([results.get('/429-date')?.state, results.get('/503-seconds')?.state], ['success', 'success']);
    assert.ok(Date.now() - began >= 2_900);
    assert.deepEqual([service.callsOf('/429-date').length, service.callsOf('/503-seconds').length], [2, 2]);
  });

  it('keeps numbers exact, from an answer to a body and a form', async () => {
    const tasks = [
      { name: 'call', type: 'http', path: '/big', extract: { id: '/order_id', amount: '/amount', huge: '/huge' } },
      { name: 'check', type: 'http', path: '/big', expect: { json: 'body.order_id == 9007199254740993' } },
      {
        name: 'send',
        type: 'http',
        method: 'POST',
        path: '/echo',
        body: { id: '{{ outputs.call.extracted.id }}', amount: '{{ outputs.call.extracted.amount }}' },
      },
      {
        name: 'form',
        type: 'http',
        method: 'POST',
        path: '/echo',
        form: { id: '{{ outputs.call.extracted.id }}', huge: '{{ outputs.call.extracted.huge }}' },
      },
    ];
    const { state, tasks: ended } = await runs.run(`dag_id: hr_http_big\nschedule_interval: null\ntasks: ${JSON.stringify(tasks)}\n`);
    assert.equal(state, 'success', JSON.stringify(ended));
    assert.deepEqual(
      service
        .callsOf('/echo')
        .slice(-2)
        .map(({ body }) => body),
      ['{"id":9007199254740993,"amount":0.1234567890123456789}', 'id=9007199254740993&huge=1e400'],
    );
  });

  it('asks for further pages by GET, and sends the body of a GET again', async () => {
    const pages = { path: '/page-1', pagination: { next: '/next' } };
    await runAll([
      ['by POST', { ...pages, method: 'POST', body: { q: 1 } }, undefined],
      ['by GET', { ...pages, body: { q: 1 } }, undefined],
    ]);
    assert.deepEqual(
      service
        .callsOf('/page-2')
        .map(({ body }) => body)
        .sort(),
      ['', '{"q":1}'],
    );
  });
});
