import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { stringify } from 'yaml';
import { isExecutable, findProgram } from '../../../lib/find-program.ts';
import { cached, findCached } from '../cache.ts';
import { goInstall } from '../go-install.ts';
import { homePaths } from '../../home.ts';
import { type Ports, rememberedPorts } from '../ports.ts';
import { askPostgres, POSTGRES_USER, postgresPassword } from '../postgres-databases.ts';
import { runTool } from '../run-tool.ts';
import { ToolMissing } from '../tool-missing.ts';
import { versions } from '../versions.ts';
import { type Part, type PartContext, portOf, type Report, type Tool } from './part.ts';
import { DYNAMIC_CONFIG, externalTemporal, payloadEnvironment, withoutClientSettings } from './temporal.ts';

const CACHE = { name: `temporal-server-${versions.temporalServer}`, essential: 'temporal-sql-tool' };
/** The databases in the part `postgres`, with their schema names in Temporal's tool. */
const DATABASES = { temporal: 'temporal', temporal_visibility: 'visibility' } as const;
const SERVICES = ['frontend', 'history', 'matching', 'worker'] as const;
const NAMESPACE = 'default';
const DAY_SECONDS = 86_400;

/**
 * A Temporal server as in production: state and visibility in the PostgreSQL of the part `postgres`. It has only three date search
 * attributes, and new attributes are usable some seconds after registration.
 */
export const temporalPostgres: Part = {
  name: 'temporal-postgres',
  title: 'Temporal on PostgreSQL',
  purpose: 'Sluice is tried on a server as deployments have it',
  variables: ['TEMPORAL_ADDRESS', 'TEMPORAL_NAMESPACE', 'SLUICE_PAYLOAD_KEYS'],
  external: externalTemporal,
  find,
  lacking: async (context) => ((await find(context)) === undefined ? lacking(context) : undefined),
  fetch: fetchServer,
  server: {
    ports: ['http', ...SERVICES.flatMap((service) => [service, `${service} membership`])],
    stopSignal: 'SIGTERM',
    healthyWithinMs: 90_000,
    command: async ({ home, environment }, tool, ports, report) => {
      const folder = homePaths.data(home, 'temporal-postgres');
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const server = await postgresPort(home);
      for (const [database, schema] of Object.entries(DATABASES))
        await createDatabase(home, server, database, schema, tool, environment, report);
      const dynamic = join(folder, 'dynamic.yaml');
      await writeFile(dynamic, stringify(Object.fromEntries(Object.entries(DYNAMIC_CONFIG).map(([key, value]) => [key, [{ value }]]))));
      await writeFile(join(folder, 'server.yaml'), stringify(settings(server, await postgresPassword(home), ports, dynamic)), {
        mode: 0o600,
      });
      return {
        executable: tool.executable,
        args: ['--root', folder, '--config', '.', '--env', 'server', '--allow-no-auth', 'start'],
        environment: withoutClientSettings(environment),
      };
    },
    healthy: (_, ports) => asked(ports, async ({ workflowService }) => void (await workflowService.getSystemInfo({}))),
    prepare: (_, ports) => createNamespace(ports),
    address: addressOf,
  },
  environment: async (context, ports) => ({
    TEMPORAL_ADDRESS: addressOf(ports),
    TEMPORAL_NAMESPACE: NAMESPACE,
    ...(await payloadEnvironment(context)),
  }),
};

function addressOf(ports: Ports): string {
  return `127.0.0.1:${portOf(ports, 'frontend')}`;
}

async function postgresPort(home: string): Promise<number> {
  const ports = await rememberedPorts(home, 'postgres');
  if (ports === undefined) throw new ToolMissing('it keeps its state in the part postgres, which was never started: start that one first');
  return portOf(ports, 'sql');
}

/** Creates a database with its tables if it is missing, and applies migrations of later releases. */
async function createDatabase(
  home: string,
  port: number,
  database: string,
  schema: string,
  tool: Tool,
  environment: NodeJS.ProcessEnv,
  report: Report,
): Promise<void> {
  const known = await askPostgres(home, port, 'postgres', (client) =>
    client.query('SELECT 1 FROM pg_database WHERE datname = $1', [database]),
  );
  const sqlTool = async (...args: string[]): Promise<void> => {
    const options = ['--ep', '127.0.0.1', '--port', String(port), '--user', POSTGRES_USER, '--plugin', 'postgres12', '--db', database];
    await runTool(tool.paths.sqlTool ?? '', [...options, ...args], {
      environment: { ...withoutClientSettings(environment), SQL_PASSWORD: await postgresPassword(home) },
    });
  };
  report(`the tables of ${database}`);
  if (known.rowCount === 0) {
    await sqlTool('create-database');
    await sqlTool('setup-schema', '--version', '0.0');
  }
  await sqlTool('update-schema', '--schema-name', `postgresql/v12/${schema}`);
}

