import Type from 'typebox';
import { defineTask } from './define-task.ts';
import { reconcileMistakes } from './reconcile/mistakes.ts';
import { params } from './reconcile/parameters.ts';
import { labelOf } from './reconcile/side.ts';
import { sideTypes } from './reconcile/sides/side-types.ts';
import type { Reconciliation } from './reconcile/reconcile.ts';

const Text = Type.Union([Type.String(), Type.Null()]);

// Plain JSON Schema with a TypeScript type: the output is readonly, and TypeBox's types are mutable.
const Result = Type.Unsafe<Reconciliation>(
  Type.Object({
    discrepancy: Type.Number(),
    compared: Type.Integer(),
    differing: Type.Integer(),
    changed: Type.Integer(),
    missing: Type.Integer(),
    extra: Type.Integer(),
    report: Text,
    examples: Type.Array(
      Type.Object({
        key: Type.Record(Type.String(), Text),
        column: Type.Optional(Type.String()),
        kind: Type.Union([Type.Literal('changed'), Type.Literal('missing'), Type.Literal('extra')]),
        source: Type.Optional(Text),
        target: Type.Optional(Text),
      }),
    ),
    repaired: Type.Integer(),
    undo: Text,
    summary: Type.String(),
  }),
);

/** Compares data in two places. */
export const reconcile = defineTask({
  type: 'reconcile',
  description:
    'Compares data in two places, each a database (PostgreSQL, Redshift, MySQL, MariaDB) or a dataset in S3, and reports every difference.',
  summary: ({ source, target }) => `${labelOf(source)} ↔ ${labelOf(target)}`,
  params,
  mistakes: reconcileMistakes,
  heldFor: ({ on_mismatch: onMismatch }) => (onMismatch === 'approve' ? '7d' : undefined),
  result: Result,
  connectionTypes: sideTypes,
  connections: {},
  example: {
    name: 'compare_orders',
    type: 'reconcile',
    source: { conn_id: 'postgres_default', table: 'orders' },
    target: { conn_id: 'redshift_default', table: 'orders' },
    key: ['id'],
    tolerance: '0.1%',
  },
  run: async (context, task) => (await import('./reconcile/reconcile.ts')).reconcileTables(context, task),
});
