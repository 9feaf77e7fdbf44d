import Type from 'typebox';
import { duration, condition, text } from '../lib/schema-fields.ts';
import { defineTrigger } from './define-trigger.ts';
import { cannotReset } from './run/time-cursor.ts';

/** The answer of an HTTP service. */
export const http = defineTrigger({
  type: 'http',
  description: 'Starts runs from what an HTTP service answers.',
  connection: { default: 'http_default', types: ['http'], formerly: 'http_conn_id' },
  params: Type.Object({
    path: text('Path', 'Under the address of the connection.', '/feeds/prices', { format: 'path' }),
    until: Type.Optional(
      condition('Until', 'A condition over the answer, as event; a run starts when it becomes true.', 'event.ready == true'),
    ),
    poke_interval: Type.Optional(duration('Interval', 'How often it asks. Default: 1m.', '1m')),
    timeout: Type.Optional(duration('Timeout', 'How long one answer may take. Default: 60s.', '5m')),
  }),
  event: { meta: { status: 'int' } },
  sensor: {
    run: async (context) => (await import('./http/watch-answer.ts')).watchAnswer(context),
    reset: cannotReset('a service is asked for what it answers now'),
  },
  example: { name: 'prices_ready', type: 'http', path: '/feeds/prices', until: 'event.ready == true' },
});
