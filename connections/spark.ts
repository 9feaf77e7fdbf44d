import { defineConnection } from './define-connection.ts';

export interface SparkConnection {
  readonly type: 'spark';
  /** `local[*]`, `spark://host:port`, `yarn`, `k8s://https://host:port`. */
  readonly master: string;
  readonly deploy_mode: 'client' | 'cluster';
  /** The folder that contains `bin/spark-submit`; absent: `spark-submit` on PATH. */
  readonly spark_home?: string;
  /** The Python that runs `.py` jobs (`PYSPARK_PYTHON`). */
  readonly python?: string;
  readonly java_home?: string;
  /** A folder of jars for every job, such as S3A. */
  readonly jars?: string;
  /** Allowed places for `application` in S3 and HDFS, such as `s3://code/*`. Absent: any. */
  readonly applications?: readonly string[];
  /** Maven coordinates allowed in `packages`, such as `org.postgresql:*`. Absent: any. */
  readonly packages?: readonly string[];
  /** Properties that `conf` may set in addition to those allowed everywhere, such as `spark.hadoop.fs.abfss.*`. */
  readonly conf?: readonly string[];
}

export const spark = defineConnection<SparkConnection>({
  type: 'spark',
  description: 'Apache Spark',
  schemes: [],
  example: `'{"type":"spark","master":"local[*]"}'`,
  fields: {
    master: { description: '`local[*]`, `spark://host:port`, `yarn`, `k8s://https://host:port`', inExpressions: 'string' },
    deploy_mode: { description: '`client` or `cluster`; by default `client`' },
    spark_home: { description: 'folder that contains `bin/spark-submit`; by default found on PATH' },
    python: { description: 'Python executable for `.py` jobs (`PYSPARK_PYTHON`)' },
    java_home: { description: 'Java installation for Spark (`JAVA_HOME`)' },
    jars: { description: 'folder of jars that are added to every job' },
    applications: {
      description: 'allowed locations of `application` in S3 and HDFS, such as `s3://code/*`; by default any',
      isList: true,
    },
    packages: { description: 'allowed Maven coordinates in `packages`, such as `org.postgresql:*`; by default any', isList: true },
    conf: {
      description: 'additional properties that `conf` may set, such as `spark.hadoop.fs.abfss.*`',
      isList: true,
    },
  },
  read({ required, optional, oneOf, patterns, fail }) {
    const master = required('master');
    if (/\/\/[^/]*@/.test(master)) fail(`'master' must not have a user or a password.`);
    return {
      type: 'spark',
      master,
      deploy_mode: oneOf('deploy_mode', ['client', 'cluster'], 'client'),
      ...given(['spark_home', 'python', 'java_home', 'jars'], optional),
      ...given(['applications', 'packages', 'conf'], patterns),
    };
  },
  async check(connection) {
    const [{ execFile }, { join }, { promisify }] = await Promise.all([
      import('node:child_process'),
      import('node:path'),
      import('node:util'),
    ]);
    const program = connection.spark_home === undefined ? 'spark-submit' : join(connection.spark_home, 'bin', 'spark-submit');
    const { PATH, HOME, JAVA_HOME } = process.env;
    const javaHome = connection.java_home ?? JAVA_HOME;
    const env = { PATH, HOME, ...(javaHome !== undefined && { JAVA_HOME: javaHome }) };
    const { stderr } = await promisify(execFile)(program, ['--version'], { env });
    return `Spark ${/version (\S+)/.exec(stderr)?.[1] ?? ''}, master ${connection.master}`;
  },
});

/** The fields among `keys` that have a value. */
function given<K extends string, V>(keys: readonly K[], read: (key: K) => V | undefined): { readonly [Key in K]?: V } {
  const entries = keys.flatMap((key) => {
    const value = read(key);
    return value === undefined ? [] : [[key, value] as const];
  });
  return Object.fromEntries(entries) as { readonly [Key in K]?: V };
}
