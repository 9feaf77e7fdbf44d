import { readdirSync, realpathSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, delimiter, extname, join } from 'node:path';
import type { AwsConnection } from '../../lib/s3.ts';
import type { SparkConnection } from '../../connections/spark.ts';
import { userFault } from '../run/errors.ts';
import { childEnvironment } from '../support/programs/child-environment.ts';
import { childUser } from '../support/programs/child-user.ts';
import { checkSparkPolicy } from './check-policy.ts';
import { DEFAULT_MAX_ROWS_PER_FILE } from './default-rows.ts';
import type { JobFile } from './job-file.ts';
import type { SparkJobParams } from './spark-job-params.ts';

export interface Submission {
  /** The path of spark-submit. */
  readonly program: string;
  readonly job: JobFile;
  /** The application's name in Spark's UI. */
  readonly applicationName: string;
  readonly params: SparkJobParams;
  readonly spark: SparkConnection;
  readonly storage: AwsConnection;
  readonly interval: { readonly start: string; readonly end: string };
  readonly input: string | undefined;
  readonly output: string | undefined;
  /** A local folder that is deleted after the job. */
  readonly work: string;
}
const JAVA_OPTIONS = 'spark.driver.extraJavaOptions';

/**
 * The arguments of one `spark-submit`. They contain no secret: see `sparkEnvironment`. The pipeline's `conf` comes last and wins.
 * @throws ApplicationFailure `InvalidParameters`, `AccessDenied` as checkSparkPolicy does
 */
export function sparkSubmitArguments(submission: Submission): string[] {
  const { params, spark, job } = submission;
  // Check everything before it reaches the command line.
  checkSparkPolicy(params, spark);
  const jars = isLocal(spark.master) ? [] : extraJars(submission);
  const size = (flag: string, value: string | number | undefined): string[] => (value === undefined ? [] : [flag, String(value)]);
  return [
    submission.program,
    ...['--master', spark.master, '--deploy-mode', params.deploy_mode ?? spark.deploy_mode, '--name', submission.applicationName],
    ...size('--class', params.java_class),
    ...size('--driver-memory', params.driver_memory),
    ...size('--executor-memory', params.executor_memory),
    ...size('--executor-cores', params.executor_cores),
    ...size('--num-executors', params.num_executors),
    ...(jars.length > 0 ? ['--jars', jars.join(',')] : []),
    ...(params.packages?.length ? ['--packages', params.packages.join(',')] : []),
    ...(job.library.length > 0 ? ['--py-files', job.library.join(',')] : []),
    ...Object.entries(configuration(submission)).flatMap(([key, value]) => ['--conf', `${key}=${value}`]),
    job.path,
    ...(submission.input === undefined ? [] : ['--input', submission.input]),
    ...(submission.output === undefined ? [] : ['--output', submission.output]),
    ...['--data-interval-start', submission.interval.start, '--data-interval-end', submission.interval.end],
    // A single argument with `=`, so that a value with a leading dash stays a value.
    ...Object.entries(params.params ?? {}).map(([key, value]) => `--param=${key}=${value ?? ''}`),
    ...(params.application_args ?? []),
  ];
}

function configuration(submission: Submission): Record<string, string> {
  const { spark, storage, params } = submission;
  const endpoint = storage.endpoint_url;
  const ours: Record<string, string> = {
    // One time zone for reading and writing timestamps, independent of the host's.
    'spark.sql.session.timeZone': 'UTC',
    'spark.sql.files.maxRecordsPerFile': String(params.max_rows_per_file ?? DEFAULT_MAX_ROWS_PER_FILE),
    // The platform's URIs use s3://, Hadoop's driver is named s3a: map one to the other.
    'spark.hadoop.fs.s3.impl': 'org.apache.hadoop.fs.s3a.S3AFileSystem',
    'spark.hadoop.fs.AbstractFileSystem.s3.impl': 'org.apache.hadoop.fs.s3a.S3A',
    'spark.hadoop.fs.s3a.endpoint.region': storage.region_name,
    ...(endpoint && {
      'spark.hadoop.fs.s3a.endpoint': endpoint,
      'spark.hadoop.fs.s3a.path.style.access': 'true',
      'spark.hadoop.fs.s3a.connection.ssl.enabled': String(endpoint.startsWith('https:')),
    }),
    ...(isLocal(spark.master) && localConfiguration(submission)),
  };
  const theirs = Object.entries(params.conf ?? {}).map(([key, value]) => [
    key,
    // JVM options are a list: keep ours, and append theirs, which win.
    key === JAVA_OPTIONS && ours[key] !== undefined ? `${ours[key]} ${value}` : String(value),
  ]);
  return { ...ours, ...(Object.fromEntries(theirs) as Record<string, string>) };
}

