import { join } from 'node:path';
import type { SparkConnection } from '../../connections/spark.ts';
import { findProgram, isExecutable } from '../../lib/find-program.ts';
import { userFault } from '../run/errors.ts';

/**
 * The `spark-submit` of a connection: `spark_home`/bin, else the first one on PATH.
 * @throws ProgramNotFound when it, or the Java that it needs, is missing
 */
export function findSparkSubmit(connection: SparkConnection, environment: NodeJS.ProcessEnv = process.env): string {
  if (connection.java_home === undefined ? !findProgram('java', environment) : !isExecutable(join(connection.java_home, 'bin/java'))) {
    throw userFault(
      'ProgramNotFound',
      `Spark needs Java, and ${connection.java_home === undefined ? "no 'java' is on the worker's PATH" : `'java_home' of the Spark connection, ${connection.java_home}, has no bin/java`}. ` +
        `Install Java 17 or 21 on the worker, or set 'java_home' in the Spark connection.`,
    );
  }
  if (connection.spark_home !== undefined) {
    const program = join(connection.spark_home, 'bin/spark-submit');
    if (isExecutable(program)) return program;
    throw userFault(
      'ProgramNotFound',
      `'spark_home' of the Spark connection is ${connection.spark_home}, which has no bin/spark-submit. Correct it, or leave it out to use the spark-submit on PATH.`,
    );
  }
  const program = findProgram('spark-submit', environment);
  if (program) return program;
  throw userFault(
    'ProgramNotFound',
    "No spark-submit is on the worker's PATH. Install Spark there (pip install pyspark), set 'spark_home' in the Spark connection, " +
      "or send the task to a worker that has Spark with 'queue'.",
  );
}
