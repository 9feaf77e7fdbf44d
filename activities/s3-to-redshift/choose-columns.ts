import type { Column, DatasetFormat } from '../../workflows/plan/datasets/dataset.ts';
import { userFault } from '../run/errors.ts';
import type { FoundTable, TableColumn } from '../support/sql/find-table.ts';
import { didYouMean, listNames } from '../support/nearest.ts';

/**
 * The table's columns that the data fills, in the data's order: the task's `columns` if given, else the columns with the same names, else
 * (for records that carry their field names) all columns that accept values. Generated columns are included if the data has them: they are
 * read but not written.
 * @throws ApplicationFailure ColumnNotFound, DataDoesNotFit
 */
export function chooseColumns(
  { schema, table }: FoundTable,
  present: readonly TableColumn[],
  data: readonly Column[],
  declared: readonly string[] | undefined,
  upsertKeys: readonly string[],
  format: DatasetFormat,
): string[] {
  const names = present.map(({ name }) => name);
  const where = `${schema}.${table}`;
  if (declared && data.length > 0 && declared.length !== data.length) {
    throw userFault(
      'DataDoesNotFit',
      `'columns' names ${declared.length} columns, and the data has ${data.length}: ${listNames(data.map(({ name }) => name))}.`,
    );
  }
  if (!declared && data.length === 0 && format === 'csv') {
    throw userFault(
      'DataDoesNotFit',
      `The data has no column names. List in 'columns' which columns of ${where} its fields fill, in their order; the table has: ${listNames(names)}.`,
    );
  }
  const chosen = declared
    ? [...declared]
    : data.length > 0
      ? data.map(({ name }) => name)
      : present.filter(({ isGenerated }) => !isGenerated).map(({ name }) => name);
  const unknown = chosen.filter((name) => !names.includes(name));
  if (unknown.length > 0) {
    throw userFault(
      'ColumnNotFound',
      `${where} has no column ${listNames(unknown.map((name) => `'${name}'`))}.${didYouMean(unknown[0] ?? '', names)} The table has: ${listNames(names)}. The data has: ${listNames(chosen)}. Add the column to the table, leave it out of the data, or say in 'columns' what goes where.`,
    );
  }
  const generated = present.filter(({ name, isGenerated }) => isGenerated && declared?.includes(name)).map(({ name }) => name);
  if (generated.length > 0) {
    throw userFault(
      'DataDoesNotFit',
      `'columns' names ${listNames(generated)}, which ${where} generates itself and takes no value for. Leave it out in the task before and in 'columns', or give the data's column the same name: then it is left out.`,
    );
  }
  const empty = present.filter(({ name, notNull, hasDefault }) => notNull && !hasDefault && !chosen.includes(name)).map(({ name }) => name);
  if (empty.length > 0) {
    throw userFault(
      'DataDoesNotFit',
      `${where} needs a value for ${listNames(empty)}, and the data has none. The data has: ${listNames(chosen)}.`,
    );
  }
  const keys = upsertKeys.filter((name) => !chosen.includes(name));
  if (keys.length > 0) {
    throw userFault(
      'ColumnNotFound',
      `upsert_keys names ${listNames(keys)}, which the data does not have.${didYouMean(keys[0] ?? '', chosen)} The data has: ${listNames(chosen)}.`,
    );
  }
  return chosen;
}
