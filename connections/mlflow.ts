import type { HttpService } from '../lib/http.ts';
import { defineConnection } from './define-connection.ts';
import { fieldsOfProtocol, readService, SERVICE_FIELDS } from './service.ts';

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
  fieldsOfUri: (uri) => fieldsOfProtocol('mlflow', uri),
  read: (fields) => ({ type: 'mlflow', ...readService(fields) }),
  async check(connection, signal) {
    const { callHttp } = await import('../lib/http.ts');
    const path = 'api/2.0/mlflow/registered-models/search?max_results=1';
    const { status } = await callHttp(connection, { path, redirect: 'manual', signal });
    if (status !== 200) throw new Error(`${connection.url} answers ${status} to /${path}`);
    return `MLflow at ${connection.url}`;
  },
});
