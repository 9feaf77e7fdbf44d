import { isHostWithPort } from '../lib/addresses.ts';
import type { PagerDutyConnection } from '../lib/channels/pagerduty.ts';
import { defineConnection } from './define-connection.ts';
import { ENCODE, serverParts } from './uri.ts';

export const pagerduty = defineConnection<PagerDutyConnection>({
  type: 'pagerduty',
  description: 'A PagerDuty service (Events API v2)',
  schemes: ['pagerduty'],
  example: 'pagerduty://ROUTING_KEY@events.pagerduty.com',
  fields: {
    routing_key: { description: 'integration key of the service', secret: 'all' },
    host: { description: 'host of the Events API; `events.eu.pagerduty.com` for accounts in the EU', inExpressions: 'string' },
  },
  fieldsOfUri(uri) {
    const { user, password, host, port, path } = serverParts(uri);
    if (path !== '') return uri.fail(`a URI of type pagerduty has no path; ${ENCODE}`);
    if (password !== '') return uri.fail('a URI of type pagerduty has one key: pagerduty://KEY@host.');
    return { routing_key: user, host: port === '' ? host : `${host}:${port}` };
  },
  read({ optional, required, fail }) {
    const host = optional('host');
    if (host !== undefined && !isHostWithPort(host)) fail(`'host' must be of the form host or host:port.`);
    return { type: 'pagerduty', routing_key: required('routing_key'), ...(host !== undefined && { host }) };
  },
  async check(connection, signal) {
    const { exchange } = await import('../lib/http/exchange.ts');
    const host = connection.host ?? 'events.pagerduty.com';
    // Any answer proves the connection: sending an event would page someone.
    await exchange({ method: 'HEAD', url: new URL(`https://${host}/`), headers: {} }, 0, signal);
    return `PagerDuty at ${host}; \`sluice incidents test\` sends an alert and resolves it`;
  },
});
