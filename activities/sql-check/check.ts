import Type, { type Static } from 'typebox';
import { choice, count, duration, map, sqlFile, text, TABLE_NAME } from '../../lib/schema-fields.ts';
import type { Json, JsonObject } from '../../workflows/plan/values/json.ts';
import type { ParamMistake } from '../define-task.ts';

/** Kinds of table checks, and the keys that each requires in addition to `name`. */
const NEEDS = {
  not_null: ['column'],
  unique: ['column'],
  accepted_values: ['column', 'values'],
  relationships: ['column', 'to'],
  row_count: [],
  freshness: ['column', 'within'],
  sum: ['column', 'by', 'tolerance'],
} as const;
export type CheckKind = keyof typeof NEEDS;

/** Keys that define the allowed values. */
const BOUNDS = ['equals', 'min', 'max', 'between'] as const;
/** Further keys that a kind of check may have. */
const MAY_HAVE: Readonly<Partial<Record<CheckKind | 'sql', readonly string[]>>> = {
  sql: [...BOUNDS, 'tolerance'],
  row_count: [...BOUNDS, 'tolerance'],
  sum: ['history'],
};
const KINDS = Object.keys(NEEDS) as [CheckKind, ...CheckKind[]];

const check = map(
  'Check',
  'One thing that must hold.',
  { name: 'has_rows', sql: 'SELECT count(*) FROM orders', min: 1 },
  {
    name: text('Name', 'What messages call it.', 'has_rows'),
    sql: Type.Optional(text('SQL', 'A SELECT of one value.', 'SELECT count(*) FROM orders', { template: 'sql' })),
    sql_file: sqlFile('sql'),
    check: Type.Optional(choice('Check', 'A check of the table, in place of SQL.', KINDS)),
    column: Type.Optional(text('Column', 'The column that is checked.', 'customer_id', { template: 'none' })),
    values: Type.Optional(
      Type.Array(Type.Union([Type.String(), Type.Number(), Type.Boolean()]), {
        minItems: 1,
        title: 'Values',
        description: 'For accepted_values: all that the column may hold, beside NULL.',
        examples: [['open', 'shipped']],
      }),
    ),
    to: Type.Optional(
      map(
        'To',
        'For relationships: where each value must be found.',
        { table: 'customers', column: 'id' },
        {
          table: text('Table', 'The other table.', 'customers', { template: 'none', ...TABLE_NAME }),
          column: text('Column', 'Its column.', 'id', { template: 'none' }),
        },
      ),
    ),
    within: Type.Optional(
      duration(
        'Within',
        "For freshness: how long before the data interval's end the newest value may lie. Values in the future do not count: past 5 minutes from now, or 14 hours where they have no time zone.",
        '2h',
      ),
    ),
    by: Type.Optional(
      text('By', 'For sum: the column with the time of a row, which assigns it to an interval.', 'sold_at', { template: 'none' }),
    ),
    history: Type.Optional(count('History', 'For sum: number of previous intervals whose mean it is compared with. Default: 7.', 7)),
    equals: Type.Optional(
      Type.Union([Type.Number(), Type.String()], { title: 'Equals', description: 'What the value must be.', examples: [0] }),
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
    tolerance: Type.Optional(
      text('Tolerance', 'How far off a bound the value may be, as a part of the bound.', '0.1%', {
        pattern: '^[0-9]+(\\.[0-9]+)?%$',
        form: 'a part such as 0.1%',
      }),
    ),
  },
);

/** The `checks` of a task. */
export const checks = Type.Array(check, {
  minItems: 1,
  title: 'Checks',
  description: `What must hold: SQL and what its value must be, or a check of the table: ${KINDS.join(', ')}.`,
  examples: [[{ name: 'has_rows', sql: 'SELECT count(*) FROM orders', min: 1 }]],
});

export type Check = Static<typeof check>;

export interface CheckResult {
  readonly name: string;
  readonly ok: boolean;
  /** What the check measured: the value of SQL, a number of rows, an age. */
  readonly value: Json;
  readonly expected: string;
  /** The first invalid rows. */
  readonly rows: readonly JsonObject[];
}

/** Errors of checks whose keys are valid one by one. */
export function checkMistakes({ table, checks: given }: { readonly table?: string; readonly checks: readonly Check[] }): ParamMistake[] {
  return given.flatMap((each, index) => mistakesOf(each, table).map((mistake) => ({ ...mistake, at: ['checks', index, ...mistake.at] })));
}

function mistakesOf(given: Check, table: string | undefined): ParamMistake[] {
  const { name, sql, check: kind } = given;
  if ((sql === undefined) === (kind === undefined)) {
    const message = sql === undefined ? `The check '${name}' checks nothing.` : `The check '${name}' has both 'sql' and 'check'.`;
    return [{ at: sql === undefined ? [] : ['check'], message, hint: 'give one of sql and check' }];
  }
  const mistakes: ParamMistake[] = [];
  const needed = kind === undefined ? [] : NEEDS[kind];
  const allowed = new Set<string>(['name', 'sql', 'check', ...needed, ...(MAY_HAVE[kind ?? 'sql'] ?? [])]);
  for (const key of Object.keys(given)) {
    if (!allowed.has(key)) mistakes.push({ at: [key], message: `'${key}' means nothing to ${kind ?? 'sql'}.`, hint: 'remove it' });
  }
  if (kind !== undefined) {
    for (const key of needed) {
      if (given[key] === undefined) mistakes.push({ at: [], message: `The check '${name}' needs '${key}' too: ${kind} needs it.` });
    }
    if (table === undefined)
      mistakes.push({
        at: ['check'],
        message: `'${kind}' is about a table, and the task names none.`,
        hint: "add 'table' beside 'checks'",
      });
  }
  const bounds = BOUNDS.filter((key) => given[key] !== undefined);
  if ((kind === undefined || kind === 'row_count') && bounds.length === 0) {
    mistakes.push({
      at: [],
      message: `The check '${name}' has no expected value.`,
      hint: `give one of ${BOUNDS.join(', ')}`,
    });
  }
  return mistakes;
}
