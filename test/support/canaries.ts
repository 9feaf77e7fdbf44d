import { CONNECTIONS, type ConnectionType } from '../../connections/catalog.ts';
import { randomBytes } from 'node:crypto';
import { parseConnection } from '../../connections/parse.ts';
import type { RogueServers } from './rogue-servers.ts';

/** The start and end of every secret in the canary suite: only base64 and hexadecimal change them. */
const BEGIN = `cnry${randomBytes(4).toString('hex')}`;
const END = `end${randomBytes(5).toString('hex')}`;

/** A separate secret for each name, with characters that each encoding escapes differently. */
export function canary(name: string): string {
  return `${BEGIN}-${name}+p/w"${name.length}${END}`;
}

/** A secret that is part of a path. */
function key(name: string): string {
  return `${BEGIN}-${name}-${END}`;
}

const encoded = (name: string): string => encodeURIComponent(canary(name));

/**
 * Connections of each type, by name, to servers that return all secrets. Each secret field of a type is set in one of them; the types
 * enforce an entry for each connection type.
 */
const CANARIES: { readonly [T in ConnectionType]: (ports: RogueServers['ports']) => Readonly<Record<string, string>> } = {
  postgres: ({ postgres }) => ({ postgres_default: `postgresql://ann:${encoded('postgres')}@127.0.0.1:${postgres}/x` }),
  redshift: ({ postgres }) => ({ redshift_default: `redshift://ann:${encoded('redshift')}@127.0.0.1:${postgres}/x` }),
  mysql: ({ mysql }) => ({ shop: `mysql://ann:${encoded('mysql')}@127.0.0.1:${mysql}/x` }),
  aws: ({ http }) => ({
    s3_by_key: `aws://AKIAIOSFODNN7EXAMPLE:${encoded('aws')}@/?endpoint_url=http://127.0.0.1:${http}`,
    s3_by_path: `aws://AKIAIOSFODNN7EXAMPLE:${encoded('aws2')}@/?endpoint_url=http://127.0.0.1:${http}/${key('s3path')}`,
  }),
  kafka: ({ other, http }) => ({
    kafka_default: `kafka://ann:${encoded('kafka')}@127.0.0.1:${other}/?schema_registry=${encodeURIComponent(
      `http://ann:${encoded('registry')}@127.0.0.1:${http}`,
    )}`,
  }),
  spark: () => ({}),
  camel: () => ({}),
  http: ({ http }) => ({
    http_default: JSON.stringify({ type: 'http', url: `http://ann:${encoded('http')}@127.0.0.1:${http}/base` }),
    by_token: `http://127.0.0.1:${http}/?token=${encoded('token')}`,
    slack_default: `http://127.0.0.1:${http}/services/${key('slack')}`,
    webhook_default: `http://ann:${encoded('webhook')}@127.0.0.1:${http}/hook`,
  }),
  mlflow: ({ http }) => ({
    mlflow_by_token: `mlflow+http://127.0.0.1:${http}/?token=${encoded('mlflow')}`,
    mlflow_by_password: `mlflow+http://ann:${encoded('mlflow2')}@127.0.0.1:${http}/${key('mlflowpath')}`,
  }),
  kafka_connect: ({ http }) => ({
    kafka_connect_by_token: `kafka-connect+http://127.0.0.1:${http}/?token=${encoded('connect')}`,
    kafka_connect_by_password: `kafka-connect+http://ann:${encoded('connect2')}@127.0.0.1:${http}/${key('connectpath')}`,
  }),
  pagerduty: ({ https }) => ({ pagerduty_default: `pagerduty://${encoded('pagerduty')}@127.0.0.1:${https}` }),
  rabbitmq: ({ other, http }) => ({
    rabbitmq_default: `amqp://ann:${encoded('rabbitmq')}@127.0.0.1:${other}/v?management_url=${encodeURIComponent(
      `http://127.0.0.1:${http}/${key('management')}`,
    )}`,
  }),
};

/** Environment variables with secrets, besides connections. */
const VARIABLES: Readonly<Record<string, (ports: RogueServers['ports']) => string>> = {
  AWS_SECRET_ACCESS_KEY: () => canary('awskey'),
  AWS_SESSION_TOKEN: () => canary('awssession'),
  SLUICE_DEAD_MANS_SWITCH: ({ http }) => `http://127.0.0.1:${http}/ping/${key('deadman')}`,
};

/** The names of the connections, and all of them as environment variables. */
export function canaryConnections(ports: RogueServers['ports']): {
  readonly names: string[];
  readonly environment: Record<string, string>;
} {
  const connections = Object.values(CANARIES).flatMap((of) => Object.entries(of(ports)));
  return {
    names: connections.map(([name]) => name),
    environment: Object.fromEntries([
      ...connections.map(([name, value]) => [`SLUICE_CONN_${name.toUpperCase()}`, value]),
      ...Object.entries(VARIABLES).map(([name, of]) => [name, of(ports)]),
    ]) as Record<string, string>,
  };
}

/** Secret fields of connections without a canary. */
export function fieldsWithoutCanary(): string[] {
  const ports = { http: 1, https: 2, postgres: 3, mysql: 4, other: 5 };
  return CONNECTIONS.flatMap(({ type, fields: kinds }) => {
    const values = Object.values(CANARIES[type](ports)).map((text) => parseConnection('x', text));
    return Object.entries(kinds).flatMap(([field, { secret }]) =>
      secret === undefined || values.some((value) => String(value[field as never]).includes(BEGIN)) ? [] : [`${type}.${field}`],
    );
  });
}

/** All secrets in every encoding, as hostile servers and careless programs print them; and their beginnings, because texts are cut. */
export function everyForm(ports: RogueServers['ports']): string {
  const written = Object.values(canaryConnections(ports).environment).join(' ');
  const decoded = `${written} ${decodeURIComponent(written)} ${decodeURIComponent(decodeURIComponent(written))}`;
  const secrets = new Set(decoded.match(new RegExp(`${BEGIN}-\\w+(?:-|\\+p/w"\\d+)${END}`, 'g')));
  return [...secrets]
    .flatMap((secret) => {
      const json = JSON.stringify(secret).slice(1, -1);
      const texts = [`ann:${secret}`, secret, `:${secret}`, `::${secret}`, `\0ann\0${secret}`];
      const base64 = texts.flatMap((text) => [Buffer.from(text).toString('base64'), Buffer.from(text).toString('base64url')]);
      const hex = Buffer.from(secret).toString('hex');
      return [secret, encodeURIComponent(secret), json, ...base64, hex, hex.toUpperCase(), secret.slice(0, 14)];
    })
    .join(' | ');
}

/** Finds secrets in a text: plain, in base64 at any offset, and in hexadecimal. @param more additional secrets to search for */
export function secretsIn(bytes: Buffer | string, more: readonly string[] = []): string[] {
  const text = typeof bytes === 'string' ? bytes : bytes.toString('latin1');
  return [BEGIN, END, ...more].flatMap(formsOf).flatMap((form) => {
    const at = text.indexOf(form);
    return at < 0 ? [] : [text.slice(Math.max(0, at - 200), at + 60)];
  });
}

function formsOf(text: string): string[] {
  const inBase64 = [0, 1, 2].map((before) => {
    const all = Buffer.concat([Buffer.alloc(before), Buffer.from(text)]);
    return all.toString('base64').slice(before === 0 ? 0 : 4, Math.floor((all.length * 8) / 6));
  });
  const hex = Buffer.from(text).toString('hex');
  return [text, ...inBase64, hex, hex.toUpperCase()];
}
