import { encryptedUrl, isEncrypted } from './connections/encryption.ts';
import { decode, type Fields, fieldsOfJson, fieldsOfUri } from './connections/fields.ts';
import { isHost, isHostWithPort, isHttpUrl, withoutCredentials } from './connections/addresses.ts';
import { isLoopback } from './loopback.ts';

/**
 * Connections: where the servers are that tasks talk to. A pipeline names a connection (`postgres_default`); the worker's environment
 * says what it is: `SLUICE_CONN_POSTGRES_DEFAULT`, as a URI (Airflow's form) or as JSON. Secrets live only there: a connection's value
 * never reaches a plan, a history or a log.
 */

interface SqlConnection {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  /** As libpq's: `disable`, `require` (encrypted, not verified), `verify-full`. Default: `verify-full`, on loopback `disable`. */
  readonly sslmode: SslMode;
}

export interface PostgresConnection extends SqlConnection {
  readonly type: 'postgres';
}

export interface RedshiftConnection extends SqlConnection {
  readonly type: 'redshift';
  /** The role that `COPY` reads S3 with; absent: the keys of the task's AWS connection. */
  readonly iam_role?: string;
}

/** MySQL or MariaDB. */
export interface MySQLConnection extends SqlConnection {
  readonly type: 'mysql';
}

export interface AwsConnection {
  readonly type: 'aws';
  /** Both absent: the AWS default chain (instance role, profile, environment). */
  readonly access_key_id?: string;
  readonly secret_access_key?: string;
  readonly region_name: string;
  /** Another S3 server than AWS's; addressed by path, not by host name. */
  readonly endpoint_url?: string;
}

export interface KafkaConnection {
  readonly type: 'kafka';
  /** `host:port` each. */
  readonly brokers: readonly string[];
  /** Default: `SSL`, with a user name `SASL_SSL`; on loopback `PLAINTEXT` and `SASL_PLAINTEXT`. */
  readonly security_protocol?: KafkaSecurity;
  /** Default: `PLAIN`. */
  readonly sasl_mechanism?: SaslMechanism;
  readonly username?: string;
  readonly password?: string;
  /** A file with the certificates that are trusted; absent: those of the machine. */
  readonly ca?: string;
  /** The address of a Schema Registry, with user and password where it asks for them. */
  readonly schema_registry?: string;
}

const KAFKA_SECURITY = ['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL'] as const;
type KafkaSecurity = (typeof KAFKA_SECURITY)[number];
/** By whether there is a user, and whether the connection is encrypted. */
const KAFKA_USUAL = {
  anybody: { secure: 'SSL', clear: 'PLAINTEXT' },
  user: { secure: 'SASL_SSL', clear: 'SASL_PLAINTEXT' },
} as const satisfies Record<string, Record<string, KafkaSecurity>>;
const SASL_MECHANISMS = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'] as const;
type SaslMechanism = (typeof SASL_MECHANISMS)[number];

/** Who is called over HTTP. */
export interface HttpService {
  /** `https://host/base`; paths come after it. */
  readonly url: string;
  readonly username?: string;
  readonly password?: string;
  /** Sent as `Authorization: Bearer …`. */
  readonly token?: string;
  /** A PEM file with the certificates of the authorities that are trusted; absent: those of the machine. */
  readonly ca_file?: string;
}

export interface HttpConnection extends HttpService {
  readonly type: 'http';
}

/** An MLflow tracking server with its model registry. */
export interface MlflowConnection extends HttpService {
  readonly type: 'mlflow';
}

export interface PagerDutyConnection {
  readonly type: 'pagerduty';
  /** The integration key of a service: Events API v2. */
  readonly routing_key: string;
  /** Absent: PagerDuty's own. `events.eu.pagerduty.com` for accounts in the EU. */
  readonly host?: string;
}

export interface RabbitMQConnection {
  readonly type: 'rabbitmq';
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly vhost: string;
  /** Encrypted, as `amqps:`. Default: but on loopback. */
  readonly tls: boolean;
}

