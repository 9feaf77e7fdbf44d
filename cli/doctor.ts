import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ListBucketsCommand } from '@aws-sdk/client-s3';
import { Command } from 'commander';
import { type Connection, connectionsFrom, connectionVariable, parseConnection } from '../lib/connections.ts';
import { taskQueueOf } from '../lib/environment.ts';
import { EXIT } from '../lib/exit-code.ts';
import { callHttp } from '../lib/http.ts';
import { exchange } from '../lib/http/exchange.ts';
import { createKafka } from '../lib/kafka/client.ts';
import { openMySQL } from '../lib/mysql.ts';
import { openPostgres } from '../lib/postgres.ts';
import { openRabbitMQ } from '../lib/rabbitmq.ts';
import { openS3 } from '../lib/s3.ts';
import { withinTime } from '../lib/time-limit.ts';
import { TemporalUnavailable } from '../temporal/connect.ts';
import { ensureSearchAttributes } from '../temporal/search-attributes.ts';
import { payloadKeysFrom } from '../temporal/payload-keys.ts';
import { askWorkers } from '../temporal/probe.ts';
import { compilePaths, environment, outputOption, type OutputOptions, PIPELINES, print } from './command-context.ts';
import { withClient } from './with-client.ts';

interface Check {
  readonly what: string;
  readonly ok: boolean;
  readonly detail: string;
}

/** How long one server may take to answer, in milliseconds. */
const PATIENCE = 15_000;

/** `sluice doctor`: looks at everything that a run needs, and says what is wrong and what to do. */
export const command = new Command('doctor')
  .description('Look at all that runs need: Temporal, workers, connections, pipelines. Says what is wrong and what to do.')
  .addOption(outputOption())
  .addHelpText('after', '\nExample:\n  sluice doctor\n\nExit codes: 0 all well, 1 something is wrong, 4 no Temporal server.')
  .action(async (options: OutputOptions) => {
    const temporal = await checkTemporal();
    const connections = await Promise.all(connectionsFrom(environment).names().map(checkConnection));
    const checks = [...temporal.checks, ...checkEncryption(), await checkPipelines(), ...connections];
    if (connections.length === 0)
      checks.push({ what: 'connections', ok: false, detail: 'none is defined: start the local stack, or set SLUICE_CONN_… variables' });
    print(options, checks, checks.map(({ what, ok, detail }) => `${ok ? '✔' : '✘'} ${what}: ${detail}`).join('\n'));
    process.exitCode = temporal.unavailable ? EXIT.cannotConnect : checks.every(({ ok }) => ok) ? EXIT.ok : EXIT.failed;
  });

async function checkTemporal(): Promise<{ checks: Check[]; unavailable: boolean }> {
  try {
    return await withClient(async (client) => {
      const { serverVersion } = await client.workflowService.getSystemInfo({});
      await ensureSearchAttributes(client);
      const taskQueue = taskQueueOf(environment);
      const workersAnswer = await askWorkers(client, taskQueue);
      return {
        unavailable: false,
        checks: [
          { what: 'Temporal', ok: true, detail: `server ${serverVersion}, namespace ${client.options.namespace}` },
          {
            what: 'workers',
            ok: workersAnswer,
            detail: workersAnswer
              ? `answer on task queue '${taskQueue}'`
              : `none answers on task queue '${taskQueue}': start one with \`npm run worker\``,
          },
        ],
      };
    });
  } catch (error) {
    return { unavailable: error instanceof TemporalUnavailable, checks: [{ what: 'Temporal', ok: false, detail: messageOf(error) }] };
  }
}

/** With other keys than the workers have, nothing of what runs is read. */
function checkEncryption(): Check[] {
  const what = 'encryption';
  try {
    const keys = payloadKeysFrom(environment);
    const plain = keys?.readsPlain ? '; payloads without encryption are read too (SLUICE_PAYLOAD_PLAIN)' : '';
    const detail = keys
      ? `payloads are encrypted with the key '${keys.first}'${plain}`
      : 'payloads are not encrypted: set SLUICE_PAYLOAD_KEYS';
    return [{ what, ok: true, detail }];
  } catch (error) {
    return [{ what, ok: false, detail: messageOf(error) }];
  }
}

