import { existsSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { externalConnections } from '../external-connection.ts';
import { readJson } from '../json-file.ts';
import { homePaths } from '../../home.ts';
import { preparePostgresData, postgresDataFolder } from '../postgres-data.ts';
import { askPostgres, DATABASES, postgresUrl } from '../postgres-databases.ts';
import { embeddedPostgres, installedPostgres, type PostgresProgram } from '../postgres-programs.ts';
import { isReachablePlace, unprivilegedUser } from '../server-user.ts';
import { ToolMissing } from '../tool-missing.ts';
import { versions } from '../versions.ts';
import { type Part, type PartContext, portOf, type Tool } from './part.ts';

const VARIABLES = ['SLUICE_CONN_POSTGRES_DEFAULT', 'SLUICE_CONN_REDSHIFT_DEFAULT'] as const;

/** PostgreSQL with two databases: the demo's source, and a stand-in for the warehouse. */
export const postgres: Part = {
  name: 'postgres',
  title: 'PostgreSQL',
  purpose: "the demo's source and warehouse",
  variables: VARIABLES,
  external: ({ environment }) => Promise.resolve(externalConnections(environment, VARIABLES)),
  find,
  lacking: async (context) => ((await find(context)) === undefined ? lackingLine(context.home) : undefined),
  fetch: (context) => Promise.reject(new ToolMissing(lackingLine(context.home))), // npm installs it; there is no other source
  server: {
    ports: ['sql'],
    stopSignal: 'SIGINT', // "fast": does not wait for clients to leave
    healthyWithinMs: 60_000,
    command: async (context, tool, ports, report) => {
      const { folder, executable } = await preparePostgresData(context, tool.executable, report);
      const user = unprivilegedUser();
      const settings = {
        port: portOf(ports, 'sql'),
        listen_addresses: '127.0.0.1',
        unix_socket_directories: '',
        // Small, but durable: a killed server keeps all acknowledged writes.
        shared_buffers: '64MB',
        max_connections: 200,
        timezone: 'UTC',
        log_timezone: 'UTC',
      };
      return {
        executable,
        args: ['-D', folder, ...Object.entries(settings).flatMap(([key, value]) => ['-c', `${key}=${value}`])],
        environment: withoutClientSettings(context.environment),
        workingFolder: folder,
        ...(user === undefined ? {} : { user }),
      };
    },
    healthy: async ({ home }, ports) => {
      try {
        await askPostgres(home, portOf(ports, 'sql'), 'postgres', () => Promise.resolve());
        return true;
      } catch {
        return false;
      }
    },
    prepare: ({ home }, ports) =>
      askPostgres(home, portOf(ports, 'sql'), 'postgres', async (client) => {
        const { rows } = await client.query<{ datname: string }>('select datname from pg_database');
        const present = new Set(rows.map((row) => row.datname));
        for (const database of DATABASES) {
          if (!present.has(database)) await client.query(`create database ${database}`);
        }
      }),
    address: (ports) => `127.0.0.1:${portOf(ports, 'sql')}`,
    clean: async ({ home }) => {
      const place = (await readJson<{ folder: string }>(homePaths.postgresPlace(home)))?.folder;
      if (place !== undefined && isReachablePlace(place)) await rm(place, { recursive: true, force: true });
    },
  },
  environment: async ({ home }, ports) => ({
    SLUICE_CONN_POSTGRES_DEFAULT: await postgresUrl(home, portOf(ports, 'sql'), 'source'),
    SLUICE_CONN_REDSHIFT_DEFAULT: await postgresUrl(home, portOf(ports, 'sql'), 'warehouse'),
  }),
};

/** Only the same major release can read existing data, so the data decides. */
async function find({ home, environment }: PartContext): Promise<Tool | undefined> {
  const major = majorOfData(home);
  const suits = (program: PostgresProgram) => major === undefined || program.version.split('.')[0] === major;
  const found = (await installedPostgres(environment)).find(suits) ?? [await embeddedPostgres(environment)].find((it) => it && suits(it));
  return found === undefined ? undefined : { executable: found.executable, origin: found.origin, paths: {} };
}

function majorOfData(home: string): string | undefined {
  const file = join(postgresDataFolder(home), 'PG_VERSION');
  return existsSync(file) ? readFileSync(file, 'utf8').trim() : undefined;
}

function lackingLine(home: string): string {
  const major = majorOfData(home);
  if (major !== undefined) {
    return `its data is of PostgreSQL ${major}, which is not on this machine any more: install that, or delete the data with sluice stack clean`;
  }
  return (
    `no PostgreSQL ${versions.postgresAtLeast.split('.')[0]} or later, and npm has no build of it for this machine: ` +
    'install it (apt install postgresql, brew install postgresql)'
  );
}

/** PGDATA, PGOPTIONS and similar variables are for other servers. */
function withoutClientSettings(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !name.startsWith('PG')));
}
