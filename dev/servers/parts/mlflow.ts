import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { answers } from '../answers.ts';
import { cached, findCached } from '../cache.ts';
import { externalConnections } from '../external-connection.ts';
import { homePaths } from '../../home.ts';
import { findPython, makeVenv } from '../python.ts';
import { ToolMissing } from '../tool-missing.ts';
import { versions } from '../versions.ts';
import { type Part, type PartContext, portOf, type Report, type Tool } from './part.ts';

const VARIABLES = ['SLUICE_CONN_MLFLOW_DEFAULT'] as const;
const CACHE = { name: `mlflow-${versions.mlflow}`, essential: 'bin/python' };

/** An MLflow tracking server with its model registry, on SQLite. */
export const mlflow: Part = {
  name: 'mlflow',
  title: 'MLflow',
  purpose: 'keeps versions of models',
  variables: VARIABLES,
  external: ({ environment }) => Promise.resolve(externalConnections(environment, VARIABLES)),
  find,
  lacking: async (context) => ((await find(context)) === undefined ? lacking(context) : undefined),
  fetch: fetchMlflow,
  server: {
    ports: ['http'],
    stopSignal: 'SIGTERM',
    healthyWithinMs: 120_000,
    command: async ({ home, environment }, tool, ports) => {
      const folder = homePaths.data(home, 'mlflow');
      await mkdir(folder, { recursive: true });
      const address = ['--host', '127.0.0.1', '--port', String(portOf(ports, 'http')), '--workers', '1'];
      const store = ['--backend-store-uri', `sqlite:///${join(folder, 'mlflow.db')}`];
      const artifacts = ['--default-artifact-root', join(folder, 'artifacts'), '--no-serve-artifacts'];
      return {
        executable: tool.executable,
        args: ['-m', 'mlflow', 'server', ...address, ...store, ...artifacts],
        environment: { ...environment, MLFLOW_DISABLE_TELEMETRY: 'true', MLFLOW_SERVER_ENABLE_JOB_EXECUTION: 'false' },
        workingFolder: folder,
      };
    },
    healthy: (_, ports) => answers(`http://127.0.0.1:${portOf(ports, 'http')}/health`),
    address: (ports) => `http://127.0.0.1:${portOf(ports, 'http')}`,
  },
  environment: (_, ports) => Promise.resolve({ SLUICE_CONN_MLFLOW_DEFAULT: `mlflow://127.0.0.1:${portOf(ports, 'http')}` }),
};

function find({ environment }: PartContext): Promise<Tool | undefined> {
  const folder = findCached(environment, CACHE);
  return Promise.resolve(folder === undefined ? undefined : { executable: join(folder, CACHE.essential), origin: 'cache', paths: {} });
}

async function lacking({ environment }: PartContext): Promise<string | undefined> {
  if ((await findPython(environment, versions.mlflowPythonAtLeast)) !== undefined) return undefined;
  return `it needs Python ${versions.mlflowPythonAtLeast} or later with venv (apt install python3-venv, brew install python)`;
}

async function fetchMlflow(context: PartContext, report: Report): Promise<Tool> {
  const { environment } = context;
  const python = await findPython(environment, versions.mlflowPythonAtLeast);
  if (python === undefined) throw new ToolMissing((await lacking(context)) ?? 'Python is gone');
  report('fetching MLflow with pip (about 850 MB on the disk); usually 1 to 2 minutes');
  const folder = await cached(environment, CACHE, report, (partial) => makeVenv(environment, python, partial, 'mlflow', report));
  return { executable: join(folder, CACHE.essential), origin: 'cache', paths: {} };
}
