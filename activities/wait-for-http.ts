import Type from 'typebox';
import { expression, text } from '../lib/schema-fields.ts';
import { declareTask } from './define-task.ts';
import { WAIT_KEYS } from './wait-keys.ts';

/** Waits for an answer. */
export const waitForHttp = declareTask({
  type: 'wait_for_http',
  runtime: 'planned',
  description: 'Waits until an HTTP service answers as wanted; waiting holds no worker.',
  summary: ({ path }) => path,
  params: Type.Object({
    connection: Type.Optional(text('Connection', 'The service. Default: http_default.', 'http_default', { template: 'none' })),
    path: text('Path', 'Under the address of the connection.', '/health', { template: 'url' }),
    until: Type.Optional(
      expression('Until', 'A condition over the answer, as body. Default: any answer of 200 to 299.', 'body.ready == true', ['body']),
    ),
    ...WAIT_KEYS,
  }),
  result: Type.Object({ status: Type.Integer(), body: Type.Unknown() }),
  connections: {},
  example: { name: 'wait_for_service', type: 'wait_for_http', path: '/health', timeout: '10m' },
});