async function checkPipelines(): Promise<Check> {
  const compilations = await compilePaths([PIPELINES]);
  const bad = compilations.filter(({ plan }) => !plan);
  return {
    what: 'pipelines',
    ok: bad.length === 0,
    detail:
      bad.length === 0
        ? `${compilations.length} compile`
        : `${bad.map(({ file }) => file).join(', ')} ${bad.length === 1 ? 'has' : 'have'} mistakes: see \`sluice validate\``,
  };
}

async function checkConnection(name: string): Promise<Check> {
  const what = `connection ${name}`;
  try {
    const connection = parseConnection(name, environment[connectionVariable(name)] ?? '');
    return { what, ok: true, detail: await withinTime(PATIENCE, undefined, (signal) => reach(connection, signal)) };
  } catch (error) {
    return { what, ok: false, detail: `${messageOf(error)} (${connectionVariable(name)})` };
  }
}

/** Talks to the other side once; resolves to what it says of itself. */
async function reach(connection: Connection, signal: AbortSignal): Promise<string> {
  switch (connection.type) {
    case 'postgres':
    case 'redshift': {
      const session = await openPostgres(connection, 'sluice doctor', signal);
      try {
        const { rows } = await session.client.query<{ version: string }>('SELECT version()');
        return `${rows[0]?.version.split(' ').slice(0, 2).join(' ')} at ${connection.host}:${connection.port}, database ${connection.database}`;
      } finally {
        await session.close();
      }
    }
    case 'mysql': {
      const session = await openMySQL(connection, 'sluice doctor', signal);
      try {
        const { rows } = await session.query('SELECT version()');
        const version = rows[0]?.[0] ?? '';
        return `${/mariadb/i.test(version) ? 'MariaDB' : 'MySQL'} ${version} at ${connection.host}:${connection.port}, database ${connection.database}`;
      } finally {
        await session.close();
      }
    }
    case 'aws': {
      const client = openS3(connection);
      try {
        const { Buckets } = await client.send(new ListBucketsCommand({}));
        return `S3 at ${connection.endpoint_url ?? connection.region_name}, buckets: ${Buckets?.map((bucket) => bucket.Name).join(', ') || 'none'}`;
      } finally {
        client.destroy();
      }
    }
    case 'kafka': {
      const admin = createKafka(connection, 'sluice doctor').admin();
      try {
        await admin.connect();
        const { brokers } = await admin.describeCluster();
        return `Kafka at ${connection.brokers.join(', ')}, ${brokers.length} broker${brokers.length === 1 ? '' : 's'}`;
      } finally {
        await admin.disconnect();
      }
    }
    case 'http': {
      const { status } = await callHttp(connection, { path: '', signal });
      return `HTTP at ${connection.url}, answers ${status}`;
    }
    case 'mlflow': {
      const path = 'api/2.0/mlflow/registered-models/search?max_results=1';
      const { status } = await callHttp(connection, { path, redirect: 'manual', signal });
      if (status !== 200) throw new Error(`${connection.url} answers ${status} to /${path}`);
      return `MLflow at ${connection.url}`;
    }
    case 'pagerduty': {
      const host = connection.host ?? 'events.pagerduty.com';
      // Any answer will do: an event would page somebody.
      await exchange({ method: 'HEAD', url: new URL(`https://${host}/`), headers: {} }, 0, signal);
      return `PagerDuty at ${host}; \`sluice incidents test\` sends an alert and resolves it`;
    }
    case 'rabbitmq': {
      const session = await openRabbitMQ(connection, 'sluice doctor');
      const { product, version } = session.connection.serverProperties;
      await session.close();
      return `${product} ${version} at ${connection.host}:${connection.port}, vhost ${connection.vhost}`;
    }
    case 'spark': {
      const program = connection.spark_home === undefined ? 'spark-submit' : join(connection.spark_home, 'bin', 'spark-submit');
      const env = { ...process.env, ...(connection.java_home && { JAVA_HOME: connection.java_home }) };
      const { stderr } = await promisify(execFile)(program, ['--version'], { env });
      return `Spark ${/version (\S+)/.exec(stderr)?.[1] ?? ''}, master ${connection.master}`;
    }
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message || error.name : String(error);
}
