import { createHash, randomBytes } from 'node:crypto';
import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { accepts } from '../answers.ts';
import { cached, findCached } from '../cache.ts';
import { debianLacking, unpackDebianPackage } from '../debian.ts';
import { externalConnections } from '../external-connection.ts';
import { homePaths } from '../../home.ts';
import type { Ports } from '../ports.ts';
import { secretOf } from '../secrets.ts';
import { ToolMissing } from '../tool-missing.ts';
import { type Part, type PartContext, portOf, type Report, type Tool } from './part.ts';

const VARIABLES = ['SLUICE_CONN_RABBITMQ_DEFAULT'] as const;
/** The RabbitMQ user of the stack. */
const USER = 'sluice';
const CACHE = { name: 'rabbitmq-debian', essential: 'bin/serve' };

/** Debian's `erl` only works at its installed location. */
const ERL = `#!/bin/sh
export ROOTDIR="$(cd "$(dirname "$0")/../usr/lib/erlang" && pwd)" EMU=beam PROGNAME=erl
export BINDIR="$(echo "$ROOTDIR"/erts-*/bin)"
exec "$BINDIR/erlexec" "$@"
`;

/** The server registers with Erlang's port mapper, and would otherwise start it as a daemon that is never stopped. */
const SERVE = `#!/bin/sh
root="$(cd "$(dirname "$0")/.." && pwd)"
"$root"/usr/lib/erlang/erts-*/bin/epmd &
export PATH="$root/bin:$PATH"
exec "$root/usr/lib/rabbitmq/bin/rabbitmq-server"
`;

/** RabbitMQ, from Debian's packages. */
export const rabbitmq: Part = {
  name: 'rabbitmq',
  title: 'RabbitMQ',
  purpose: 'sensors start runs from its messages',
  variables: VARIABLES,
  external: ({ environment }) => Promise.resolve(externalConnections(environment, VARIABLES)),
  find,
  lacking: async (context) => ((await find(context)) === undefined ? lacking(context) : undefined),
  fetch: fetchRabbitMQ,
  server: {
    ports: ['amqp', 'management', 'mapper', 'distribution'],
    stopSignal: 'SIGTERM',
    healthyWithinMs: 90_000,
    command: async ({ home, environment }, tool, ports) => {
      const folder = homePaths.data(home, 'rabbitmq');
      await rm(join(folder, 'home'), { recursive: true, force: true });
      await mkdir(join(folder, 'home'), { recursive: true });
      const [configuration, definitions, plugins] = ['rabbitmq.conf', 'definitions.json', 'plugins'].map((name) => join(folder, name)) as [
        string,
        string,
        string,
      ];
      await writeFile(definitions, definitionsOf(await rabbitPassword(home)), { mode: 0o600 });
      await writeFile(configuration, configurationOf(ports, definitions));
      await writeFile(plugins, '[rabbitmq_management].\n');
      return {
        executable: tool.executable,
        args: [],
        environment: {
          ...environment,
          HOME: join(folder, 'home'), // contains the shared secret of the nodes
          ERL_EPMD_ADDRESS: '127.0.0.1',
          ERL_EPMD_PORT: String(portOf(ports, 'mapper')),
          RABBITMQ_NODENAME: 'sluice@localhost',
          RABBITMQ_DIST_PORT: String(portOf(ports, 'distribution')),
          RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '-kernel inet_dist_use_interface {127,0,0,1}',
          RABBITMQ_CONFIG_FILE: configuration,
          RABBITMQ_CONF_ENV_FILE: join(folder, 'none'),
          RABBITMQ_ENABLED_PLUGINS_FILE: plugins,
          RABBITMQ_MNESIA_BASE: join(folder, 'mnesia'),
          RABBITMQ_LOGS: '-',
        },
      };
    },
    healthy: (_, ports) => accepts(portOf(ports, 'amqp')),
    address: (ports) => `127.0.0.1:${portOf(ports, 'amqp')}`,
  },
  environment: async ({ home }, ports) => ({
    SLUICE_CONN_RABBITMQ_DEFAULT:
      `amqp://${USER}:${await rabbitPassword(home)}@127.0.0.1:${portOf(ports, 'amqp')}/` +
      `?management_url=${encodeURIComponent(`http://127.0.0.1:${portOf(ports, 'management')}`)}`,
  }),
};

/** https://www.rabbitmq.com/docs/configure */
function configurationOf(ports: Ports, definitions: string): string {
  return [
    `listeners.tcp.1 = 127.0.0.1:${portOf(ports, 'amqp')}`,
    'management.tcp.ip = 127.0.0.1',
    `management.tcp.port = ${portOf(ports, 'management')}`,
    // Rates of messages cost time, and nothing reads them.
    'management.rates_mode = none',
    `load_definitions = ${definitions}`,
    '',
  ].join('\n');
}

function rabbitPassword(home: string): Promise<string> {
  return secretOf(home, 'rabbitmq_password');
}

/** Defines one user instead of RabbitMQ's default `guest`. Password hashing: https://www.rabbitmq.com/docs/passwords */
function definitionsOf(password: string): string {
  const salt = randomBytes(4);
  const digest = createHash('sha256').update(salt).update(password).digest();
  return JSON.stringify({
    users: [
      {
        name: USER,
        password_hash: Buffer.concat([salt, digest]).toString('base64'),
        hashing_algorithm: 'rabbit_password_hashing_sha256',
        tags: ['administrator'],
      },
    ],
    vhosts: [{ name: '/' }],
    permissions: [{ user: USER, vhost: '/', configure: '.*', write: '.*', read: '.*' }],
  });
}

function find({ environment }: PartContext): Promise<Tool | undefined> {
  const folder = findCached(environment, CACHE);
  return Promise.resolve(folder === undefined ? undefined : { executable: join(folder, 'bin/serve'), origin: 'cache', paths: {} });
}

function lacking({ environment }: PartContext): Promise<string | undefined> {
  const needed = debianLacking(environment);
  const otherwise = `or set ${VARIABLES[0]} to a RabbitMQ of your own`;
  return Promise.resolve(needed === undefined ? undefined : `it needs ${needed}: ${otherwise}`);
}

async function fetchRabbitMQ(context: PartContext, report: Report): Promise<Tool> {
  const { environment } = context;
  const line = await lacking(context);
  if (line !== undefined) throw new ToolMissing(line);
  const folder = await cached(environment, CACHE, report, async (partial) => {
    await unpackDebianPackage(environment, 'rabbitmq-server', partial, report);
    await mkdir(join(partial, 'bin'));
    for (const [name, script] of [
      ['erl', ERL],
      ['serve', SERVE],
    ] as const) {
      await writeFile(join(partial, 'bin', name), script);
      await chmod(join(partial, 'bin', name), 0o755);
    }
  });
  return { executable: join(folder, 'bin/serve'), origin: 'cache', paths: {} };
}
