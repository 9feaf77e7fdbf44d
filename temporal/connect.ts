import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { Client, Connection, type ConnectionOptions } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { withinTime } from '../lib/time-limit.ts';
import type { Environment } from '../lib/environment.ts';
import { dataConverterFrom } from './codec/codec.ts';
import { errorText } from '../workflows/plan/values/error-text.ts';

/** Thrown when the Temporal server does not answer; says where it was looked for, and what to do. */
export class TemporalUnavailable extends Error {
  override readonly name = 'TemporalUnavailable';
}

/** How long a connection may take, in milliseconds. */
const CONNECT_TIMEOUT = 10_000;
/** A port that refuses is tried once more after this time, in milliseconds: its server may be starting. */
const REFUSED_RETRY_MS = 500;

/**
 * A client for the server that the environment names: `TEMPORAL_ADDRESS` and the rest of Temporal's standard variables, or a profile of
 * its configuration file. Close `client.connection` when done.
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

/** Fails when nothing listens at `address`; the Temporal SDK would try for as long as a connection may take. */
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

/** Opens a connection and closes it; resolves as well when nothing is known within the time. */
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

/** What the environment says of the server. */
export function temporalSettings(environment: Environment) {
  const defined = Object.fromEntries(Object.entries(environment).filter((entry): entry is [string, string] => entry[1] !== undefined));
  const { connectionOptions, namespace } = loadClientConnectConfig({ overrideEnvVars: defined });
  return {
    connectionOptions: { ...connectionOptions, address: connectionOptions.address ?? 'localhost:7233' },
    namespace: namespace ?? 'default',
  };
}

/** What to tell when the server at `address` does not answer. */
export function unavailable(address: string, error: unknown): TemporalUnavailable {
  return new TemporalUnavailable(
    `No Temporal server answers at ${address}: ${errorText(error)}. ` +
      `Start the local stack with \`npm start\` or \`npm run stack -- start\`, or set TEMPORAL_ADDRESS to your server.`,
    { cause: error },
  );
}

/** How long the server may take to say that it is there, in milliseconds. */
const ASK_WITHIN = 3_000;

/** Asks the server whether it is there. @throws when it does not answer in 3 s */
export async function askTemporal(client: Client): Promise<void> {
  const { namespace } = client.options;
  // Not only the front desk: this has to be read from its database.
  const ask = () => client.withDeadline(Date.now() + ASK_WITHIN, () => client.workflowService.describeNamespace({ namespace }));
  // A connection of workers repeats a call beyond its deadline.
  await withinTime(ASK_WITHIN, undefined, ask);
}

/** As `askTemporal`, in words for a health page. @returns `answers`, or why it does not */
export async function temporalState(client: Client): Promise<string> {
  try {
    await askTemporal(client);
    return 'answers';
  } catch (error) {
    return `does not answer: ${errorText(error)}`;
  }
}

/** The server's address, for people. */
export function temporalAddress(environment: Environment): string {
  return temporalSettings(environment).connectionOptions.address;
}
