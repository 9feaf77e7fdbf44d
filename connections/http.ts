import type { HttpService } from '../lib/http.ts';
import { defineConnection } from './define-connection.ts';
import { readService, SERVICE_FIELDS } from './service.ts';
import { serviceFields } from './uri.ts';

export interface HttpConnection extends HttpService {
  readonly type: 'http';
}

export const http = defineConnection<HttpConnection>({
  type: 'http',
  description: 'An HTTP service; also Slack and webhooks',
  schemes: ['http', 'https'],
  example: 'https://user:password@host/base',
  fields: SERVICE_FIELDS,
  fieldsOfUri: serviceFields,
  read: (fields) => ({ type: 'http', ...readService(fields) }),
  async check(connection, signal) {
    const { callHttp } = await import('../lib/http.ts');
    const { status } = await callHttp(connection, { path: '', signal });
    return `HTTP at ${connection.url}, answers ${status}`;
  },
});
