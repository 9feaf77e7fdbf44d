import assert from 'node:assert/strict';
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { CATALOG } from '../../../activities/catalog.ts';
import { http } from '../../../activities/http.ts';
import type { HttpResult } from '../../../activities/http/send-request.ts';
import { type Compilation, Compiler } from '../../../compiler/compile.ts';
import { loadPipelines } from '../../../compiler/read/load-pipelines.ts';
import { ROOT } from '../../../lib/environment.ts';
import type { JsonObject } from '../../../workflows/plan/values/json.ts';
import { failureOf } from '../../support/failure-of.ts';
import { runTask } from '../../support/run-task.ts';

/** As FastAPI writes it: 3.1, with `anyOf` for optional values, `$ref`, and a schema that contains itself. */
const DOCUMENT = {
  openapi: '3.1.0',
  info: { title: 'Users', version: '1' },
  paths: {
    '/users/{user_id}/preferences': {
      parameters: [{ name: 'user_id', in: 'path', required: true, schema: { type: 'integer', minimum: 1 } }],
      get: {
        operationId: 'getUserPreferences',
        parameters: [
          { name: 'tags', in: 'query', schema: { type: 'array', items: { type: 'string' } } },
          { name: 'detail', in: 'query', schema: { anyOf: [{ type: 'string', enum: ['short', 'full'] }, { type: 'null' }] } },
          { name: 'x-segment', in: 'header', schema: { type: 'string' } },
        ],
        responses: { 200: { content: { 'application/json': { schema: { $ref: '#/components/schemas/Preferences' } } } } },
      },
      put: {
        operationId: 'setUserPreferences',
        requestBody: { required: true, content: { 'application/json': { schema: { $ref: '#/components/schemas/Change' } } } },
        responses: { 204: { description: 'done' } },
      },
    },
    '/upload': { post: { operationId: 'upload', requestBody: { content: { 'multipart/form-data': {} } }, responses: {} } },
    '/odd': { get: { operationId: 'odd', parameters: [{ name: 'f', in: 'query', style: 'deepObject', schema: { type: 'object' } }] } },
    '/not': { get: { operationId: 'not', parameters: [{ name: 'f', in: 'query', schema: { not: { type: 'string' } } }] } },
    '/cookie': { get: { operationId: 'cookie', parameters: [{ name: 'f', in: 'cookie', schema: { type: 'string' } }] } },
    '/lost/{id}': { get: { operationId: 'lost', responses: {} } },
  },
  components: {
    schemas: {
      Preferences: {
        type: 'object',
        required: ['language', 'score'],
        properties: {
          language: { type: 'string', title: 'Language' },
          score: { type: 'number' },
          limits: { type: 'object', properties: { views: { type: 'integer' } } },
          friends: { type: 'array', items: { $ref: '#/components/schemas/Preferences' } },
        },
      },
      Base: { type: 'object', required: ['language'], properties: { language: { type: 'string', enum: ['de', 'en'] } } },
      Change: {
        allOf: [{ $ref: '#/components/schemas/Base' }, { type: 'object', properties: { score: { type: 'number', maximum: 1 } } }],
      },
    },
  },
};

