import type { ConnectionType } from '../connections.ts';
import { isLoopback } from '../loopback.ts';
import { fieldKindsOf } from './field-kinds.ts';

/** The fields of a connection as they were given, before each is checked. */
export type Fields = Record<string, unknown>;

type Fail = (what: string) => never;

/** Schemes of URIs, and the connection type each stands for. */
const SCHEMES: Record<string, ConnectionType> = {
  postgres: 'postgres',
  postgresql: 'postgres',
  redshift: 'redshift',
  mysql: 'mysql',
  mariadb: 'mysql',
  aws: 'aws',
  s3: 'aws',
  kafka: 'kafka',
  http: 'http',
  https: 'http',
  mlflow: 'mlflow',
  'mlflow+http': 'mlflow',
  'mlflow+https': 'mlflow',
  pagerduty: 'pagerduty',
  amqp: 'rabbitmq',
  amqps: 'rabbitmq',
};

const ENCODE = 'characters such as @ / # ? : \\ in a user or a password must be percent-encoded.';
const NO_HOST = 'no-host.invalid';

export function fieldsOfJson(text: string, fail: Fail): Fields {
  const fields = parseJson(text, fail);
  const kinds = fieldKindsOf(fields.type);
  for (const [key, value] of kinds ? Object.entries(fields) : []) {
    if (key === 'type') continue;
    const kind = kinds && Object.hasOwn(kinds, key) ? kinds[key] : undefined;
    if (!kind)
      return fail(`it has a field that type ${String(fields.type)} does not have; allowed: ${Object.keys(kinds ?? {}).join(', ')}.`);
    const isList = Array.isArray(value) && kind.isList;
    if (!isList && !['string', 'number', 'boolean'].includes(typeof value)) fail(`'${key}' must be a text, a number, true or false.`);
  }
  return fields;
}

function parseJson(text: string, fail: Fail): Fields {
  try {
    return JSON.parse(text) as Fields;
  } catch {
    return fail('it begins with { but is not valid JSON.');
  }
}

export function fieldsOfUri(text: string, fail: Fail): Fields {
  const scheme = /^([a-z0-9+]+):\/\//.exec(text)?.[1] ?? fail('it is neither a URI nor JSON.');
  const type = SCHEMES[scheme] ?? fail(`its scheme is '${scheme}'; allowed: ${Object.keys(SCHEMES).join(', ')}, or JSON.`);
  // An unencoded character would make a part of a password the host, and send the rest of it there.
  if (/^[^?]*[^?/]\/[^?]*@/.test(text.slice(scheme.length + '://'.length)) || /[#\\\s\p{Cc}]/u.test(text)) {
    return fail(`the URI is not valid; ${ENCODE}`);
  }
  if (type === 'http') return httpFields(text, type, fail);
  if (type === 'mlflow') {
    const fields = httpFields(mlflowAddress(text), type, fail);
    // The scheme says it.
    return scheme === 'mlflow+http' ? { tls: 'false', ...fields } : fields;
  }
  if (type === 'kafka') return kafkaFields(text.slice('kafka://'.length), fail);
  // `http:` stands in for the scheme, because URL takes user, port and host apart only for schemes it knows; and a host where there is
  // none, as in `aws://KEY:SECRET@/`. URL drops port 80, its scheme's default; none of these servers listens there.
  const standIn = text.replace(/^[a-z0-9+]+:\/\//, 'http://').replace(/^(http:\/\/(?:[^/?#]*@)?)(?=[/?#]|$)/, `$1${NO_HOST}`);
  if (!URL.canParse(standIn)) return fail(`the URI is not valid; ${ENCODE}`);
  const url = new URL(standIn);
  const [user, password] = [decode(url.username, fail), decode(url.password, fail)];
  const query = queryFields(url.searchParams, type, fail);
  const host = url.hostname === NO_HOST ? '' : url.hostname;
  const path = decode(url.pathname.slice(1), fail);
  if ((type === 'aws' || type === 'pagerduty') && path !== '') return fail(`a URI of type ${type} has no path; ${ENCODE}`);
  if (type === 'aws') {
    if (host !== '') return fail(`a URI of type aws has no host: aws://KEY:SECRET@/?endpoint_url=…; ${ENCODE}`);
    return { ...query, type, access_key_id: user, secret_access_key: password };
  }
  if (type === 'pagerduty') {
    if (password !== '') return fail('a URI of type pagerduty has one key: pagerduty://KEY@host.');
    return { type, routing_key: user, host: url.port === '' ? host : `${host}:${url.port}` };
  }
  const server = { ...query, type, user, password, host, port: url.port };
  if (type !== 'rabbitmq') return { ...server, database: path };
  if (scheme === 'amqps' && query.tls === 'false')
    return fail(`'tls' is false and the address begins with amqps://; leave one of them out.`);
  return { ...server, vhost: path, ...(scheme === 'amqps' && { tls: 'true' }) };
}

/** The options behind the `?`: each is known, and given once. */
function queryFields(query: URLSearchParams, type: ConnectionType, fail: Fail): Record<string, string> {
  const allowed = Object.entries(fieldKindsOf(type) ?? {}).flatMap(([name, { isOption }]) => (isOption ? [name] : []));
  const given = [...query.keys()];
  // They are not shown: what is not known may be a part of a password.
  if (given.some((key) => !allowed.includes(key))) {
    fail(`it has an option that type ${type} does not have; allowed: ${allowed.join(', ') || 'none'}. Also, ${ENCODE}`);
  }
  const twice = allowed.find((key) => given.filter((each) => each === key).length > 1);
  if (twice !== undefined) fail(`'${twice}' is given more than once.`);
  return Object.fromEntries(query);
}

/** `mlflow+https://host` as `https://host`. Where the scheme does not say it: encrypted, but to this host. */
function mlflowAddress(text: string): string {
  const address = text.replace(/^mlflow\+?/, '');
  if (!address.startsWith(':')) return address;
  const secure = `https${address}`;
  return URL.canParse(secure) && isLoopback(new URL(secure).hostname) ? `http${address}` : secure;
}

/** `https://user:password@host/base?token=…`; a query is no part of the address. */
function httpFields(text: string, type: ConnectionType, fail: Fail): Fields {
  if (!URL.canParse(text)) return fail(`the URI is not valid; ${ENCODE}`);
  const { protocol, host, pathname, username, password, searchParams } = new URL(text);
  return {
    ...queryFields(searchParams, type, fail),
    type,
    url: `${protocol}//${host}${pathname}`,
    username: decode(username, fail),
    password: decode(password, fail),
  };
}

/** `user:password@host:9092,host:9092/?security_protocol=SASL_SSL`: several hosts, which a URL cannot have. */
function kafkaFields(text: string, fail: Fail): Fields {
  const [, user = '', password = '', brokers = '', query = ''] =
    /^(?:([^@:/?]*)(?::([^@:/?]*))?@)?([^@/?]*)\/?(?:\?(.*))?$/.exec(text) ?? fail(`the URI is not valid; ${ENCODE}`);
  const options = queryFields(new URLSearchParams(query), 'kafka', fail);
  return { ...options, type: 'kafka', brokers, username: decode(user, fail), password: decode(password, fail) };
}

/** A part of a URI as text. */
export function decode(part: string, fail: Fail): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return fail('a % in it is not followed by two hexadecimal digits; write %25 for a percent sign.');
  }
}