/** One process on this machine: it listens only on loopback, leaves nothing behind, and starts nothing that only a cluster needs. */
function localConfiguration(submission: Submission): Record<string, string> {
  const { work } = submission;
  return {
    'spark.ui.enabled': 'false',
    // On the class path instead of in --jars, which would copy each of them for every job.
    'spark.driver.extraClassPath': extraJars(submission).join(delimiter),
    'spark.driver.host': '127.0.0.1',
    'spark.driver.bindAddress': '127.0.0.1',
    // The default of 200 would mean 200 tasks per join.
    'spark.sql.shuffle.partitions': String(Math.min(availableParallelism(), 16)),
    // Java's second compiler takes half of a short job's CPU time and pays off only after minutes: a long job can enable it with
    // -XX:TieredStopAtLevel=4.
    [JAVA_OPTIONS]: `-XX:TieredStopAtLevel=1 -Djava.io.tmpdir=${temporaryFolder(work)}`,
    'spark.hadoop.hadoop.tmp.dir': join(work, 'hadoop'),
  };
}

/** Variables with the locations and settings of Spark, Hadoop and Java on this worker. */
const SPARK_SETTINGS = /^(JAVA_HOME$|KUBECONFIG$|KRB5|KUBERNETES_|SPARK_|PYSPARK_|HADOOP_|HDFS_|YARN_)/;

/**
 * The environment of `spark-submit`: the variables of every task program, the settings of Spark, and the keys of the storage connection,
 * which appear in no argument or log. Spark passes them to its executors.
 */
export function sparkEnvironment(
  { spark, storage, work }: Pick<Submission, 'spark' | 'storage' | 'work'>,
  environment: NodeJS.ProcessEnv = process.env,
): NodeJS.ProcessEnv {
  const { access_key_id: key, secret_access_key: secret } = storage;
  const ownKeys = key !== undefined && secret !== undefined;
  // If the connection has no keys, AWS's default chain reads the worker's.
  const inherited = Object.entries(environment).filter(([name]) => SPARK_SETTINGS.test(name) || (!ownKeys && name.startsWith('AWS_')));
  return {
    ...childEnvironment(environment, childUser(environment)),
    ...Object.fromEntries(inherited),
    ...(ownKeys && { AWS_ACCESS_KEY_ID: key, AWS_SECRET_ACCESS_KEY: secret }),
    AWS_REGION: storage.region_name,
    ...(spark.spark_home && { SPARK_HOME: spark.spark_home }),
    ...(spark.python && { PYSPARK_PYTHON: spark.python, PYSPARK_DRIVER_PYTHON: spark.python }),
    ...(spark.java_home && { JAVA_HOME: spark.java_home }),
    ...(isLocal(spark.master) && {
      // spark-submit looks up the host's own name, which may not resolve.
      SPARK_LOCAL_IP: '127.0.0.1',
      SPARK_LOCAL_DIRS: temporaryFolder(work),
      TMPDIR: temporaryFolder(work),
      // A short-lived JVM builds the command line: do not spend time on warming it up.
      SPARK_LAUNCHER_OPTS: '-XX:TieredStopAtLevel=1 -XX:+UseSerialGC',
    }),
    PYTHONUNBUFFERED: '1',
    PYTHONDONTWRITEBYTECODE: '1',
  };
}

/** Deleted with the rest of `work`, even if the job was killed and could not clean up. */
export function temporaryFolder(work: string): string {
  return join(work, 'tmp');
}

/** Whether Spark runs inside the process that spark-submit starts. */
export function isLocal(master: string): boolean {
  return /^local(\[|$)/.test(master);
}

/** The connection's jars, except those that Spark ships itself, usually in a later version: Hadoop's S3A works with Spark's. */
function extraJars({ spark, program }: Submission): string[] {
  if (spark.jars === undefined) return [];
  const given = jarsIn(spark.jars);
  if (given === undefined) {
    throw userFault('ProgramNotFound', `'jars' of the Spark connection is ${spark.jars}, which is not a folder that the worker can read.`);
  }
  const present = new Set(jarsIn(join(realpathSync(program), '../../jars'))?.map(artifactOf));
  return given.filter((jar) => !present.has(artifactOf(jar)));
}

function jarsIn(folder: string): string[] | undefined {
  try {
    const names = readdirSync(folder).filter((name) => extname(name) === '.jar');
    return names.sort().map((name) => join(folder, name));
  } catch {
    return undefined;
  }
}

/** `netty-common` for `/jars/netty-common-4.1.126.Final.jar` */
function artifactOf(jar: string): string {
  return basename(jar, '.jar').replace(/-\d.*$/, '');
}
