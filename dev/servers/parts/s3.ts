import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { answers } from '../answers.ts';
import { cached, findCached } from '../cache.ts';
import { externalConnections } from '../external-connection.ts';
import { findProgram } from '../../../lib/find-program.ts';
import { goInstall } from '../go-install.ts';
import { homePaths } from '../../home.ts';
import { findPython, makeVenv } from '../python.ts';
import { secretOf } from '../secrets.ts';
import { ToolMissing } from '../tool-missing.ts';
import { versions } from '../versions.ts';
import { type Part, type PartContext, portOf, type Report, type Tool } from './part.ts';

const VARIABLES = ['SLUICE_CONN_AWS_DEFAULT'] as const;
const REGION = 'us-east-1';
const OUTPUTS = 'sluice-outputs';
const BUCKETS = ['raw-data', 'transformed-data', 'reports', 'training-data', 'models', OUTPUTS] as const;
const VERSITYGW_CACHE = { name: `versitygw-${versions.versitygw}`, essential: 'versitygw' };
const MOTO_CACHE = { name: `moto-${versions.moto}`, essential: 'bin/python' };
const MOTO_PYTHON = '3.10';

/** An S3 server: versitygw over plain files, or in-memory moto if Go is not available to build it. */
export const s3: Part = {
  name: 's3',
  title: 'S3',
  purpose: 'holds the files between tasks',
  variables: VARIABLES,
  external: ({ environment }) => Promise.resolve(externalConnections(environment, VARIABLES)),
  find,
  lacking: async (context) => {
    if ((await find(context)) !== undefined || findProgram('go', context.environment) !== undefined) return undefined;
    return (await findPython(context.environment, MOTO_PYTHON)) === undefined ? LACKING : undefined;
  },
  fetch: fetchS3,
  server: {
    ports: ['http'],
    stopSignal: 'SIGTERM',
    healthyWithinMs: 30_000,
    command: async ({ home, environment }, tool, ports) => {
      const port = portOf(ports, 'http');
      if (tool.paths['kind'] === 'moto') {
        return {
          executable: tool.executable,
          args: ['-m', 'moto.server', '-H', '127.0.0.1', '-p', String(port)],
          environment,
          note: 'moto: objects are in memory and gone when it stops (install Go for a server that keeps them)',
        };
      }
      const objects = homePaths.data(home, 's3');
      await mkdir(objects, { recursive: true });
      const { access, secret } = await credentials(home);
      return {
        executable: tool.executable,
        args: ['--port', `127.0.0.1:${port}`, '--region', REGION, '--quiet', 'posix', objects],
        // Not as arguments, which all users of the machine can read.
        environment: { ...environment, ROOT_ACCESS_KEY: access, ROOT_SECRET_KEY: secret },
      };
    },
    healthy: (_, ports) => answers(`http://127.0.0.1:${portOf(ports, 'http')}/`, true),
    prepare: createBuckets,
    address: (ports) => `http://127.0.0.1:${portOf(ports, 'http')}`,
  },
  environment: async ({ home }, ports) => {
    const { access, secret } = await credentials(home);
    const query = `endpoint_url=${encodeURIComponent(`http://127.0.0.1:${portOf(ports, 'http')}`)}&region_name=${REGION}`;
    return { SLUICE_CONN_AWS_DEFAULT: `aws://${access}:${secret}@/?${query}`, SLUICE_OUTPUTS: `s3://${OUTPUTS}` };
  },
};

const LACKING = 'neither Go nor Python with venv is there to fetch an S3 server: install Go (apt install golang, brew install go)';

async function find({ environment }: PartContext): Promise<Tool | undefined> {
  const onPath = findProgram('versitygw', environment);
  if (onPath !== undefined) return { executable: onPath, origin: 'PATH', paths: { kind: 'versitygw' } };
  const gateway = findCached(environment, VERSITYGW_CACHE);
  if (gateway !== undefined) return gatewayIn(gateway);
  // If Go was installed since, fetch the better server.
  if (findProgram('go', environment) !== undefined) return undefined;
  const moto = findCached(environment, MOTO_CACHE);
  return moto === undefined ? undefined : motoIn(moto);
}

async function fetchS3({ environment }: PartContext, report: Report): Promise<Tool> {
  let failure: Error | undefined;
  if (findProgram('go', environment) !== undefined) {
    const module = `github.com/versity/versitygw@v${versions.versitygw}` as const;
    const build = (partial: string) => goInstall(environment, module, 'cmd/versitygw', partial, '2 to 3 minutes', report);
    try {
      return gatewayIn(await cached(environment, VERSITYGW_CACHE, report, build));
    } catch (error) {
      failure = error as Error; // an old Go, or a proxy that rejects: moto may still work
    }
  }
  const python = await findPython(environment, MOTO_PYTHON);
  if (python === undefined) throw failure ?? new ToolMissing(LACKING);
  report('fetching moto with pip; usually under a minute');
  return motoIn(await cached(environment, MOTO_CACHE, report, (partial) => makeVenv(environment, python, partial, 'moto', report)));
}

function gatewayIn(folder: string): Tool {
  return { executable: join(folder, 'versitygw'), origin: 'cache', paths: { kind: 'versitygw' } };
}

function motoIn(folder: string): Tool {
  return { executable: join(folder, 'bin/python'), origin: 'cache', paths: { kind: 'moto' } };
}

async function credentials(home: string): Promise<{ access: string; secret: string }> {
  return { access: (await secretOf(home, 's3_access_key')).slice(0, 20), secret: await secretOf(home, 's3_secret_key') };
}

async function createBuckets({ home }: PartContext, ports: Readonly<Record<string, number>>): Promise<void> {
  // Imported lazily: it takes a third of a second, and a reused server already has its buckets.
  const { CreateBucketCommand, S3Client, S3ServiceException } = await import('@aws-sdk/client-s3');
  const { access, secret } = await credentials(home);
  const client = new S3Client({
    endpoint: `http://127.0.0.1:${portOf(ports, 'http')}`,
    region: REGION,
    forcePathStyle: true,
    credentials: { accessKeyId: access, secretAccessKey: secret },
  });
  try {
    for (const Bucket of BUCKETS) {
      await client.send(new CreateBucketCommand({ Bucket })).catch((error: unknown) => {
        const present = error instanceof S3ServiceException && ['BucketAlreadyOwnedByYou', 'BucketAlreadyExists'].includes(error.name);
        if (!present) throw error;
      });
    }
  } finally {
    client.destroy();
  }
}
