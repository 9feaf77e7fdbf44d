import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { answers } from '../answers.ts';
import { cached, findCached } from '../cache.ts';
import { downloadTemporal } from '../download-temporal.ts';
import { findProgram, findPrograms, isExecutable } from '../../../lib/find-program.ts';
import { runsUrl } from '../../../temporal/web-ui.ts';
import { goInstall } from '../go-install.ts';
import { homePaths } from '../../home.ts';
import { askTool } from '../run-tool.ts';
import { secretOf } from '../secrets.ts';
import { ToolMissing } from '../tool-missing.ts';
import type { Ports } from '../ports.ts';
import { atLeast, versions } from '../versions.ts';
import { type ExternalPart, type Part, type PartContext, portOf, type Report, type Tool } from './part.ts';

const CACHE = { name: `temporal-${versions.temporalCli}`, essential: 'temporal' };

const NAMESPACE = 'default';

/** Any web page could start workflows with the HTTP API, which cannot be disabled: accept only a host name that no browser can resolve. */
const HTTP_HOSTS = ['switched-off.invalid'];

/** Without tuning, the dev server is three to eight times slower: one shard, 20 polls a second, a slow journal. */
const PRAGMAS = ['journal_mode=wal', 'synchronous=1'];
/** Dynamic config of all servers of the stack; docs/04-operating.md has the same for production. */
export const DYNAMIC_CONFIG = {
  // Priority and fairness of task queues, in exact order.
  'matching.useNewMatcher': true,
  'matching.enableFairness': true,
  'matching.numTaskqueueReadPartitions': 1,
  'matching.numTaskqueueWritePartitions': 1,
  'frontend.httpAllowedHosts': HTTP_HOSTS,
};
const DEV_SERVER_CONFIG = {
  ...DYNAMIC_CONFIG,
  'history.transferProcessorMaxPollRPS': 2000,
  'history.timerProcessorMaxPollRPS': 2000,
  'history.visibilityProcessorMaxPollRPS': 500,
};

/** The Temporal server with its web UI: `temporal server start-dev` with its state in a file. */
export const temporal: Part = {
  name: 'temporal',
  title: 'Temporal',
  purpose: 'runs the pipelines',
  variables: [
    'TEMPORAL_ADDRESS',
    'TEMPORAL_NAMESPACE',
    'SLUICE_TEMPORAL_UI',
    'SLUICE_PAYLOAD_KEYS',
    'SLUICE_PAYLOAD_PLAIN',
    'SLUICE_CODEC_ENDPOINT',
  ],
  external: externalTemporal,
  find,
  // Whether the SDK's download works is only known after trying.
  lacking: () => Promise.resolve(undefined),
  fetch: fetchTemporal,
  server: {
    ports: ['grpc', 'ui', 'codec', 'http'],
    stopSignal: 'SIGTERM',
    healthyWithinMs: 60_000,
    command: async ({ home, environment }, tool, ports) => {
      const database = join(homePaths.data(home, 'temporal'), 'temporal.db');
      await plainPayloads(home, existsSync(database));
      await mkdir(dirname(database), { recursive: true });
      return {
        executable: tool.executable,
        args: [
          ...['server', 'start-dev', '--ip', '127.0.0.1', '--port', String(portOf(ports, 'grpc'))],
          ...['--http-port', String(portOf(ports, 'http'))],
          ...['--ui-ip', '127.0.0.1', '--ui-port', String(portOf(ports, 'ui'))],
          ...['--ui-codec-endpoint', codecEndpoint(ports)],
          ...['--db-filename', database, '--log-level', 'warn', '--log-format', 'text'],
          ...PRAGMAS.flatMap((pragma) => ['--sqlite-pragma', pragma]),
          ...Object.entries(DEV_SERVER_CONFIG).flatMap(([key, value]) => ['--dynamic-config-value', `${key}=${JSON.stringify(value)}`]),
        ],
        environment: withoutClientSettings(environment),
      };
    },
    // The UI queries the server, so its answer covers both.
    healthy: (_, ports) => answers(`${uiAt(ports)}/api/v1/namespaces/${NAMESPACE}`),
    address: (ports) => `127.0.0.1:${portOf(ports, 'grpc')}, UI ${runsUrl({ SLUICE_TEMPORAL_UI: uiAt(ports) }, NAMESPACE)}`,
  },
  environment: async ({ home }, ports) => ({
    TEMPORAL_ADDRESS: `127.0.0.1:${portOf(ports, 'grpc')}`,
    TEMPORAL_NAMESPACE: NAMESPACE,
    SLUICE_TEMPORAL_UI: uiAt(ports),
    ...(await payloadEnvironment({ home })),
    ...((await plainPayloads(home, true)) === 'read' && { SLUICE_PAYLOAD_PLAIN: 'read' }),
    // A server started by an earlier release lacks this port.
    ...(ports.codec !== undefined && { SLUICE_CODEC_ENDPOINT: codecEndpoint(ports) }),
  }),
};

