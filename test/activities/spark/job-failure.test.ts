import assert from 'node:assert/strict';
import { jobFailure, pythonException } from '../../../activities/spark/job-failure.ts';

const END = [
  '26/11/23 08:42:25 INFO SparkContext: Running Spark version 4.3.0',
  '26/11/23 08:42:26 INFO ShutdownHookManager: Shutdown hook called',
];
const failure = (log: readonly string[], exit: object | undefined = { code: 1, signal: null }) => {
  const { type, message, nonRetryable } = jobFailure({
    name: 'prices',
    exit: exit as never,
    host: 'worker-1',
    log,
    logFile: '/state/log',
  });
  return { type, first: message.split('\n')[0], message, nonRetryable };
};

describe('activities/spark/job-failure', () => {
  it("finds the exception among Spark's own lines, and the place in the user's code", () => {
    const log = [
      'Traceback (most recent call last):',
      '  File "/repo/jobs/prices.py", line 12, in <module>',
      '    main()',
      END[0] ?? '',
      '  File "/venv/lib/python3.11/site-packages/pyspark/sql/session.py", line 9, in table',
      '    raise x',
      'pyspark.errors.exceptions.captured.AnalysisException: [TABLE_OR_VIEW_NOT_FOUND] The table `x` cannot be found.',
      ...END,
    ];
    assert.equal(pythonException(log), 'AnalysisException: [TABLE_OR_VIEW_NOT_FOUND] The table `x` cannot be found. (prices.py, line 12)');
    assert.deepEqual(
      { ...failure(log), message: '' },
      {
        type: 'JobFailed',
        first: "Job 'prices' failed: AnalysisException: [TABLE_OR_VIEW_NOT_FOUND] The table `x` cannot be found. (prices.py, line 12)",
        message: '',
        nonRetryable: false,
      },
    );
  });

  it('takes the last of a chain, and the words of Java behind Py4J', () => {
    const log = [
      ...['Traceback (most recent call last):', '  File "a.py", line 1, in <module>', 'KeyError: 1', ''],
      'During handling of the above exception, another exception occurred:',
      ...['Traceback (most recent call last):', '  File "/jobs/a.py", line 3, in <module>'],
      'py4j.protocol.Py4JJavaError: An error occurred while calling o42.csv.',
      ...[': org.apache.spark.SparkException: Job aborted.', '\tat org.apache.spark.x(y)', 'Caused by: java.io.IOException: disk on fire'],
    ];
    assert.equal(
      pythonException(log),
      'Py4JJavaError: An error occurred while calling o42.csv. java.io.IOException: disk on fire (a.py, line 3)',
    );
  });

  it('shows what the job has printed where there is no exception, and none of what Spark logs', () => {
    const noise = Array.from({ length: 500 }, (_, line) => `26/11/23 08:42:25 INFO DAGScheduler: Job ${line} finished`);
    const { first, message } = failure(['no prices for today', ...noise, 'giving up', ...END]);
    assert.equal(first, "Job 'prices' ended with exit code 1: giving up");
    assert.equal(message.split(':\n').at(-1), 'no prices for today\ngiving up');
    const silent = failure([...noise, ...END]);
    assert.equal(silent.first, "Job 'prices' ended with exit code 1, and has printed nothing");
    assert.doesNotMatch(silent.message, /INFO/);
  });

  it('distinguishes faults of the platform from faults of the job', () => {
    const table: readonly (readonly [string, readonly string[], object | undefined, RegExp])[] = [
      ['SparkFailed', END, undefined, /vanished on worker-1/],
      ['SparkFailed', END, { code: 137, signal: 'SIGKILL' }, /was ended by SIGKILL/],
      ['SparkFailed', [], { code: null, signal: null, error: 'spawn ENOENT' }, /could not be started/],
      [
        'SparkFailed',
        ['26/11/23 08:42:25 ERROR StandaloneSchedulerBackend: All masters are unresponsive! Giving up.'],
        { code: 1, signal: null },
        /master cannot be reached/,
      ],
      ['SparkFailed', ['java.lang.OutOfMemoryError: Java heap space'], { code: 1, signal: null }, /driver_memory/],
      [
        'SparkFailed',
        ['Error: Unrecognized option: --nonsense'],
        { code: 1, signal: null },
        /spark-submit refused job 'prices': Error: Unrecognized/,
      ],
      [
        'JobFailed',
        ['Exception in thread "main" java.lang.IllegalStateException: no'],
        { code: 1, signal: null },
        /IllegalStateException: no/,
      ],
      ['JobFailed', END, { code: 3, signal: null }, /ended with exit code 3/],
    ];
    for (const [type, log, exit, message] of table) {
      const given = jobFailure({ name: 'prices', exit: exit as never, host: 'worker-1', log, logFile: '/state/log' });
      assert.deepEqual({ type: given.type, retried: !given.nonRetryable }, { type, retried: true }, message.source);
      assert.match(given.message, message);
    }
  });

  it('stays small for any output of the job', () => {
    const { message } = failure(Array.from({ length: 5_000 }, (_, at) => `😀 line ${at} ${'x'.repeat(5_000)}`));
    assert.ok(Buffer.byteLength(message) < 9 * 1024, String(Buffer.byteLength(message)));
    assert.ok(message.includes('line 4999'));
  });
});
