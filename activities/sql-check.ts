import Type from 'typebox';
import { map, text } from '../lib/schema-fields.ts';
import { declareTask } from './define-task.ts';

/** Checks values in a database. */
export const sqlCheck = declareTask({
  type: 'sql_check',
  runtime: 'planned',
  description: 'Fails when values in a database are not what they must be.',
  summary: ({ checks }) => checks.map(({ name }) => name).join(', '),
  params: Type.Object({
    checks: Type.Array(
      map(
        'Check',
        'One value that is looked at, and what it must be.',
        { name: 'has_rows', sql: 'SELECT count(*) FROM orders', min: 1 },
        {
          name: text('Name', 'What messages call it.', 'has_rows'),
          sql: text('SQL', 'A SELECT of one value.', 'SELECT count(*) FROM orders', { template: 'sql' }),
          equals: Type.Optional(
            Type.Union([Type.Number(), Type.String()], { title: 'Equals', description: 'What it must be.', examples: [0] }),
          ),
          min: Type.Optional(Type.Number({ title: 'At least', description: 'The least that is allowed.', examples: [1] })),
          max: Type.Optional(Type.Number({ title: 'At most', description: 'The most that is allowed.', examples: [100] })),
          between: Type.Optional(
            Type.Array(Type.Number(), {
              minItems: 2,
              maxItems: 2,
              title: 'Between',
              description: 'The least and the most that are allowed.',
              examples: [[1, 100]],
            }),
          ),
          tolerance: Type.Optional(text('Tolerance', 'How far off it may be.', '0.1%')),
        },
      ),
      {
        minItems: 1,
        title: 'Checks',
        description: 'What must hold.',
        examples: [[{ name: 'has_rows', sql: 'SELECT count(*) FROM orders', min: 1 }]],
      },
    ),
  }),
  result: Type.Object({
    passed: Type.Integer(),
    failed: Type.Integer(),
    checks: Type.Array(Type.Object({ name: Type.String(), ok: Type.Boolean(), value: Type.Unknown() })),
  }),
  connections: { database: { key: 'conn_id', default: 'postgres_default', types: ['postgres', 'redshift'], description: 'The database.' } },
  example: { name: 'check_orders', type: 'sql_check', checks: [{ name: 'has_rows', sql: 'SELECT count(*) FROM orders', min: 1 }] },
});