function uiAt(ports: Ports): string {
  return `http://127.0.0.1:${portOf(ports, 'ui')}`;
}

/** The payload encryption key of this stack. */
export async function payloadEnvironment({ home }: Pick<PartContext, 'home'>): Promise<{ SLUICE_PAYLOAD_KEYS: string }> {
  return { SLUICE_PAYLOAD_KEYS: `local:${await secretOf(home, 'payload_key', () => randomBytes(32).toString('base64'))}` };
}

/** The address of `sluice codec-server` for the UI. */
function codecEndpoint(ports: Ports): string {
  return `http://127.0.0.1:${portOf(ports, 'codec')}`;
}

/** Whether this stack accepts unencrypted payloads: required if an earlier release without encryption created it. Decided at first use. */
function plainPayloads(home: string, isOld: boolean): Promise<string> {
  return secretOf(home, 'plain_payloads', () => (isOld ? 'read' : 'refuse'));
}

/** Follows the SDK's rules: `TEMPORAL_ADDRESS`, or a profile of a configuration file with an address. */
export async function externalTemporal({ environment }: PartContext): Promise<ExternalPart | undefined> {
  const address = environment['TEMPORAL_ADDRESS'];
  if (address) return { address, detail: 'set by TEMPORAL_ADDRESS' };
  const asked = ['TEMPORAL_PROFILE', 'TEMPORAL_CONFIG_FILE'].filter((name) => environment[name]);
  if (asked.length > 0) return { detail: `set by ${asked.join(' and ')}` };
  const variables = Object.fromEntries(Object.entries(environment).filter((entry): entry is [string, string] => entry[1] !== undefined));
  try {
    const { loadClientConfigProfile } = await import('@temporalio/envconfig');
    const profile = loadClientConfigProfile({ overrideEnvVars: variables });
    return profile.address
      ? { address: profile.address, detail: "set by the default profile of Temporal's configuration file" }
      : undefined;
  } catch {
    return undefined; // no such file, or not a file for this purpose
  }
}

async function find({ environment }: PartContext): Promise<Tool | undefined> {
  for (const executable of findPrograms('temporal', environment)) {
    const version = await askTool(executable, ['--version'], { environment });
    if (version !== undefined && isRecent(version)) return { executable, origin: 'PATH', paths: {} };
  }
  const folder = findCached(environment, CACHE);
  if (folder === undefined) return undefined;
  const executable = join(folder, 'temporal');
  return isExecutable(executable) ? { executable, origin: 'cache', paths: {} } : undefined;
}

/** Parses `temporal version 1.5.1 (Server 1.29.1, UI 2.42.1)`; a self-built CLI reports 0.0.0-DEV as its version. */
function isRecent(answer: string): boolean {
  const cli = /temporal version (\d+\.\d+\.\d+)/.exec(answer)?.[1];
  const server = /Server (\d+\.\d+\.\d+)/.exec(answer)?.[1];
  if (cli !== undefined && cli !== '0.0.0') return atLeast(cli, versions.temporalCliAtLeast);
  return server !== undefined && atLeast(server, versions.temporalServerAtLeast);
}

async function fetchTemporal({ environment }: PartContext, report: Report): Promise<Tool> {
  const folder = await cached(environment, CACHE, report, async (partial) => {
    const executable = join(partial, 'temporal');
    if (await downloadTemporal(environment, executable, report)) return;
    if (findProgram('go', environment) === undefined) {
      throw new ToolMissing(
        'the Temporal CLI could not be downloaded, and without Go it cannot be built: ' +
          `install the temporal CLI ${versions.temporalCliAtLeast} or later (brew install temporal), or Go (apt install golang, brew install go)`,
      );
    }
    await goInstall(environment, `github.com/temporalio/cli@v${versions.temporalCli}`, 'cmd/temporal', partial, '3 to 8 minutes', report);
  });
  return { executable: join(folder, 'temporal'), origin: 'cache', paths: {} };
}

/** The CLI reads client variables too, and fails on an unknown profile. */
export function withoutClientSettings(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !name.startsWith('TEMPORAL_')));
}
