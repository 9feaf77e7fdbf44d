import Type from 'typebox';
import { choice, count, duration, condition, flag, map, text } from '../lib/schema-fields.ts';
import { defineTask } from './define-task.ts';
import { sendRequests, type HttpParams } from './http/send-request.ts';
import { requestMistakes, type RequestParams } from './http/request-mistakes.ts';
import type { Json } from '../workflows/plan/values/json.ts';

/** Calls an HTTP service. */
export const http = defineTask({
  type: 'http',
  description: 'Calls an HTTP service.',
  summary: ({ method, path }) => `${method ?? 'GET'} ${path}`,
  params: Type.Object({
    method: Type.Optional(choice('Method', 'Default: GET.', ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'])),
    path: text('Path', 'Under the address of the connection.', '/models/reload', { template: 'url', format: 'path' }),
    headers: Type.Optional(
      Type.Record(Type.String(), Type.String(), {
        title: 'Headers',
        description: 'Sent with it.',
        examples: [{ accept: 'application/json' }],
      }),
    ),
    body: Type.Optional(
      Type.Unknown({
        title: 'Body',
        description: 'Sent as JSON; a text as it is where headers give it another content-type.',
        examples: [{ model: 'recommendations' }],
      }),
    ),
    form: Type.Optional(
      Type.Record(Type.String(), Type.Unsafe<Json>(Type.Unknown()), {
        title: 'Form',
        description: 'Sent as application/x-www-form-urlencoded in place of a body, as token endpoints want it.',
        examples: [{ grant_type: 'client_credentials' }],
      }),
    ),
    timeout: Type.Optional(
      duration(
        'Timeout',
        'How long one answer may take. Default: 60s. POST and PATCH are not repeated when it is over: RequestTimedOut.',
        '5m',
      ),
    ),
    cache: Type.Optional(
      duration(
        'Cache',
        'How long an answer to GET may be reused by tasks of the same worker that send the same request, retries included; for less time if its ' +
          'cache-control is shorter. Failures are not kept. Default: not at all.',
        '5m',
      ),
    ),
    expect: Type.Optional(
      map(
        'Expect',
        'What counts as an answer.',
        { status: [200] },
        {
          status: Type.Optional(
            Type.Array(Type.Integer(), {
              title: 'Status',
              description: 'The codes that are right; a redirect that is named here is not followed. Default: 200 to 299.',
              examples: [[200, 202]],
            }),
          ),
          json: Type.Optional(condition('JSON', 'A condition over the answer, as body.', 'body.ready == true', ['body'])),
        },
      ),
    ),
    extract: Type.Optional(
      Type.Record(Type.String(), Type.String(), {
        title: 'Extract',
        description: 'What is kept of the answer: name → JSON pointer.',
        examples: [{ version: '/model/version' }],
      }),
    ),
    idempotency_key: Type.Optional(flag('Idempotency key', 'Whether to send an idempotency key as a header. Default: true.', true)),
    pagination: Type.Optional(
      map(
        'Pagination',
        'How further pages are found. They are asked for by GET; the body of a GET is sent again.',
        { next: '/next', max_pages: 100 },
        {
          next: text('Next', 'JSON pointer to the address of the next page.', '/next'),
          max_pages: Type.Optional(count('At most', 'Maximum number of pages. Default: 100.', 100)),
        },
      ),
    ),
  }),
  mistakes: (params) => requestMistakes(params as RequestParams),
  result: Type.Object({
    status: Type.Integer(),
    body: Type.Unsafe<Json>(Type.Unknown()),
    extracted: Type.Unsafe<Readonly<Record<string, Json>>>(Type.Record(Type.String(), Type.Unknown())),
    pages: Type.Integer(),
  }),
  ownsEffects: true,
  connections: {
    service: { key: 'conn_id', formerly: 'connection', default: 'http_default', types: ['http'], description: 'The service.' },
  },
  example: { name: 'reload_model', type: 'http', conn_id: 'recommendation_service', method: 'POST', path: '/models/reload' },
  run: (context, params) => sendRequests(context, context.connections.service, params as HttpParams),
});
