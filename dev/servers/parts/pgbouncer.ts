import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { accepts } from '../answers.ts';
import { cached, findCached } from '../cache.ts';
import { debianLacking, unpackDebianPackage } from '../debian.ts';
import { externalConnections } from '../external-connection.ts';
import { homePaths } from '../../home.ts';
import { rememberedPorts } from '../ports.ts';
import { DATABASES, POSTGRES_USER, postgresPassword, postgresUrl } from '../postgres-databases.ts';
import { unprivilegedUser } from '../server-user.ts';
import { ToolMissing } from '../tool-missing.ts';
import { type Part, type PartContext, portOf, type Report, type Tool } from './part.ts';

const VARIABLES = ['SLUICE_CONN_POSTGRES_POOLED', 'SLUICE_CONN_REDSHIFT_POOLED'] as const;
const CACHE = { name: 'pgbouncer-debian', essential: 'bin/serve' };
/** Smaller than the number of concurrent tasks, so that they share server sessions. */
const POOL_SIZE = 5;
/** A database of PgBouncer that reassigns sessions after each statement. */
export const STATEMENT_MODE = 'statement_mode';

/** Debian's program only finds its libraries at their installed location. */
const SERVE = `#!/bin/sh
root="$(cd "$(dirname "$0")/.." && pwd)"
export LD_LIBRARY_PATH="$(echo "$root"/usr/lib/*-linux-gnu)"
exec "$root/usr/sbin/pgbouncer" "$@"
`;

/** PgBouncer in transaction mode, from Debian's package, for all databases of the part `postgres`. */
export const pgbouncer: Part = {
  name: 'pgbouncer',
  title: 'PgBouncer',
  purpose: 'tasks and sensors are tried behind a pool of sessions',
  variables: VARIABLES,
  external: ({ environment }) => Promise.resolve(externalConnections(environment, VARIABLES)),
  find,
  lacking: async (context) => ((await find(context)) === undefined ? lacking(context) : undefined),
  fetch: fetchPgBouncer,
  server: {
    ports: ['sql'],
    stopSignal: 'SIGTERM',
    healthyWithinMs: 30_000,
    command: async ({ home, environment }, tool, ports) => {
      const folder = homePaths.data(home, 'pgbouncer');
      const [configuration, users] = [join(folder, 'pgbouncer.ini'), join(folder, 'users.txt')];
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await writeFile(users, `"${POSTGRES_USER}" "${await postgresPassword(home)}"\n`, { mode: 0o600 });
      await writeFile(configuration, settings(await postgresPort(home), portOf(ports, 'sql'), users), { mode: 0o600 });
      // It reads its files first, then refuses to run as root.
      const user = unprivilegedUser() === undefined ? [] : ['-u', 'nobody'];
      return { executable: tool.executable, args: [...user, configuration], environment };
    },
    healthy: (_, ports) => accepts(portOf(ports, 'sql')),
    address: (ports) => `127.0.0.1:${portOf(ports, 'sql')}`,
  },
  environment: async ({ home }, ports) => {
    const [source, warehouse] = await Promise.all(DATABASES.map((database) => postgresUrl(home, portOf(ports, 'sql'), database)));
    return { SLUICE_CONN_POSTGRES_POOLED: source ?? '', SLUICE_CONN_REDSHIFT_POOLED: warehouse ?? '' };
  },
};

async function postgresPort(home: string): Promise<number> {
  const ports = await rememberedPorts(home, 'postgres');
  if (ports === undefined) throw new ToolMissing('it passes on to the part postgres, which was never started: start that one first');
  return portOf(ports, 'sql');
}

function settings(server: number, port: number, users: string): string {
  return [
    '[databases]',
    `${STATEMENT_MODE} = host=127.0.0.1 port=${server} dbname=postgres pool_mode=statement`,
    `* = host=127.0.0.1 port=${server}`,
    '[pgbouncer]',
    'listen_addr = 127.0.0.1',
    `listen_port = ${port}`,
    'unix_socket_dir =',
    'auth_type = scram-sha-256',
    `auth_file = ${users}`,
    'pool_mode = transaction',
    `default_pool_size = ${POOL_SIZE}`,
    '',
  ].join('\n');
}

function find({ environment }: PartContext): Promise<Tool | undefined> {
  const folder = findCached(environment, CACHE);
  return Promise.resolve(folder === undefined ? undefined : { executable: join(folder, 'bin/serve'), origin: 'cache', paths: {} });
}

function lacking({ environment }: PartContext): Promise<string | undefined> {
  const needed = debianLacking(environment);
  const otherwise = `or set ${VARIABLES[0]} to a PgBouncer of your own`;
  return Promise.resolve(needed === undefined ? undefined : `it needs ${needed}: ${otherwise}`);
}

async function fetchPgBouncer(context: PartContext, report: Report): Promise<Tool> {
  const { environment } = context;
  const line = await lacking(context);
  if (line !== undefined) throw new ToolMissing(line);
  const folder = await cached(environment, CACHE, report, async (partial) => {
    await unpackDebianPackage(environment, 'pgbouncer', partial, report);
    await mkdir(join(partial, 'bin'), { recursive: true });
    await writeFile(join(partial, 'bin/serve'), SERVE);
    await chmod(join(partial, 'bin/serve'), 0o755);
  });
  return { executable: join(folder, 'bin/serve'), origin: 'cache', paths: {} };
}