export interface SparkConnection {
  readonly type: 'spark';
  /** `local[*]`, `spark://host:port`, `yarn`, `k8s://https://host:port`. */
  readonly master: string;
  readonly deploy_mode: 'client' | 'cluster';
  /** The folder that holds `bin/spark-submit`; absent: `spark-submit` on PATH. */
  readonly spark_home?: string;
  /** The Python that runs `.py` jobs (`PYSPARK_PYTHON`). */
  readonly python?: string;
  readonly java_home?: string;
  /** A folder of jars that every job gets, such as S3A. */
  readonly jars?: string;
  /** Where `application` may lie in S3 and HDFS, such as `s3://code/*`. Absent: anywhere there. */
  readonly applications?: readonly string[];
  /** Maven coordinates that `packages` may name, such as `org.postgresql:*`. Absent: any. */
  readonly packages?: readonly string[];
  /** Properties that `conf` may set beside those that are allowed everywhere, such as `spark.hadoop.fs.abfss.*`. */
  readonly conf?: readonly string[];
}

export type Connection =
  | PostgresConnection
  | RedshiftConnection
  | MySQLConnection
  | AwsConnection
  | KafkaConnection
  | SparkConnection
  | HttpConnection
  | MlflowConnection
  | PagerDutyConnection
  | RabbitMQConnection;
export type ConnectionType = Connection['type'];
export type ConnectionOf<T extends ConnectionType> = Extract<Connection, { readonly type: T }>;

export const SSL_MODES = ['disable', 'require', 'verify-full'] as const;
export type SslMode = (typeof SSL_MODES)[number];

/** Thrown when a connection is not defined, cannot be read, or has another type than the task needs. Never carries the value. */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError';
}

/** Finds a connection by the name that pipelines use. */
export interface Connections {
  /** @throws ConnectionError when it is not defined, not readable, or not one of `types`. */
  get<T extends ConnectionType>(name: string, types: readonly T[]): ConnectionOf<T>;
  names(): string[];
}

const PREFIX = 'SLUICE_CONN_';

/** The environment variable that defines connection `name`. */
export function connectionVariable(name: string): string {
  return PREFIX + name.toUpperCase();
}

/** Connections as `environment` defines them. Read at each use, so that a rotated secret is taken up by the next attempt. */
export function connectionsFrom(environment: Readonly<Record<string, string | undefined>>): Connections {
  return {
    get<T extends ConnectionType>(name: string, types: readonly T[]): ConnectionOf<T> {
      const variable = connectionVariable(name);
      const text = environment[variable];
      if (!text) {
        const defined = this.names();
        throw new ConnectionError(
          `Connection '${name}' is not defined. Set ${variable} in the environment of the worker, for example ${variable}=${EXAMPLES[types[0] ?? 'postgres']} ` +
            (defined.length > 0 ? `(defined here: ${defined.join(', ')}).` : '(no connection is defined here).'),
        );
      }
      const connection = parseConnection(name, text);
      if (!(types as readonly string[]).includes(connection.type)) {
        throw new ConnectionError(
          `Connection '${name}' is of type ${connection.type}; this task needs ${types.join(' or ')}. Change ${variable}, or name another connection in the task.`,
        );
      }
      return connection as ConnectionOf<T>;
    },
    names: () =>
      Object.keys(environment)
        .filter((key) => key.startsWith(PREFIX) && environment[key])
        .map((key) => key.slice(PREFIX.length).toLowerCase())
        .sort(),
  };
}

/** The types of the connections that an environment defines, by name, of those that can be read. */
export function connectionTypesIn(environment: Readonly<Record<string, string | undefined>>): Map<string, ConnectionType> {
  const types = new Map<string, ConnectionType>();
  for (const name of connectionsFrom(environment).names()) {
    try {
      types.set(name, parseConnection(name, environment[connectionVariable(name)] ?? '').type);
    } catch (error) {
      // `sluice doctor` says what is wrong with it.
      if (!(error instanceof ConnectionError)) throw error;
    }
  }
  return types;
}

