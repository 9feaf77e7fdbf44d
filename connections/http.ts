import type { LimitedHttpService } from '../lib/http.ts';
import { parseRateLimit, RATE_LIMIT_HELP } from '../lib/rate-limit.ts';
import { defineConnection } from './define-connection.ts';
import { readService, SERVICE_FIELDS } from './service.ts';
import { serviceFields } from './uri.ts';

export interface HttpConnection extends LimitedHttpService {
  readonly type: 'http';
}

export const http = defineConnection<HttpConnection>({
  type: 'http',
  description: 'An HTTP service; also Slack and webhooks',
  schemes: ['http', 'https'],
  example: 'https://user:password@host/base',
  fields: {
    ...SERVICE_FIELDS,
    rate_limit: {
      description:
        'most requests per second (`s`), minute (`m`) or hour (`h`), such as `1000/m`: further ones wait. Each process counts its own, so ' +
        'with three workers write a third; by default no limit',
      isOption: true,
    },
  },
  fieldsOfUri: serviceFields,
  read(fields) {
    const text = fields.optional('rate_limit');
    const limit = text === undefined ? undefined : (parseRateLimit(text) ?? fields.fail(`'rate_limit' must be ${RATE_LIMIT_HELP}.`));
    return { type: 'http', ...readService(fields), ...(limit && { rate_limit: limit }) };
  },
  async check(connection, signal) {
    const { callHttp } = await import('../lib/http.ts');
    const { status } = await callHttp(connection, { path: '', signal });
    return `HTTP at ${connection.url}, answers ${status}`;
  },
});
