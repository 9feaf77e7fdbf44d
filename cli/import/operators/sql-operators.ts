import type { JsonObject } from '../../../workflows/plan/values/json.ts';
import { type Convert, numberOrText, percent, connection, number, statement } from '../argument-converters.ts';
import type { OperatorMapping, OperatorMappings } from './operator-mapping.ts';

const sql = (connectionKey: string, fallback: string): OperatorMapping => ({
  type: 'sql',
  arguments: {
    sql: statement('sql'),
    [connectionKey]: connection('conn_id'),
    autocommit: (value) => ({ keys: value === true ? { transaction: false } : {} }),
  },
  ignored: ['split_statements', 'return_last', 'show_return_value_in_logs', 'handler'],
  needs: ['sql'],
  // Values for the placeholders in the SQL, and what chooses another database or schema.
  essential: ['parameters', 'database', 'hook_params', 'runtime_parameters'],
  ...(fallback !== 'postgres_default' && { defaults: { conn_id: fallback } }),
});

/** A `sql_check` with a single check, named after the task. */
const sqlCheck = (own: Readonly<Record<string, Convert>>, comparators: readonly string[]): OperatorMapping => ({
  type: 'sql_check',
  guards: true,
  arguments: { conn_id: connection('conn_id'), sql: statement('sql'), ...own },
  needs: ['sql', ...comparators],
  finish: ({ sql, equals, min, max, tolerance, ...rest }, task) => {
    const range = min !== undefined && max !== undefined ? { between: [min, max] } : { min, max };
    const check: JsonObject = Object.fromEntries(
      Object.entries({ name: task, sql, equals, ...range, tolerance }).filter(([, value]) => value !== undefined),
    );
    return { ...rest, checks: [check] };
  },
});

/** Operators that run SQL or check its results. */
export const SQL_OPERATORS = {
  SQLExecuteQueryOperator: sql('conn_id', 'postgres_default'),
  PostgresOperator: sql('postgres_conn_id', 'postgres_default'),
  RedshiftSQLOperator: sql('redshift_conn_id', 'redshift_default'),
  SQLCheckOperator: sqlCheck(
    {
      sql: (value, dagName) => {
        const converted = statement('sql')(value, dagName);
        const why = 'Airflow wants any value but 0, false, empty and NULL; here it must be at least 1';
        return 'keys' in converted ? { keys: { ...converted.keys, min: 1 }, why } : converted;
      },
    },
    ['min'],
  ),
  SQLValueCheckOperator: sqlCheck({ pass_value: numberOrText('equals'), tolerance: percent('tolerance') }, ['equals']),
  SQLThresholdCheckOperator: sqlCheck({ min_threshold: number('min'), max_threshold: number('max') }, ['min', 'max']),
} as const satisfies OperatorMappings;
