import Type from 'typebox';
import { userFault } from '../../run/errors.ts';

const number = Type.Integer({ minimum: 0, maximum: 1e12 });

/** A guard against too few rows, for a task that writes or loads a data set: `min_rows`. */
export const minRows = Type.Optional(
  Type.Integer({
    ...number,
    title: 'Fewest rows',
    description: 'The task fails when its data has fewer rows, before anything is published or changed: an empty source is mostly a fault.',
    examples: [1000],
  }),
);

/** As `minRows`, for a task that knows how many rows it had the last time. */
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
 * @param least `min_rows` of the task; undefined: any number will do
 * @param last how many rows the task had the last time, for a part; undefined: this is the first time, and any number will do
 * @param what the data, at the beginning of a sentence: `The data of the task before`
 * @throws ApplicationFailure `DataDoesNotFit`
 */
export function checkRowCount(rows: number, least: number | string | undefined, what: string, last?: number): void {
  if (least === undefined) return;
  const isPart = typeof least === 'string';
  if (isPart && last === undefined) return;
  const fewest = isPart ? partOf(last ?? 0, least) : least;
  if (rows >= fewest) return;
  const wanted = isPart ? `at least ${fewest}, ${least} of the ${last} rows of the last load` : `at least ${fewest}`;
  throw userFault(
    'DataDoesNotFit',
    `${what} has ${rows} ${rows === 1 ? 'row' : 'rows'}, and \`min_rows\` wants ${wanted}. Check the source; if that number is correct, lower \`min_rows\`.`,
  );
}

/** A part of so many rows, rounded up. Computed in whole numbers: 55.6% of 500 is 278, and as doubles it would be a little more. */
function partOf(rows: number, part: string): number {
  const [whole = '', fraction = ''] = part.slice(0, -1).split('.');
  const one = 100n * 10n ** BigInt(fraction.length);
  return Number((BigInt(rows) * BigInt(whole + fraction) + one - 1n) / one);
}
