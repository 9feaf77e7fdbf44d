import Type from 'typebox';
import { callHttp } from '../lib/http.ts';
import { duration, condition, text } from '../lib/schema-fields.ts';
import { defineTask } from './define-task.ts';
import { notYet, orNotYet } from './run/errors.ts';
import { httpFailure, limitOf, refusal, shownBody } from './http/http-failure.ts';
import { WAIT_DEFAULTS, WAIT_KEYS } from './run/wait-keys.ts';

/** Waits for an answer. */
export const waitForHttp = defineTask({
  type: 'wait_for_http',
  description: 'Waits until an HTTP service answers as wanted; waiting holds no worker.',
  summary: ({ path }) => path,
  params: Type.Object({
    path: text('Path', 'Under the address of the connection.', '/health', { template: 'url', format: 'path' }),
    until: Type.Optional(
      condition('Until', 'A condition over the answer, as body. Default: any answer of 200 to 299.', 'body.ready == true', ['body']),
    ),
    request_timeout: Type.Optional(duration('Request timeout', 'How long one answer may take. Default: 60s.', '2m')),
    ...WAIT_KEYS,
  }),
  result: Type.Object({ status: Type.Integer(), body: Type.Unknown() }),
  connections: {
    service: { key: 'conn_id', formerly: 'connection', default: 'http_default', types: ['http'], description: 'The service.' },
  },
  waits: true,
  defaults: WAIT_DEFAULTS,
  example: { name: 'wait_for_service', type: 'wait_for_http', path: '/health', timeout: '10m' },
  run: (context, { path, until, request_timeout: timeout }) =>
    // A service in maintenance answers with another kind of page, or redirects to one.
    orNotYet(['RequestRefused'], async () => {
      const { service } = context.connections;
      const call = { path, ...limitOf(timeout), signal: context.signal };
      const answer = await callHttp(service, call).catch((error: unknown) => {
        throw httpFailure(error, service, path, { method: 'GET', limitKey: 'request_timeout' });
      });
      const { status, body } = answer;
      if (status < 200 || status > 299) throw notYet(refusal(answer, service, path).message);
      if (until === undefined) return { status, body };
      const said = (condition: string): string => `${service.url} answers ${path}, but not yet: ${condition}.${shownBody(body)}`;
      const holds = await orNotYet(['InvalidParameters'], () => context.holds(until, { body }), said);
      if (!holds) throw notYet(said(until));
      return { status, body };
    }),
});
