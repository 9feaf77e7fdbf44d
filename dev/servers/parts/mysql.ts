import { existsSync } from 'node:fs';
import { chmod, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { accepts } from '../answers.ts';
import { cached, findCached } from '../cache.ts';
import { debianLacking, unpackDebianPackage } from '../debian.ts';
import { externalConnections } from '../external-connection.ts';
import { homePaths } from '../../home.ts';
import { runTool } from '../run-tool.ts';
import { secretOf } from '../secrets.ts';
import { unprivilegedUser } from '../server-user.ts';
import { ToolMissing } from '../tool-missing.ts';
import { type Part, type PartContext, portOf, type Report, type Tool } from './part.ts';

const VARIABLES = ['SLUICE_CONN_MYSQL_DEFAULT'] as const;
const CACHE = { name: 'mariadb-debian', essential: 'bin/serve' };
const NAME = 'sluice';
/** A user that may only read the tables and the binary log, for change data capture. */
const CDC_USER = 'cdc';
/** The name of its password among the secrets of the stack. */
export const CDC_PASSWORD = 'mysql_cdc_password';

/** Debian's server only works at its installed location. */
const SERVE = `#!/bin/sh
root="$(cd "$(dirname "$0")/.." && pwd)"
export LD_LIBRARY_PATH="$(echo "$root"/usr/lib/*-linux-gnu)"
exec "$root/usr/sbin/mariadbd" --no-defaults --lc-messages-dir="$root/usr/share/mysql" \\
  --character-sets-dir="$root/usr/share/mysql/charsets" --plugin-dir="$root/usr/lib/mysql/plugin" "$@"
`;

/** Replaces mariadb-install-db, which needs programs of other packages. */
const CREATE = `#!/bin/sh
scripts="$(cd "$(dirname "$0")/../usr/share/mysql" && pwd)"
{
  printf 'CREATE DATABASE mysql;\\nUSE mysql;\\n'
  cat "$scripts/mysql_system_tables.sql" "$scripts/mysql_performance_tables.sql" "$scripts/mysql_system_tables_data.sql"
} | "$(dirname "$0")/serve" --bootstrap "$@"
`;

/** MariaDB, from Debian's packages. */
export const mysql: Part = {
  name: 'mysql',
  title: 'MariaDB',
  purpose: 'reconcile compares its tables',
  variables: VARIABLES,
  external: ({ environment }) => Promise.resolve(externalConnections(environment, VARIABLES)),
  find,
  lacking: async (context) => ((await find(context)) === undefined ? lacking(context) : undefined),
  fetch: fetchMariaDB,
  server: {
    ports: ['sql'],
    stopSignal: 'SIGTERM',
    healthyWithinMs: 60_000,
    command: async ({ home, environment }, tool, ports, report) => {
      const folder = homePaths.data(home, 'mysql');
      const settings = [
        `--datadir=${join(folder, 'data')}`,
        '--innodb-log-file-size=16M',
        '--innodb-buffer-pool-size=64M',
        // MySQL refuses to run as root without this option.
        ...(unprivilegedUser() === undefined ? [] : ['--user=root']),
      ];
      await create(join(folder, 'data'), tool, settings, environment, report);
      const users = join(folder, 'users.sql');
      await writeFile(users, usersSql(await secretOf(home, 'mysql_password'), await secretOf(home, CDC_PASSWORD)), { mode: 0o600 });
      return {
        executable: tool.executable,
        args: [
          ...settings,
          '--bind-address=127.0.0.1',
          `--port=${portOf(ports, 'sql')}`,
          '--socket=',
          '--skip-name-resolve',
          // Kafka Connect reads changes from the binary log.
          '--server-id=1',
          '--log-bin=binlog',
          '--binlog-format=ROW',
          '--binlog-row-image=FULL',
          '--max-binlog-size=64M',
          '--binlog-expire-logs-seconds=86400',
          `--pid-file=${join(folder, 'pid')}`,
          `--init-file=${users}`,
        ],
        environment,
      };
    },
    healthy: (_, ports) => accepts(portOf(ports, 'sql')),
    address: (ports) => `127.0.0.1:${portOf(ports, 'sql')}`,
  },
  environment: async ({ home }, ports) => ({
    SLUICE_CONN_MYSQL_DEFAULT: `mysql://${NAME}:${await secretOf(home, 'mysql_password')}@127.0.0.1:${portOf(ports, 'sql')}/${NAME}`,
  }),
};

/** Works in a separate folder and renames it, because a killed start leaves a partial one. */
async function create(
  folder: string,
  tool: Tool,
  settings: readonly string[],
  environment: NodeJS.ProcessEnv,
  report: Report,
): Promise<void> {
  if (existsSync(folder)) return;
  report('creating the system tables');
  const partial = `${folder}.partial`;
  await rm(partial, { recursive: true, force: true });
  await mkdir(partial, { recursive: true, mode: 0o700 });
  await runTool(join(dirname(tool.executable), 'create'), [...settings, `--datadir=${partial}`], { environment });
  await rename(partial, folder);
}

/** Creates a user with all rights and one for change data capture, and drops the default users, which have none. */
function usersSql(password: string, cdcPassword: string): string {
  return [
    `CREATE DATABASE IF NOT EXISTS ${NAME};`,
    `CREATE OR REPLACE USER ${NAME}@'127.0.0.1' IDENTIFIED BY '${password}';`,
    `GRANT ALL PRIVILEGES ON *.* TO ${NAME}@'127.0.0.1' WITH GRANT OPTION;`,
    `CREATE OR REPLACE USER ${CDC_USER}@'127.0.0.1' IDENTIFIED BY '${cdcPassword}';`,
    // Debezium's list: https://debezium.io/documentation/reference/stable/connectors/mysql.html#mysql-creating-user
    `GRANT SELECT, RELOAD, SHOW DATABASES, REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO ${CDC_USER}@'127.0.0.1';`,
    "DROP USER IF EXISTS root@localhost, root@'127.0.0.1', root@'::1', ''@localhost;",
    '',
  ].join('\n');
}

function find({ environment }: PartContext): Promise<Tool | undefined> {
  const folder = findCached(environment, CACHE);
  return Promise.resolve(folder === undefined ? undefined : { executable: join(folder, 'bin/serve'), origin: 'cache', paths: {} });
}

function lacking({ environment }: PartContext): Promise<string | undefined> {
  const needed = debianLacking(environment);
  const otherwise = `or set ${VARIABLES[0]} to a MySQL or MariaDB of your own`;
  return Promise.resolve(needed === undefined ? undefined : `it needs ${needed}: ${otherwise}`);
}

async function fetchMariaDB(context: PartContext, report: Report): Promise<Tool> {
  const { environment } = context;
  const line = await lacking(context);
  if (line !== undefined) throw new ToolMissing(line);
  const folder = await cached(environment, CACHE, report, async (partial) => {
    await unpackDebianPackage(environment, 'mariadb-server-core', partial, report);
    await mkdir(join(partial, 'bin'), { recursive: true });
    for (const [name, script] of [
      ['serve', SERVE],
      ['create', CREATE],
    ] as const) {
      await writeFile(join(partial, 'bin', name), script);
      await chmod(join(partial, 'bin', name), 0o755);
    }
  });
  return { executable: join(folder, 'bin/serve'), origin: 'cache', paths: {} };
}
