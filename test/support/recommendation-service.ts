import { createProgress } from '../../lib/progress.ts';
import { RECOMMENDATIONS, type ServiceProcess, startService } from '../../dev/demo/integrations/service-process.ts';
import { servicePython } from '../../dev/servers/service-python.ts';

/** What happens to the next requests of a method whose path begins with `path`. */
export interface ServiceFault {
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly path: string;
  /** `close`: the request is carried out, and the connection closed within the answer. */
  readonly kind: '429' | '500' | 'garbage' | 'close';
  readonly count: number;
}

/** What the service has received and done. */
export interface ServiceReport {
  /** How often requests with an idempotency key were carried out. */
  readonly effects: Readonly<Record<string, number>>;
  /** Requests by method and path, without those beyond the limit. */
  readonly received: Readonly<Record<string, number>>;
  /** Requests beyond the limit. */
  readonly refused: number;
  /** Faults that did not happen yet. */
  readonly pending: number;
}

/** The recommendation service of `examples/integrations/`, as a process of its own. */
export interface TestService extends ServiceProcess {
  /** Its connection for pipelines. @param rateLimit such as `1000/m` */
  connection(rateLimit?: string): string;
  setFaults(faults: readonly ServiceFault[]): Promise<void>;
  report(): Promise<ServiceReport>;
}

const KEY = 'key-of-the-tests';

/** Starts the service with an API key and faults on request. Close it in `after`. @param rateLimit of the key */
export async function startTestService(rateLimit = '1000/m', folder = RECOMMENDATIONS): Promise<TestService> {
  const step = createProgress().step('FastAPI');
  const python = await servicePython(process.env, (text) => step.update(text));
  step.done();
  const service = await startService(python, folder, { API_KEYS: KEY, RATE_LIMIT: rateLimit, FAULTS: 'on' });
  return {
    ...service,
    connection: (limit) => `${service.url}/?token=${KEY}${limit === undefined ? '' : `&rate_limit=${limit}`}`,
    async setFaults(faults) {
      const { status } = await fetch(`${service.url}/faults`, { method: 'PUT', body: JSON.stringify(faults) });
      if (status !== 204) throw new Error(`The service answers ${status} to its faults.`);
    },
    report: async () => (await (await fetch(`${service.url}/faults`)).json()) as ServiceReport,
  };
}
