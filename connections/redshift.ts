import type { RedshiftConnection } from '../lib/databases/postgres.ts';
import { DATABASE_FIELDS, readDatabase } from './database.ts';
import { defineConnection } from './define-connection.ts';
import { checkPostgres } from './postgres.ts';

export const redshift = defineConnection<RedshiftConnection>({
  type: 'redshift',
  description: 'Amazon Redshift',
  schemes: ['redshift'],
  example: 'redshift://user:password@host:5439/database?iam_role=arn:aws:iam::123456789012:role/load',
  fields: {
    ...DATABASE_FIELDS,
    iam_role: { description: "IAM role with which `COPY` reads S3; by default the keys of the task's S3 connection", isOption: true },
  },
  read(fields) {
    const role = fields.optional('iam_role');
    return { type: 'redshift', ...readDatabase(fields, 5439), ...(role !== undefined && { iam_role: role }) };
  },
  check: checkPostgres,
});
