import type { HttpService } from '../lib/http.ts';
import { isLoopback } from '../lib/loopback.ts';
import { defineConnection } from './define-connection.ts';
import { readService, SERVICE_FIELDS } from './service.ts';
import { serviceFields } from './uri.ts';

/** An MLflow tracking server with its model registry. */
export interface MlflowConnection extends HttpService {
  readonly type: 'mlflow';
}

export const mlflow = defineConnection<MlflowConnection>({
  type: 'mlflow',
  description: 'An MLflow tracking server with its model registry',
  schemes: ['mlflow', 'mlflow+http', 'mlflow+https'],
  example: 'mlflow+https://user:password@host/base',
  fields: SERVICE_FIELDS,
  fieldsOfUri(uri) {
    const fields = serviceFields({ ...uri, text: addressOf(uri.text) });
    // `tls` follows from the scheme.
    return uri.scheme === 'mlflow+http' ? { tls: 'false', ...fields } : fields;
  },
  read: (fields) => ({ type: 'mlflow', ...readService(fields) }),
  async check(connection, signal) {
    const { callHttp } = await import('../lib/http.ts');
    const path = 'api/2.0/mlflow/registered-models/search?max_results=1';
    const { status } = await callHttp(connection, { path, redirect: 'manual', signal });
    if (status !== 200) throw new Error(`${connection.url} answers ${status} to /${path}`);
    return `MLflow at ${connection.url}`;
  },
});

/** `mlflow+https://host` as `https://host`. Without a protocol in the scheme: encrypted, except on localhost. */
function addressOf(text: string): string {
  const address = text.replace(/^mlflow\+?/, '');
  if (!address.startsWith(':')) return address;
  const secure = `https${address}`;
  return URL.canParse(secure) && isLoopback(new URL(secure).hostname) ? `http${address}` : secure;
}
