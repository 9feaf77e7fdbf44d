import Type from 'typebox';
import { choice, count, duration, condition, flag, map, text } from '../lib/schema-fields.ts';
import { defineTask } from './define-task.ts';
import { sendRequests, type GivenParams } from './http/send-request.ts';
import { isOperation, type Operation } from './http/openapi/operation.ts';
import { operationTypes } from './http/openapi/operation-types.ts';
import { OutsideOfSubset } from './http/openapi/outside-of-subset.ts';
import { readOperation } from './http/openapi/read-operation.ts';
import { requestMistakes, type RequestParams } from './http/request-mistakes.ts';
import type { Json } from '../workflows/plan/values/json.ts';

const RESULT = Type.Object({
  status: Type.Integer(),
  body: Type.Unsafe<Json>(Type.Unknown()),
  extracted: Type.Unsafe<Readonly<Record<string, Json>>>(Type.Record(Type.String(), Type.Unknown())),
  pages: Type.Integer(),
});

/** Calls an HTTP service. */
export const http = defineTask({
  type: 'http',
  description: 'Calls an HTTP service.',
  summary: ({ operation, method = 'GET', path = '' }) =>
    isOperation(operation) ? `${operation.method} ${operation.path}` : `${method} ${path}`,
  params: Type.Object({
    method: Type.Optional(choice('Method', 'Default: GET.', ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'])),
    path: Type.Optional(text('Path', 'Under the address of the connection.', '/models/reload', { template: 'url', format: 'path' })),
    openapi: Type.Optional(
      text(
        'OpenAPI',
        "An OpenAPI 3 document in JSON or YAML: its path from the pipeline's file, within the folder of pipelines.",
        'apis/recommendations.json',
        { template: 'none' },
      ),
    ),
    operation: Type.Optional(
      Type.Unsafe<Operation>(
        Type.Unknown({
          title: 'Operation',
          description: 'An operationId in `openapi`, in place of `method` and `path`. It gives the types of parameters, body and answer.',
          examples: ['getUserPreferences'],
          template: 'none',
        }),
      ),
    ),
    parameters: Type.Optional(
      Type.Record(Type.String(), Type.Unsafe<Json>(Type.Unknown()), {
        title: 'Parameters',
        description: 'The parameters of the operation, in path, query and headers, by name. One that is null is not sent.',
        examples: [{ user_id: 7 }],
      }),
    ),
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
  exactlyOneOf: [['path', 'operation']],
  document: {
    key: 'openapi',
    replaces: 'operation',
    needed: ['parameters'],
    read(document, name) {
      try {
        return { value: readOperation(document, name) as unknown as Json };
      } catch (error) {
        if (!(error instanceof OutsideOfSubset)) throw error;
        return { mistake: error.message, ...(error.hint !== undefined && { hint: error.hint }) };
      }
    },
  },
  narrow: ({ operation, pagination }) => (isOperation(operation) ? operationTypes(operation, RESULT, pagination !== undefined) : undefined),
  mistakes: (params) => requestMistakes(params as RequestParams),
  result: RESULT,
  ownsEffects: true,
  connections: {
    service: { key: 'conn_id', formerly: 'connection', default: 'http_default', types: ['http'], description: 'The service.' },
  },
  example: { name: 'reload_model', type: 'http', conn_id: 'recommendation_service', method: 'POST', path: '/models/reload' },
  run: (context, params) => sendRequests(context, context.connections.service, params as GivenParams),
});