describe('http tasks from an OpenAPI document', function () {
  this.timeout('20s');
  let folder: string;
  let server: Server;
  let url: string;
  let seen: { call: string; segment: unknown; body: string }[] = [];
  let answer: readonly [type: string, body: string];

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sluice-openapi-'));
    await writeFile(join(folder, 'users.json'), JSON.stringify(DOCUMENT));
    await copyFile(join(ROOT, 'test', 'fixtures', 'fastapi-users.json'), join(folder, 'fastapi.json'));
    await writeFile(join(folder, 'old.json'), '{"swagger": "2.0"}');
    await writeFile(join(folder, 'broken.json'), '{"openapi": ');
    server = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        seen.push({ call: `${request.method} ${request.url}`, segment: request.headers['x-segment'], body });
        response.writeHead(200, { 'content-type': answer[0] }).end(answer[1]);
      });
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
  });
  after(async () => {
    server.closeAllConnections();
    server.close();
    await rm(folder, { recursive: true });
  });

  /** Compiles tasks of a file beside the document; the first one calls the service. */
  async function compile(task: string, others = ''): Promise<Compilation> {
    const text = `dag_id: x\nparams: {user: 7, name: ann, note: {type: string, default: hi}}\ntasks:\n  - {name: call, type: http, ${task}}\n${others}`;
    await writeFile(join(folder, 'x.yaml'), text);
    const [compilation] = new Compiler(CATALOG).compileAll(await loadPipelines(join(folder, 'x.yaml')));
    return compilation ?? assert.fail('not loaded');
  }
  const GET = 'openapi: users.json, operation: getUserPreferences';
  const PUT = 'openapi: users.json, operation: setUserPreferences, parameters: {user_id: 7}';

  for (const [task, mistakes] of [
    [`${GET}, parameters: {user_id: 7, tags: [a, b], detail: full, x-segment: "{{ params.name }}"}`, []],
    [`${GET}, parameters: {user_id: "{{ params.user }}"}`, []],
    [`${PUT}, body: {language: de, score: 0.5}`, []],
    [`${GET}, parameters: {user_id: 7, tag: [a]}`, ["SL201 4:107 Unknown key 'tag' in 'parameters'. (did you mean 'tags'?)"]],
    [`${GET}, parameters: {user_id: abc}`, ["SL203 'user_id' must be a whole number, not 'abc'."]],
    [`${GET}, parameters: {user_id: 0}`, ["SL206 'user_id' must be at least 1; given: '0'."]],
    [`${GET}, parameters: {user_id: "{{ params.name }}"}`, ["SL503 'user_id' must be a whole number, but this is text."]],
    [`${GET}`, [/SL202 'parameters' is missing in this task/]],
    [`${GET}, parameters: {tags: [a]}`, [/SL202 'user_id' is missing/]],
    [`${GET}, parameters: {user_id: 7, detail: long}`, [/SL20\d 'detail' .*long/]],
    [`${PUT}, body: {language: fr}`, ["SL204 'language' is 'fr'; allowed: de, en."]],
    [`${PUT}, body: {language: de, scores: 1}`, ["SL201 Unknown key 'scores' in 'body'. (did you mean 'score'?)"]],
    [`${PUT}`, [/SL202 'body' is missing in this task/]],
    [`${GET}, parameters: {user_id: 7}, body: {a: 1}`, [/SL208 The operation 'getUserPreferences' has no body/]],
    [`${GET}, parameters: {user_id: 7}, method: POST`, [/SL208 'method' follows from the operation/]],
    [`${GET}, parameters: {user_id: 7}, path: /x`, [/SL208 '(path|operation)' and '(path|operation)' exclude each other/]],
    [`${PUT}, body: {language: de}, cache: 5m`, [/SL208 Only GET is cached/]],
    ['path: /x, parameters: {a: 1}', [/SL208 'parameters' needs 'openapi' and 'operation'/]],
    [
      'openapi: users.json, operation: getUserPreference',
      [/SL115 .*has no operation 'getUserPreference'\. \(did you mean 'getUserPreferences'\?\)/],
    ],
    ['openapi: user.json, operation: x', [/SL113 File .*user\.json' does not exist\. \(did you mean 'users\.json'\?\)/]],
    ['openapi: old.json, operation: x', [/SL115 .*it is Swagger 2\.0\. \(convert it to OpenAPI 3\)/]],
    ['openapi: broken.json, operation: x', [/SL115 .*is not valid YAML or JSON/]],
    ['openapi: users.json', [/SL208 'openapi' needs 'operation'/]],
    ['operation: x', [/SL208 'operation' needs 'openapi'/]],
    ['openapi: users.json, operation: "{{ params.name }}"', [/SL508 'operation' does not accept expressions/]],
    ['openapi: users.json, operation: upload', [/SL115 .*its body is multipart\/form-data, not JSON/]],
    ['openapi: users.json, operation: odd', [/SL115 .*its parameter 'f' has the style 'deepObject'/]],
    ['openapi: users.json, operation: not', [/SL115 .*a schema uses `not`/]],
    ['openapi: users.json, operation: cookie', [/SL115 .*its parameter 'f' is in 'cookie', not in path, query or header/]],
    ['openapi: users.json, operation: lost', [/SL115 .*its path \/lost\/\{id\} has '\{id\}', which is not among its parameters/]],
  ] as const) {
    it(`${task}: ${mistakes.length === 0 ? 'good' : 'refused'}`, async () => {
      const { diagnostics, plan } = await compile(task);
      const shown = diagnostics.map(({ code, message, hint, line, column }) => ({
        short: `${code} ${message}${hint === undefined ? '' : ` (${hint})`}`,
        placed: `${code} ${line}:${column} ${message}${hint === undefined ? '' : ` (${hint})`}`,
      }));
      assert.equal(shown.length, mistakes.length, JSON.stringify(shown));
      for (const [index, mistake] of mistakes.entries()) {
        const { short = '', placed = '' } = shown[index] ?? {};
        if (mistake instanceof RegExp) assert.match(short, mistake);
        else assert.equal(/^SL\d+ \d/.test(mistake) ? placed : short, mistake);
      }
      assert.equal(plan !== undefined, mistakes.length === 0);
    });
  }

  for (const [task, mistake] of [
    ['operation: getUserPreferences, parameters: {user_id: 7, detail: gold}', undefined],
    [
      'operation: setUserPreferences, parameters: {user_id: 7}, body: {language: de, tier: gold, limits: {views: 1, price: "0.1"}}',
      undefined,
    ],
    ['operation: create_order_orders_post, body: [{views: 1, price: 2}, silver]', undefined],
    [
      'operation: setUserPreferences, parameters: {user_id: 7}, body: {language: de, tier: golden}',
      /'tier' is 'golden'; allowed: gold, silver/,
    ],
  ] as const) {
    it(`reads the document that FastAPI 0.165 writes: ${task}`, async () => {
      const { diagnostics } = await compile(`openapi: fastapi.json, ${task}`);
      const shown = diagnostics.map(({ message }) => message).join('\n');
      if (mistake) assert.match(shown, mistake);
      else assert.equal(shown, '');
    });
  }

  for (const [expression, mistake] of [
    ['outputs.call.body.language', undefined],
    ['outputs.call.body.limits.views + 1', undefined],
    ['outputs.call.body.friends[0].friends[0].language', undefined],
    ['outputs.call.body.langauge', /SL506 .*no 'body\.langauge'.*did you mean 'language'/],
    ['outputs.call.body.limits.view', /SL506 .*no 'body\.limits\.view'.*did you mean 'views'/],
    ['outputs.call.body.language + 1', /SL503 '\+' does not work between text and a whole number/],
  ] as const) {
    it(`types the answer: ${expression}`, async () => {
      const { diagnostics } = await compile(
        `${GET}, parameters: {user_id: 7}`,
        `  - {name: next, type: http, path: /x, body: {a: "{{ ${expression} }}"}}\n`,
      );
      const shown = diagnostics.map(({ code, message, hint = '' }) => `${code} ${message} ${hint}`).join('\n');
      if (mistake) assert.match(shown, mistake);
      else assert.equal(shown, '');
    });
  }

  /** Runs the first task of a file with parameters as expressions have given them. */
  async function run(task: string, given: JsonObject = {}): Promise<HttpResult> {
    const { plan, diagnostics } = await compile(task);
    assert.ok(plan, JSON.stringify(diagnostics));
    const params = { ...plan.tasks[0]?.params, ...given };
    return runTask<HttpResult>(http, { params, environment: { SLUICE_CONN_HTTP_DEFAULT: url } });
  }

  it('sends method, path, query, header and body as the document says', async () => {
    seen = [];
    answer = ['application/json', '{"language": "de", "score": 0.5, "more": 1}'];
    const { body } = await run(`${GET}, parameters: {user_id: 7, tags: ["a b", "ü&c"], x-segment: gold}`);
    assert.deepEqual(body, { language: 'de', score: 0.5, more: 1 });
    await run(`${GET}, parameters: {user_id: 7}`, { parameters: { user_id: { $number: '9007199254740993' }, detail: null } });
    answer = ['application/json', ''];
    await run(`${PUT}, body: {language: de}`);
    assert.deepEqual(seen, [
      { call: 'GET /v1/users/7/preferences?tags=a%20b&tags=%C3%BC%26c', segment: 'gold', body: '' },
      { call: 'GET /v1/users/9007199254740993/preferences', segment: undefined, body: '' },
      { call: 'PUT /v1/users/7/preferences', segment: undefined, body: '{"language":"de"}' },
    ]);
  });

  for (const [name, given, content, message] of [
    ['values of a run that do not fit', { parameters: { user_id: 'abc' } }, '{}', /parameters\.user_id: must be integer/],
    [
      'an answer that is not as described',
      {},
      '{"language": 5}',
      /not what the operation 'getUserPreferences' describes: .*body: must have required property 'score'.*body\.language: must be string/,
    ],
    [
      'a page in place of an answer',
      {},
      '<html><title>Maintenance</title></html>',
      /not what the operation 'getUserPreferences' describes: body: must be object.*a page, 'Maintenance'/,
    ],
  ] as const) {
    it(`refuses ${name}`, async () => {
      answer = [content.startsWith('<') ? 'text/html' : 'application/json', content];
      const error = await failureOf(run(`${GET}, parameters: {user_id: 7}`, given));
      assert.equal(error.nonRetryable, true);
      assert.match(error.message, message);
    });
  }
});
