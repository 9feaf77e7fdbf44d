// A killable worker: runs the attempt that its first argument describes. The parent process kills it, or reads the result.
import { type SparkAttemptOptions, startSparkAttempt } from './spark-attempt.ts';

const attempt = startSparkAttempt(JSON.parse(process.argv[2] ?? '{}') as SparkAttemptOptions);
attempt.result.then(
  (result) => process.stdout.write(JSON.stringify({ result })),
  (error: unknown) => process.stdout.write(JSON.stringify({ error: String(error) })),
);
