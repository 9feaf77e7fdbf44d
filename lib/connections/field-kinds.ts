import type { ConnectionOf, ConnectionType } from '../connections.ts';

/** What a field of a connection is. */
export interface FieldKind {
  /** It may stand in the query of a URI. */
  readonly isOption?: true;
  readonly isList?: true;
  /** `all`: nobody may see it. `address`: user, password, query and what looks like a key in the path of a URL. */
  readonly secret?: 'all' | 'address';
}

const FIELD: FieldKind = {};
const OPTION: FieldKind = { isOption: true };
const SECRET: FieldKind = { secret: 'all' };
const LIST: FieldKind = { isList: true };

const SQL = { host: FIELD, port: FIELD, user: FIELD, password: SECRET, database: FIELD, sslmode: OPTION } as const;
const HTTP = {
  url: { secret: 'address' },
  username: FIELD,
  password: SECRET,
  token: { isOption: true, secret: 'all' },
  ca_file: OPTION,
  tls: OPTION,
} as const;

/** The fields of each type of connection. A field that is not here is a mistake in a connection, and never left aside. */
export const FIELD_KINDS: {
  readonly [T in ConnectionType]: Readonly<Record<Exclude<keyof ConnectionOf<T>, 'type'>, FieldKind>> & { readonly tls?: FieldKind };
} = {
  postgres: SQL,
  redshift: { ...SQL, iam_role: OPTION },
  mysql: SQL,
  aws: {
    access_key_id: FIELD,
    secret_access_key: SECRET,
    region_name: OPTION,
    endpoint_url: { isOption: true, secret: 'address' },
    tls: OPTION,
  },
  kafka: {
    brokers: LIST,
    security_protocol: OPTION,
    sasl_mechanism: OPTION,
    username: FIELD,
    password: SECRET,
    ca: OPTION,
    schema_registry: { isOption: true, secret: 'address' },
    tls: OPTION,
  },
  http: HTTP,
  mlflow: HTTP,
  pagerduty: { routing_key: SECRET, host: FIELD },
  rabbitmq: { host: FIELD, port: FIELD, user: FIELD, password: SECRET, vhost: FIELD, tls: OPTION },
  spark: {
    master: FIELD,
    deploy_mode: FIELD,
    spark_home: FIELD,
    python: FIELD,
    java_home: FIELD,
    jars: FIELD,
    applications: LIST,
    packages: LIST,
    conf: LIST,
  },
};

/** The fields of a type by name. @returns undefined for what is no type of connections */
export function fieldKindsOf(type: unknown): Readonly<Record<string, FieldKind>> | undefined {
  return typeof type === 'string' && Object.hasOwn(FIELD_KINDS, type) ? FIELD_KINDS[type as ConnectionType] : undefined;
}