const EXAMPLES: Record<ConnectionType, string> = {
  postgres: 'postgresql://user:password@host:5432/database',
  redshift: 'redshift://user:password@host:5439/database?iam_role=arn:aws:iam::123456789012:role/load',
  mysql: 'mysql://user:password@host:3306/database',
  aws: "'aws://KEY:SECRET@/?region_name=eu-west-1'",
  kafka: 'kafka://host:9092',
  http: 'https://user:password@host/base',
  mlflow: 'mlflow+https://user:password@host/base',
  pagerduty: 'pagerduty://ROUTING_KEY@events.pagerduty.com',
  rabbitmq: 'amqps://user:password@host/vhost',
  spark: `'{"type":"spark","master":"local[*]"}'`,
};

const SQL_PORTS = { postgres: 5432, redshift: 5439, mysql: 3306 } as const;

/**
 * Reads one connection.
 * @throws ConnectionError that names the connection and what is wrong, without the text itself: it may hold a password.
 */
export function parseConnection(name: string, text: string): Connection {
  const fail = (what: string): never => {
    throw new ConnectionError(`Connection '${name}' (${connectionVariable(name)}) cannot be read: ${what}`);
  };
  const fields: Fields = text.trimStart().startsWith('{') ? fieldsOfJson(text, fail) : fieldsOfUri(text.trim(), fail);
  const optional = (key: string): string | undefined => {
    const value = fields[key];
    return value === undefined || value === '' ? undefined : typeof value === 'string' ? value : String(value);
  };
  /** A name or an address, with nothing in it that would lead elsewhere. */
  const hostOf = (value: string): string =>
    isHost(value) ? value.replace(/^\[|\]$/g, '') : fail(`'host' is not the name or the address of a host.`);
  const address = (key: string, value: string): string =>
    isHttpUrl(value) && !new URL(value).username && !new URL(value).password
      ? value
      : fail(`'${key}' is not a URL without user and password.`);
  const required = (key: string): string => optional(key) ?? fail(`'${key}' is missing.`);
  const oneOf = <T extends string>(key: string, allowed: readonly T[], otherwise: T): T => {
    const value = optional(key) ?? otherwise;
    return allowed.find((each) => each === value) ?? fail(`'${key}' is '${value}'; allowed: ${allowed.join(', ')}.`);
  };
  /** Whether the connection says that it is encrypted, or that it is not. */
  const tls = optional('tls') === undefined ? undefined : oneOf('tls', ['true', 'false'], 'true') === 'true';
  const list = (key: string): string[] => {
    const value = fields[key];
    const isList = Array.isArray(value) && value.every((each) => typeof each === 'string' && /^[^*]+\*?$/.test(each));
    return isList ? (value as string[]) : fail(`'${key}' must be a list of texts; only at their end may they have a *.`);
  };
  const port = (otherwise: number): number => {
    const value = Number(optional('port') ?? otherwise);
    return Number.isInteger(value) && value > 0 && value < 65536 ? value : fail(`'port' must be a whole number from 1 to 65535.`);
  };
  switch (fields.type) {
    case 'postgres':
    case 'redshift':
    case 'mysql': {
      const host = hostOf(required('host'));
      const iamRole = optional('iam_role');
      const sql = {
        host,
        port: port(SQL_PORTS[fields.type]),
        user: required('user'),
        password: optional('password') ?? '',
        database: required('database'),
        sslmode: oneOf('sslmode', SSL_MODES, isLoopback(host) ? 'disable' : 'verify-full'),
      };
      if (fields.type !== 'redshift') return { type: fields.type, ...sql };
      return { type: 'redshift', ...sql, ...(iamRole && { iam_role: iamRole }) };
    }
    case 'aws': {
      const key = optional('access_key_id');
      const secret = optional('secret_access_key');
      const endpoint = optional('endpoint_url');
      if (Boolean(key) !== Boolean(secret)) fail('an access key needs its secret, and the other way round.');
      if (endpoint) address('endpoint_url', endpoint);
      return {
        type: 'aws',
        region_name: optional('region_name') ?? 'us-east-1',
        ...(key && secret && { access_key_id: key, secret_access_key: secret }),
        ...(endpoint && { endpoint_url: encryptedUrl(endpoint, tls, fail) }),
      };
    }
    case 'kafka': {
      const brokers = required('brokers').split(',');
      if (!brokers.every(isHostWithPort))
        fail(`each of 'brokers' must be of the form host:port; characters such as @ / # ? in a password must be percent-encoded.`);
      const [username, password, ca] = [optional('username'), optional('password'), optional('ca')];
      const registry = optional('schema_registry');
      if (registry !== undefined && !isHttpUrl(registry)) fail(`'schema_registry' is not a URL of the form https://host.`);
      const isSecure = isEncrypted(
        brokers.map((broker) => broker.replace(/:\d+$/, '')),
        tls,
      );
      const usual = KAFKA_USUAL[username === undefined ? 'anybody' : 'user'][isSecure ? 'secure' : 'clear'];
      const protocol = oneOf('security_protocol', KAFKA_SECURITY, usual);
      if (tls !== undefined && protocol.endsWith('SSL') !== tls)
        fail(`'tls' is ${tls} and 'security_protocol' is ${protocol}; leave one of them out.`);
      return {
        type: 'kafka',
        brokers,
        security_protocol: protocol,
        ...(username !== undefined && { sasl_mechanism: oneOf('sasl_mechanism', SASL_MECHANISMS, 'PLAIN'), username }),
        ...(password !== undefined && { password }),
        ...(ca !== undefined && { ca }),
        ...(registry !== undefined && { schema_registry: encryptedUrl(registry, tls, fail) }),
      };
    }
    case 'http':
    case 'mlflow': {
      const given = required('url');
      if (!isHttpUrl(given)) fail(`'url' is not of the form https://host/base.`);
      const parts = new URL(given);
      const username = optional('username') ?? (parts.username === '' ? undefined : decode(parts.username, fail));
      const password = optional('password') ?? (parts.password === '' ? undefined : decode(parts.password, fail));
      const [token, caFile] = [optional('token'), optional('ca_file')];
      // What is in the address is shown in errors and logs.
      const url = encryptedUrl(parts.username === '' && parts.password === '' ? given : withoutCredentials(parts), tls, fail);
      if (caFile !== undefined && !url.startsWith('https:')) fail(`'ca_file' needs a 'url' that begins with https://.`);
      return {
        type: fields.type,
        url,
        ...(username !== undefined && { username, password: password ?? '' }),
        ...(token !== undefined && { token }),
        ...(caFile !== undefined && { ca_file: caFile }),
      };
    }
    case 'pagerduty': {
      const host = optional('host');
      if (host !== undefined && !isHostWithPort(host)) fail(`'host' must be of the form host or host:port.`);
      return { type: 'pagerduty', routing_key: required('routing_key'), ...(host !== undefined && { host }) };
    }
    case 'rabbitmq': {
      const host = hostOf(required('host'));
      const isSecure = isEncrypted([host], tls);
      return {
        type: 'rabbitmq',
        host,
        port: port(isSecure ? 5671 : 5672),
        user: optional('user') ?? 'guest',
        password: optional('password') ?? 'guest',
        vhost: optional('vhost') ?? '/',
        tls: isSecure,
      };
    }
    case 'spark': {
      const extra = Object.fromEntries(
        ['spark_home', 'python', 'java_home', 'jars'].flatMap((key) => (optional(key) ? [[key, optional(key)]] : [])),
      ) as Pick<SparkConnection, 'spark_home' | 'python' | 'java_home' | 'jars'>;
      const lists = Object.fromEntries(
        ['applications', 'packages', 'conf'].flatMap((key) => (fields[key] === undefined ? [] : [[key, list(key)]])),
      ) as Pick<SparkConnection, 'applications' | 'packages' | 'conf'>;
      const deployMode = oneOf('deploy_mode', ['client', 'cluster'], 'client');
      const master = required('master');
      if (/\/\/[^/]*@/.test(master)) fail(`'master' must not have a user or a password.`);
      return { type: 'spark', master, deploy_mode: deployMode, ...extra, ...lists };
    }
    default:
      return fail(`its type is '${String(fields.type)}'; allowed: ${Object.keys(EXAMPLES).join(', ')}.`);
  }
}
