import { userFault } from '../../run/errors.ts';
import { sqlFor } from '../../../workflows/plan/expressions/sql-template.ts';
import { quoteIdentifier, quoteLiteral } from '../../support/sql/identifiers.ts';
import type { ComparedColumn } from '../column-family.ts';
import type { Dialect } from './dialect.ts';
import { postgres } from './postgres.ts';

const quoted = ({ name }: ComparedColumn): string => quoteIdentifier(name);

/** Redshift's SQL where it differs from PostgreSQL's. */
export const redshift: Dialect = {
  ...postgres,
  name: 'Redshift',
  literal: (text) => sqlFor('redshift', quoteLiteral(text)),
  // Two clusters may run different releases, and Redshift does not guarantee the text format of floats.
  exact: undefined,
  number: (column, scale) => (column.scale === scale ? `${quoted(column)}::text` : `${quoted(column)}::numeric(38, ${scale})::text`),
  text(column, { trim, empty_is_null: emptyIsNull, ignore_case: ignoreCase, unicode }) {
    if (unicode !== undefined) {
      throw userFault(
        'InvalidParameters',
        `Column '${column.name}': Redshift cannot compose Unicode. Take 'unicode' away from 'normalize'.`,
      );
    }
    let text = `${quoted(column)}::varchar(65535)`;
    if (trim) text = `btrim(${text})`;
    if (ignoreCase) text = `lower(${text})`;
    return emptyIsNull ? `nullif(${text}, '')` : text;
  },
  // Redshift compares texts by bytes.
  ordered: quoted,
  md5: (text, digits) => `strtol(substring(md5(${text}), 1, ${digits}), 16)`,
};
