import Type from 'typebox';
import { count, text } from '../lib/schema-fields.ts';
import { defineTask } from './define-task.ts';
import { routeMistakes } from './camel/route-mistakes.ts';
import type { RouteResult } from './camel/run-route.ts';
import { bucketName, DatasetReferenceSchema } from './support/dataset/parameters.ts';
import { minRows } from './support/dataset/min-rows.ts';

/** Runs a route of Apache Camel once. */
export const camelRoute = defineTask({
  type: 'camel_route',
  description:
    'Runs a route of Apache Camel on the worker until it is idle, for protocols that no other task type speaks. Files that it writes to the folder `{{output}}` ' +
    'are the result. A failed exchange fails the task. A route is a program: it may do what its components can. A cancelled task ends it; a worker that is killed may leave it behind.',
  summary: ({ route, s3_bucket: bucket }) => `${route} → s3://${bucket}`,
  params: Type.Object({
    route: Type.String({
      pattern: '^[a-z][a-z0-9_-]*$',
      form: 'a name of lowercase letters, digits, - and _, without .yaml',
      title: 'Route',
      description: "A file of the project's folder routes/, without .yaml, in Camel's YAML. It becomes part of the plan.",
      examples: ['legacy_inventory'],
      template: 'none',
      holds: 'definition',
    }),
    definition: Type.Optional(
      text('Definition', 'The text of the file: filled in when the pipeline is compiled, never written in it.', '- route: …', {
        template: 'prose',
      }),
    ),
    placeholders: Type.Optional(
      Type.Record(
        Type.String({ pattern: '^[a-z][a-z0-9_]*$' }),
        // They become part of addresses, where these characters would begin options and placeholders, Camel decodes %3F to one of them, and
        // `..` leads out of the folder that the route names.
        Type.String({
          pattern: '^(?!(?:.*/)?\\.\\.(?:/|$))[^\\u0000-\\u001f{}?&#%]*$',
          form: 'text without line breaks, { } ? & # % and parts ..',
        }),
        {
          additionalProperties: false,
          title: 'Placeholders',
          description: 'Values for the placeholders of the route: `{{day}}`.',
          examples: [{ day: '{{ ds }}' }],
        },
      ),
    ),
    s3_bucket: bucketName('The bucket for the files of the route.'),
    idle: Type.Optional(count('Idle', 'The route ends after this many seconds without an exchange. Default: 3.', 10)),
    min_exchanges: Type.Optional(count('Fewest exchanges', 'The task fails when the route has completed fewer. Default: 1.', 1, 0)),
    min_rows: minRows,
  }),
  mistakes: routeMistakes,
  result: Type.Unsafe<RouteResult>({
    ...DatasetReferenceSchema,
    properties: {
      ...(DatasetReferenceSchema as unknown as { readonly properties: object }).properties,
      exchanges: Type.Integer({ minimum: 0, description: 'Exchanges that the route has completed.' }),
    },
  }),
  ownsEffects: true,
  connections: {
    camel: { key: 'camel_conn_id', default: 'camel_default', types: ['camel'], description: 'The Camel that runs the route.' },
    storage: { key: 'aws_conn_id', default: 'aws_default', types: ['aws'], description: 'Where the files go.' },
  },
  data: { writes: { bucketKey: 's3_bucket' } },
  example: {
    name: 'pick_up_inventory',
    type: 'camel_route',
    route: 'legacy_inventory',
    s3_bucket: 'raw-data',
    placeholders: { inbox: '/srv/legacy', day: '{{ ds_nodash }}' },
  },
  run: async (context, params) => (await import('./camel/run-route.ts')).runRoute(context, params),
});
