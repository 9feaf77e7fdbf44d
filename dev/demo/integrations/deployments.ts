import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isAbsolute, join } from 'node:path';
import { errorText } from '../../../workflows/plan/values/error-text.ts';
import { type ServiceProcess, startService } from './service-process.ts';

/** A release that runs in an environment. */
interface Deployment {
  readonly release: string;
  readonly version: string;
  /** The release before this one; null for the first. */
  readonly previous: string | null;
  readonly deployed_at: string;
  readonly service: ServiceProcess;
}

/** An environment: the newest release gets its requests; earlier ones run until they are retired. */
interface Environment {
  readonly keepsEarlier: boolean;
  readonly apiKey: string;
  deployments: readonly Deployment[];
}

interface Answer {
  readonly status: number;
  readonly body: object;
}

/** Thrown for a request that cannot be carried out. */
class Refused extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

/** A stand-in for the platform that a company deploys its services with. */
export interface DeploymentPlatform {
  readonly url: string;
  /** The address of an environment's service, for a connection: its newest release, whatever that is. */
  serviceUrl(environment: string): string;
  /** The versions that run in an environment, the newest first. */
  versionsIn(environment: string): readonly string[];
  close(): Promise<void>;
}

/**
 * Starts the stand-in on loopback, with the environments `preview`, `staging` and `production`:
 * `GET /environments/<name>`, `PUT /environments/<name>` with `{release}`, `DELETE /environments/<name>`,
 * `DELETE /environments/<name>/versions/<version>`; and `/services/<name>/…` for the service itself. Requests can be repeated.
 * @param root relative folders of releases are below it
 * @param keys the API key of the service by environment
 */
export async function startDeploymentPlatform(
  python: string,
  root: string,
  keys: Readonly<Record<'preview' | 'staging' | 'production', string>>,
): Promise<DeploymentPlatform> {
  const environments = new Map(
    Object.entries(keys).map(([name, apiKey]): [string, Environment] => [
      name,
      { apiKey, keepsEarlier: name === 'production', deployments: [] },
    ]),
  );
  const find = (name: string): Environment => {
    const environment = environments.get(name);
    if (!environment) throw new Refused(404, `There is no environment '${name}'. Environments: ${Object.keys(keys).join(', ')}.`);
    return environment;
  };
  const deploy = async (name: string, release: string): Promise<Answer> => {
    const environment = find(name);
    const [current] = environment.deployments;
    if (current?.release !== release) {
      const folder = isAbsolute(release) ? release : join(root, release);
      const document = await readFile(join(folder, 'openapi.json'), 'utf8').catch(() => {
        throw new Refused(422, `${release} is not a release: it has no openapi.json.`);
      });
      const { version } = (JSON.parse(document) as { info: { version: string } }).info;
      const service = await startService(python, folder, { API_KEYS: environment.apiKey }).catch((error: unknown) => {
        throw new Refused(422, errorText(error));
      });
      const deployed = { release, version, previous: current?.release ?? null, deployed_at: new Date().toISOString(), service };
      const earlier = environment.deployments;
      environment.deployments = [deployed, ...(environment.keepsEarlier ? earlier : [])];
      if (!environment.keepsEarlier) await Promise.all(earlier.map((each) => each.service.close()));
    }
    return describe(name, environment);
  };
  const retire = async (name: string, version: string): Promise<Answer> => {
    const environment = find(name);
    const [current, ...earlier] = environment.deployments;
    if (current?.version === version) throw new Refused(409, `${version} is the version in use in ${name}.`);
    const retired = earlier.filter((each) => each.version === version);
    environment.deployments = environment.deployments.filter((each) => !retired.includes(each));
    await Promise.all(retired.map((each) => each.service.close()));
    return { status: 200, body: { environment: name, retired: version } };
  };
  const stop = async (name: string): Promise<Answer> => {
    const environment = find(name);
    const { deployments } = environment;
    environment.deployments = [];
    await Promise.all(deployments.map((each) => each.service.close()));
    return { status: 200, body: { environment: name } };
  };
  const answer = (method: string, path: string, body: string): Answer | Promise<Answer> => {
    const [, name = '', version] = /^\/environments\/(\w+)(?:\/versions\/([\w.]+))?$/.exec(path) ?? [];
    if (method === 'GET' && version === undefined) return describe(name, find(name));
    if (method === 'PUT' && version === undefined) return deploy(name, (JSON.parse(body) as { release: string }).release);
    if (method === 'DELETE') return version === undefined ? stop(name) : retire(name, version);
    throw new Refused(404, `There is no ${method} ${path}.`);
  };
  // One change at a time.
  let last: Promise<unknown> = Promise.resolve();
  const server = createServer((incoming, response) => {
    const [, name, path] = /^\/services\/(\w+)(\/.*)$/.exec(incoming.url ?? '') ?? [];
    if (name !== undefined && path !== undefined) return forward(environments.get(name)?.deployments[0], path, incoming, response);
    let body = '';
    incoming.on('data', (chunk: Buffer) => (body += chunk.toString()));
    incoming.on('end', () => {
      last = last.then(async () => {
        const { status, body: content } = await Promise.resolve()
          .then(() => answer(incoming.method ?? '', incoming.url ?? '', body))
          .catch((error: unknown): Answer => ({
            status: error instanceof Refused ? error.status : 500,
            body: { detail: errorText(error) },
          }));
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(content));
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    serviceUrl: (name) => `${url}/services/${name}`,
    versionsIn: (name) => find(name).deployments.map(({ version }) => version),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      for (const name of environments.keys()) await stop(name);
    },
  };
}

function describe(environment: string, { deployments: [current, ...earlier] }: Environment): Answer {
  if (!current) throw new Refused(404, `Nothing is deployed in ${environment}.`);
  const { service, ...deployment } = current;
  return { status: 200, body: { environment, ...deployment, url: service.url, earlier: earlier.map(({ version }) => version) } };
}

/** Sends a request on to the service, and its answer back. */
function forward(deployment: Deployment | undefined, path: string, incoming: IncomingMessage, response: ServerResponse): void {
  if (!deployment) return void response.writeHead(503).end();
  const { method, headers } = incoming;
  const outgoing = request(`${deployment.service.url}${path}`, { ...(method !== undefined && { method }), headers }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
  });
  outgoing.on('error', () => response.destroy());
  incoming.pipe(outgoing);
}
