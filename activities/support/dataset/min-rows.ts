import Type from 'typebox';
import { userFault } from '../../run/errors.ts';

const number = Type.Integer({ minimum: 0, maximum: 1e12 });

/** `min_rows`: a guard against too few rows, for a task that writes or loads a dataset. */
export const minRows = Type.Optional(
  Type.Integer({
    ...number,
    title: 'Fewest rows',
    description: 'The task fails when its data has fewer rows, before anything is published or changed: an empty source is mostly a fault.',
    examples: [1000],
  }),
);

/** Like `minRows`, for a task that knows its last number of rows. */
export const minRowsOrPart = Type.Optional(
  Type.Union(
    [number, Type.String({ pattern: '^(100(\\.0+)?|[1-9]?[0-9](\\.[0-9]+)?)%$', form: 'a number of rows, or a part such as 80%' })],
    {
      title: 'Fewest rows',
      description:
        'The task fails when its data has fewer rows, before the table is changed: a number, or a part of what this task has loaded the last time, such as 80%.',
      examples: [1000, '80%'],
    },
  ),
);

/**
 * @param least the task's `min_rows`; undefined: no minimum
 * @param last number of rows of the last run, for a percentage; undefined: this is the first run, and there is no minimum
 * @param what the data, as the start of a sentence: `The data of the task before`
 * @throws ApplicationFailure `DataDoesNotFit`
 */
export function checkRowCount(rows: number, least: number | string | undefined, what: string, last?: number): void {
  if (least === undefined) return;
  const isPart = typeof least === 'string';
  if (isPart && last === undefined) return;
  const fewest = isPart ? partOf(last ?? 0, least) : least;
  if (rows >= fewest) return;
  const required = isPart ? `at least ${fewest}, ${least} of the ${last} rows of the last load` : `at least ${fewest}`;
  throw userFault(
    'DataDoesNotFit',
    `${what} has ${rows} ${rows === 1 ? 'row' : 'rows'}, and \`min_rows\` wants ${required}. Check the source; if that number is correct, lower \`min_rows\`.`,
  );
}

/** A percentage of rows, rounded up. Uses whole numbers: 55.6% of 500 is 278, and slightly more with doubles. */
function partOf(rows: number, part: string): number {
  const [whole = '', fraction = ''] = part.slice(0, -1).split('.');
  const one = 100n * 10n ** BigInt(fraction.length);
  return Number((BigInt(rows) * BigInt(whole + fraction) + one - 1n) / one);
}