/** https://docs.temporal.io/references/configuration */
function settings(server: number, password: string, ports: Ports, dynamic: string): object {
  const store = (databaseName: string, maxConns: number): object => ({
    sql: {
      pluginName: 'postgres12',
      databaseName,
      connectAddr: `127.0.0.1:${server}`,
      connectProtocol: 'tcp',
      user: POSTGRES_USER,
      password,
      maxConns,
      maxIdleConns: maxConns,
    },
  });
  const service = (name: string): object => ({
    rpc: {
      grpcPort: portOf(ports, name),
      membershipPort: portOf(ports, `${name} membership`),
      bindOnLocalHost: true,
      ...(name === 'frontend' && { httpPort: portOf(ports, 'http') }),
    },
  });
  return {
    log: { stdout: true, level: 'warn' },
    persistence: {
      defaultStore: 'state',
      visibilityStore: 'lists',
      numHistoryShards: 4,
      datastores: { state: store('temporal', 20), lists: store('temporal_visibility', 10) },
    },
    global: { membership: { maxJoinDuration: '30s', broadcastAddress: '127.0.0.1' } },
    services: Object.fromEntries(SERVICES.map((name) => [name, service(name)])),
    clusterMetadata: {
      enableGlobalNamespace: false,
      failoverVersionIncrement: 10,
      masterClusterName: 'active',
      currentClusterName: 'active',
      clusterInformation: {
        active: { enabled: true, initialFailoverVersion: 1, rpcName: 'frontend', rpcAddress: addressOf(ports) },
      },
    },
    dcRedirectionPolicy: { policy: 'noop' },
    dynamicConfigClient: { filepath: dynamic, pollInterval: '60s' },
  };
}

/** Calls the server with a new connection. Returns whether it answers. */
async function asked(ports: Ports, ask: (connection: Connection) => Promise<void>): Promise<boolean> {
  const connection = Connection.lazy({ address: addressOf(ports) });
  try {
    await connection.withDeadline(Date.now() + 5_000, () => ask(connection));
    return true;
  } catch {
    return false;
  } finally {
    await connection.close();
  }
}

async function createNamespace(ports: Ports): Promise<void> {
  const connection = Connection.lazy({ address: addressOf(ports) });
  try {
    const client = new Client({ connection, namespace: NAMESPACE });
    await client.workflowService
      .registerNamespace({ namespace: NAMESPACE, workflowExecutionRetentionPeriod: { seconds: DAY_SECONDS as never } })
      .catch((error: unknown) => {
        if ((error as { code?: number }).code !== ALREADY_EXISTS) throw error;
      });
  } finally {
    await connection.close();
  }
}

/** https://grpc.io/docs/guides/status-codes/ */
const ALREADY_EXISTS = 6;

function find({ environment }: PartContext): Promise<Tool | undefined> {
  const folder = findCached(environment, CACHE);
  return Promise.resolve(folder === undefined || !isExecutable(join(folder, 'temporal-server')) ? undefined : toolIn(folder));
}

function toolIn(folder: string): Tool {
  return { executable: join(folder, 'temporal-server'), origin: 'cache', paths: { sqlTool: join(folder, 'temporal-sql-tool') } };
}

function lacking({ environment }: PartContext): Promise<string | undefined> {
  return Promise.resolve(findProgram('go', environment) === undefined ? 'it is built with Go: install Go (apt install golang)' : undefined);
}

async function fetchServer(context: PartContext, report: Report): Promise<Tool> {
  const { environment } = context;
  const line = await lacking(context);
  if (line !== undefined) throw new ToolMissing(line);
  const folder = await cached(environment, CACHE, report, async (partial) => {
    const module = `go.temporal.io/server@v${versions.temporalServer}` as const;
    await goInstall(environment, module, 'cmd/server', partial, '3 to 8 minutes', report);
    await goInstall(environment, module, 'cmd/tools/sql', partial, 'a moment', report);
    await rename(join(partial, 'server'), join(partial, 'temporal-server'));
    await rename(join(partial, 'sql'), join(partial, 'temporal-sql-tool'));
  });
  return toolIn(folder);
}
