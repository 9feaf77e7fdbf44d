import Type from 'typebox';
import { callHttp } from '../lib/http.ts';
import { expression, text } from '../lib/schema-fields.ts';
import { defineTask } from './define-task.ts';
import { notYet } from './errors.ts';
import { httpFailure } from './http/http-failure.ts';
import { WAIT_DEFAULTS, WAIT_KEYS } from './wait-keys.ts';

/** Waits for an answer. */
export const waitForHttp = defineTask({
  type: 'wait_for_http',
  description: 'Waits until an HTTP service answers as wanted; waiting holds no worker.',
  summary: ({ path }) => path,
  params: Type.Object({
    path: text('Path', 'Under the address of the connection.', '/health', { template: 'url' }),
    until: Type.Optional(
      expression('Until', 'A condition over the answer, as body. Default: any answer of 200 to 299.', 'body.ready == true', ['body']),
    ),
    ...WAIT_KEYS,
  }),
  result: Type.Object({ status: Type.Integer(), body: Type.Unknown() }),
  connections: { service: { key: 'connection', default: 'http_default', types: ['http'], description: 'The service.' } },
  waits: true,
  defaults: WAIT_DEFAULTS,
  example: { name: 'wait_for_service', type: 'wait_for_http', path: '/health', timeout: '10m' },
  async run(context, { path, until }) {
    const { service } = context.connections;
    const { status, body } = await callHttp(service, { path, signal: context.signal }).catch((error: unknown) => {
      throw httpFailure(error, service, path);
    });
    if (status < 200 || status > 299) throw notYet(`${service.url} answers ${path} with ${status}.`);
    if (until !== undefined && !context.holds(until, { body })) throw notYet(`${service.url} answers ${path}, but not yet: ${until}.`);
    return { status, body };
  },
});
