import type { MySQLConnection } from '../lib/databases/mysql.ts';
import { DATABASE_FIELDS, readDatabase } from './database.ts';
import { defineConnection } from './define-connection.ts';

export const mysql = defineConnection<MySQLConnection>({
  type: 'mysql',
  description: 'MySQL or MariaDB',
  schemes: ['mysql', 'mariadb'],
  example: 'mysql://user:password@host:3306/database',
  fields: DATABASE_FIELDS,
  read: (fields) => ({ type: 'mysql', ...readDatabase(fields, 3306) }),
  async check(connection, signal) {
    const { openMySQL } = await import('../lib/databases/mysql.ts');
    const session = await openMySQL(connection, 'sluice doctor', signal);
    try {
      const { rows } = await session.query('SELECT version()');
      const version = rows[0]?.[0] ?? '';
      return `${/mariadb/i.test(version) ? 'MariaDB' : 'MySQL'} ${version} at ${connection.host}:${connection.port}, database ${connection.database}`;
    } finally {
      await session.close();
    }
  },
});
