import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { Client, Connection, type ConnectionOptions } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { withinTime } from '../lib/time-limit.ts';
import type { Environment } from '../lib/environment.ts';
import { dataConverterFrom } from './codec/codec.ts';
import { errorText } from '../workflows/plan/values/error-text.ts';

/** Thrown when the Temporal server does not answer; says at which address, and what to do. */
export class TemporalUnavailable extends Error {
  override readonly name = 'TemporalUnavailable';
}

/** Time limit for a connection, in milliseconds. */
const CONNECT_TIMEOUT = 10_000;
/** Retry a refused port once after this time, in milliseconds: the server may be starting. */
const REFUSED_RETRY_MS = 500;

/**
 * Connects to the server that the environment names: with `TEMPORAL_ADDRESS` and Temporal's other standard variables, or a profile of its
 * configuration file. Close `client.connection` when done.
 * @throws TemporalUnavailable, SettingError
 */
export async function connectClient(environment: Environment): Promise<Client> {
  const { connectionOptions, namespace } = temporalSettings(environment);
  const { address } = connectionOptions;
  const dataConverter = dataConverterFrom(environment);
  try {
    await checkPort(address);
    const connection = await Connection.connect({ ...(connectionOptions as ConnectionOptions), connectTimeout: CONNECT_TIMEOUT });
    return new Client({ connection, namespace, dataConverter });
  } catch (error) {
    throw unavailable(address, error);
  }
}

/** Fails if nothing listens at `address`; the Temporal SDK would retry until its time limit. */
async function checkPort(address: string): Promise<void> {
  const [, host = '', port = ''] = /^\[?([^\]/]+?)\]?:(\d+)$/.exec(address) ?? [];
  if (host === '') return;
  await touch(host, Number(port)).catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== 'ECONNREFUSED') return;
    await delay(REFUSED_RETRY_MS);
    await touch(host, Number(port)).catch((again: NodeJS.ErrnoException) => {
      if (again.code === 'ECONNREFUSED') throw again;
    });
  });
}

/** Opens and closes a connection; also resolves if there is no result within the time limit. */
function touch(host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, timeout: REFUSED_RETRY_MS });
    const end = (done: () => void): void => {
      socket.destroy();
      done();
    };
    socket.once('connect', () => end(resolve));
    socket.once('timeout', () => end(resolve));
    socket.once('error', (error) => end(() => reject(error)));
  });
}

/** The server settings in the environment. */
export function temporalSettings(environment: Environment) {
  const defined = Object.fromEntries(Object.entries(environment).filter((entry): entry is [string, string] => entry[1] !== undefined));
  const { connectionOptions, namespace } = loadClientConnectConfig({ overrideEnvVars: defined });
  return {
    connectionOptions: { ...connectionOptions, address: connectionOptions.address ?? 'localhost:7233' },
    namespace: namespace ?? 'default',
  };
}

/** The error to throw when the server at `address` does not answer. */
export function unavailable(address: string, error: unknown): TemporalUnavailable {
  return new TemporalUnavailable(
    `No Temporal server answers at ${address}: ${errorText(error)}. ` +
      `Start the local stack with \`npm start\` or \`sluice stack start\`, or set TEMPORAL_ADDRESS to your server.`,
    { cause: error },
  );
}

/** Time limit for the server to answer, in milliseconds. */
const ASK_WITHIN = 3_000;

/** Checks that the server answers. @throws when it does not answer in 3 s */
export async function askTemporal(client: Client): Promise<void> {
  const { namespace } = client.options;
  // This call reads the server's database, unlike a plain health check.
  const ask = () => client.withDeadline(Date.now() + ASK_WITHIN, () => client.workflowService.describeNamespace({ namespace }));
  // A worker connection retries a call beyond its deadline.
  await withinTime(ASK_WITHIN, undefined, ask);
}

/** Like `askTemporal`, as text for a health page. @returns `answers`, or why the server does not */
export async function temporalState(client: Client): Promise<string> {
  try {
    await askTemporal(client);
    return 'answers';
  } catch (error) {
    return `does not answer: ${errorText(error)}`;
  }
}

/** The server's address, for messages. */
export function temporalAddress(environment: Environment): string {
  return temporalSettings(environment).connectionOptions.address;
}
