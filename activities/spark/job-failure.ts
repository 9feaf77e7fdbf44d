import type { ApplicationFailure } from '@temporalio/activity';
import { platformFault } from '../run/errors.ts';
import type { ProcessExit } from './detached-process.ts';
import { readLogLine } from './job-log.ts';

/** How much of the end of the log is searched for the cause, in bytes. */
export const SEARCHED_BYTES = 2 * 1024 * 1024;
const SHOWN_LINES = 40;
const SHOWN_BYTES = 8 * 1024;
const LINE_BYTES = 1_000;
/** Maximum length of printed text in the first line of a failure, in characters. */
const FIRST_LINE = 200;

/** Patterns that blame Spark and not the job, each with advice. */
const PLATFORM_SIGNS: readonly (readonly [RegExp, string])[] = [
  [/All masters are unresponsive|Failed to connect to master|Could not parse Master URL/, 'the Spark master cannot be reached'],
  [
    /There is insufficient memory for the Java Runtime|Could not reserve enough space/,
    'the host has too little memory for the Java machine',
  ],
  [/java\.lang\.OutOfMemoryError/, "the Java machine ran out of memory: give the job more with 'driver_memory' or 'executor_memory'"],
  [/Could not create the Java Virtual Machine|UnsupportedClassVersionError|JAVA_HOME is not set/, 'Java cannot be started'],
  [/while calling None\.org\.apache\.spark\.api\.java\.JavaSparkContext/, 'the Spark context cannot be started'],
  [/No space left on device/, 'the disk of the host is full'],
];

/** Facts about a job that failed. */
export interface FailedJob {
  readonly name: string;
  /** Absent if the job vanished without an exit code: its host restarted, or its whole process group was killed. */
  readonly exit: ProcessExit | undefined;
  readonly host: string;
  /** The last lines of its log. */
  readonly log: readonly string[];
  readonly logFile: string;
}

/**
 * The failure for the Temporal UI: its first line gives the reason, from the job's own exception if there is one; the end of the log
 * follows. `JobFailed` means that the job's own code failed, `SparkFailed` that Spark or its host did. Both are retried, because the code
 * may have failed on a network that was down.
 */
export function jobFailure(job: FailedJob): ApplicationFailure {
  const { exit, log } = job;
  const rest = `\n\nThe end of its log (all of it on ${job.host}: ${job.logFile}):\n${shown(log)}`;
  if (exit?.error !== undefined)
    return platformFault('SparkFailed', `Spark could not be started for job '${job.name}': ${exit.error}${rest}`);
  if (exit === undefined || exit.signal) {
    const how = exit?.signal ? `was ended by ${exit.signal}` : 'vanished';
    const why = exit?.signal === 'SIGKILL' || !exit ? ' The host may have run out of memory, or the process was killed.' : '';
    return platformFault('SparkFailed', `Job '${job.name}' ${how} on ${job.host}.${why}${rest}`);
  }
  const sign = PLATFORM_SIGNS.find(([pattern]) => log.some((line) => pattern.test(line)));
  if (sign) return platformFault('SparkFailed', `Job '${job.name}' could not be run: ${sign[1]}.${rest}`);
  const cause = pythonException(log) ?? javaException(log);
  if (cause) return platformFault('JobFailed', `Job '${job.name}' failed: ${cause}${rest}`);
  if (!log.some((line) => /SparkSubmit|SparkContext/.test(line)) && log.some((line) => /^(Error|Exception)/.test(line))) {
    return platformFault(
      'SparkFailed',
      `spark-submit refused job '${job.name}': ${log.find((line) => /^(Error|Exception)/.test(line))}${rest}`,
    );
  }
  const printed = log.filter((line) => !isSparkLine(line) && readLogLine(line).level !== 'debug');
  const last = printed.at(-1)?.trim();
  return platformFault(
    'JobFailed',
    `Job '${job.name}' ended with exit code ${exit.code}${last === undefined ? ', and has printed nothing' : `: ${limited(last, FIRST_LINE)}`}` +
      `\n\nWhat it has printed last (its log is on ${job.host}: ${job.logFile}):\n${lastOf(printed)}`,
  );
}

/**
 * The exception that ended a Python program, in one line with its place in the user's code: `ValueError: boom (job.py, line 12)`.
 * In a chain of exceptions it is the last one.
 */
export function pythonException(log: readonly string[]): string | undefined {
  const start = log.findLastIndex((line) => line.startsWith('Traceback (most recent call last):'));
  if (start < 0) return undefined;
  // Frames are indented; the exception is the first line that is not. Lines from Spark may come in between.
  const body = log.slice(start + 1);
  const at = body.findIndex((line) => !/^\s/.test(line) && !isSparkLine(line));
  const exception = body[at];
  if (exception === undefined) return undefined;
  const frames = body.slice(0, at).flatMap((line) => {
    const [, file, number] = /^\s+File "([^"]+)", line (\d+)/.exec(line) ?? [];
    return file && number ? [{ file, number }] : [];
  });
  const own = frames.findLast(({ file }) => !/site-packages|pyspark|py4j|sluice_job\.py|\/lib\/python|^</.test(file)) ?? frames.at(-1);
  const place = own ? ` (${own.file.replace(/^.*\//, '')}, line ${own.number})` : '';
  return limited(exception.replace(/^(?:[a-z_][\w]*\.)+(?=[A-Z])/, '')) + javaReason(exception, body.slice(at + 1)) + place;
}

/** Py4J prints Java's message on the next line, after a colon. */
function javaReason(exception: string, following: readonly string[]): string {
  if (!/Py4JJavaError|PythonException/.test(exception)) return '';
  const line = following.find((each) => /^: \S/.test(each));
  const caused = following.findLast((each) => each.startsWith('Caused by: '));
  const reason = caused?.slice('Caused by: '.length) ?? line?.slice(2);
  return reason ? ` ${limited(reason)}` : '';
}

function javaException(log: readonly string[]): string | undefined {
  const at = log.findLastIndex((line) => line.startsWith('Exception in thread "'));
  const line = log[at]?.replace(/^Exception in thread "[^"]*" /, '');
  return line === undefined ? undefined : limited(line);
}

function isSparkLine(line: string): boolean {
  return /^\d\d\/\d\d\/\d\d \d\d:\d\d:\d\d /.test(line);
}

/** The last relevant lines: without Spark's shutdown messages, unless there is nothing else. */
function shown(log: readonly string[]): string {
  const telling = log.filter((line) => readLogLine(line).level !== 'debug' || /^\s+at |^\s/.test(line));
  return lastOf(telling.length > 0 ? telling : log);
}

function lastOf(log: readonly string[]): string {
  const lines = log.slice(-SHOWN_LINES).map((line) => limited(line));
  let text = lines.join('\n');
  while (Buffer.byteLength(text) > SHOWN_BYTES) text = text.slice(Math.max(1, Math.ceil((Buffer.byteLength(text) - SHOWN_BYTES) / 4)));
  return text || '(it is empty)';
}

function limited(line: string, most = LINE_BYTES): string {
  return line.length > most ? `${line.slice(0, most)}…` : line;
}
