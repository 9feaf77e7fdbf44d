import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { ActivityCancellationDetails, ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { processIdentity, sessionMembers } from '../../activities/support/programs/process-table.mjs';
import { ownMark } from '../../activities/support/dataset/own-mark.ts';
import { connectionsFrom } from '../../connections/connections.ts';
import type { Json } from '../../workflows/plan/values/json.ts';
import { poll } from '../support/eventually.ts';
import { objectNames, putDataset, readDataset } from '../support/s3-dataset.ts';
import { type SparkAttempt, type SparkAttemptOptions, startSparkAttempt } from '../support/spark-attempt.ts';
import { sparkSetting } from '../support/spark-setting.ts';

const WORKER = fileURLToPath(new URL('../support/spark-attempt-process.ts', import.meta.url));

describe('spark_job', function () {
  this.timeout(240_000);
  const setting = sparkSetting();
  let number = 0;
  const workers: ChildProcess[] = [];
  afterEach(() => {
    for (const worker of workers.splice(0)) worker.kill('SIGKILL');
  });

  /** An attempt of a job that notes its start in a file and runs until `finish()`. */
  function markAndWait(more: Partial<SparkAttemptOptions> & { child?: boolean } = {}) {
    const task = `mark-${(number += 1)}`;
    const marks = join(setting.folder, `${task}.marks`);
    const until = join(setting.folder, `${task}.until`);
    const output = `s3://${setting.bucket}/${task}/20240101T000000Z/`;
    const params = { job_name: 'mark_and_wait', params: { marks, until, ...(more.child && { child: 'yes' }) } };
    const { child, ...others } = more;
    const options: SparkAttemptOptions = {
      environment: setting.environment,
      workflowId: task,
      input: { params, ...(child && { output }) },
      ...others,
    };
    return {
      options,
      output,
      finish: () => writeFileSync(until, ''),
      starts: () => (existsSync(marks) ? readFileSync(marks, 'utf8').trim().split('\n') : []),
      started(times: number): Promise<true> {
        return poll<true>(`start ${times} of the job`, () => this.starts().length >= times || undefined, 120);
      },
    };
  }

  /** The same attempt in a process of its own: a worker that can be killed. */
  function startWorker(options: SparkAttemptOptions): { process: ChildProcess; answer: Promise<{ result?: Json; error?: string }> } {
    const worker = spawn(process.execPath, ['--import=tsx', WORKER, JSON.stringify(options)], { stdio: ['ignore', 'pipe', 'ignore'] });
    workers.push(worker);
    let text = '';
    worker.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
    const answer = new Promise<{ result?: Json; error?: string }>((resolve) => {
      worker.on('close', () => resolve(text ? (JSON.parse(text) as { result?: Json; error?: string }) : { error: 'no answer' }));
    });
    return { process: worker, answer };
  }

  function pidOf(attempt: SparkAttempt): Promise<number> {
    return poll('the pid in the progress', () => (attempt.progress.at(-1) as { pid?: number } | undefined)?.pid);
  }

  async function failureOf(attempt: SparkAttempt): Promise<ApplicationFailure> {
    const error: unknown = await attempt.result.then(
      () => assert.fail('the attempt succeeded'),
      (reason: unknown) => reason,
    );
    assert.ok(error instanceof ApplicationFailure, String(error));
    return error;
  }

  it('ends with its main program, even if threads remain, and shows what it has printed', async () => {
    const { environment, s3, bucket } = setting;
    const input = await putDataset(s3, `s3://${bucket}/threads/in/`, [{ name: 'id', type: 'numeric' }], [['1.5']]);
    const attempt = (code: number): SparkAttempt => {
      const output = `s3://${bucket}/threads/${code}/`;
      return startSparkAttempt({
        environment,
        workflowId: `threads-${code}`,
        input: { params: { job_name: 'leaves_thread', params: { code } }, input, output },
      });
    };
    const [good, bad] = [attempt(0), attempt(3)];
    const { type, message } = await failureOf(bad);
    assert.deepEqual(
      [type, message.split('\n')[0]],
      [
        'JobFailed',
        "Job 'leaves_thread' ended with exit code 3: The program has ended, and threads of it go on: heart. They are ended after 5 s.",
      ],
    );
    assert.match(message, /^What it has printed last .*:\n(.*\n)*no prices for today\n/m);
    assert.doesNotMatch(message, / INFO /);
    assert.equal(((await good.result) as { rows: number }).rows, 1);
  });

  it('loses no digits: a number that exceeds the types of Spark ends the run', async () => {
    const { environment, s3, bucket } = setting;
    const input = await putDataset(
      s3,
      `s3://${bucket}/digits/in/`,
      [
        { name: 'id', type: 'bigint' },
        { name: 'n', type: 'numeric' },
      ],
      [['1', '0.1234567890123456789']],
    );
    const output = `s3://${bucket}/digits/out/`;
    const { type, message } = await failureOf(
      startSparkAttempt({ environment, workflowId: 'digits', input: { params: { job_name: 'copy_dataset' }, input, output } }),
    );
    assert.equal(type, 'JobFailed');
    assert.match(
      message.split('\n')[0] ?? '',
      /column n: cannot be read as numeric \(20 digits before the point and 18 behind it; .*: 0\.1234567890123456789/,
    );
  });

  it('publishes what the job wrote and nothing else, also over what an earlier attempt left', async () => {
    const { environment, s3, bucket } = setting;
    const secret = connectionsFrom(environment).get('aws_default', ['aws']).secret_access_key ?? '';
    const schema = [
      { name: 'id', type: 'bigint' },
      { name: 'text', type: 'text' },
    ];
    const rows = [...Array(25).keys()].map((id) => [String(id), id % 5 ? `row ${id}` : null]);
    const input = await putDataset(s3, `s3://${bucket}/source/`, schema, rows);
    const output = `s3://${bucket}/copied/20240101T000000Z/`;
    const own = `run-${ownMark('publish/task')}/`;
    for (const name of [`${own}part-00000-stale.csv.gz`, `${own}_temporary/0/part-1`, 'manifest.json']) {
      await s3.send(new PutObjectCommand({ Bucket: bucket, Key: `copied/20240101T000000Z/${name}`, Body: 'stale' }));
    }
    const params = { job_name: 'copy_dataset', max_rows_per_file: 10, conf: { 'spark.default.parallelism': 1 } };
    const attempt = startSparkAttempt({ environment, workflowId: 'publish', input: { params, input, output } });
    const commandLines = await poll('the command line of the running job', async () => {
      const pid = await pidOf(attempt);
      const lines = sessionMembers(pid).map((member) => readFileSync(`/proc/${member}/cmdline`, 'utf8').replaceAll('\0', ' '));
      return lines.some((line) => line.includes('org.apache.spark.deploy.SparkSubmit')) ? lines.join('\n') : undefined;
    });
    assert.ok(secret.length > 8 && !commandLines.includes(secret), 'the secret key is on a command line');

    const reference = await attempt.result;
    const names = await objectNames(s3, output);
    assert.deepEqual(
      names.map((name) => name.replace(/-[0-9a-f-]{36}-c/, '-*-c')),
      ['manifest.json', ...['c000', 'c001', 'c002'].map((part) => `${own}part-00000-*-${part}.csv.gz`)],
    );
    const bytes = (reference as { bytes: number }).bytes;
    assert.deepEqual(reference, { uri: output, manifest: `${output}manifest.json`, format: 'csv', rows: 25, bytes, schema });
    assert.deepEqual(await readDataset(s3, output), rows);
    assert.ok(!attempt.log.join('\n').includes(secret), 'the secret key is in the log');
    assert.ok(
      attempt.log.some((line) => line.startsWith('DEBUG') && line.includes('SparkContext')),
      "Spark's own log is not handed on",
    );
    assert.ok(
      attempt.progress.some((point) => (point as { stage?: string }).stage?.includes('Stage')),
      'no stage in the progress',
    );

    // The answer was lost on its way to the server: the next attempt gives the same one without another job.
    const again = startSparkAttempt({ environment, workflowId: 'publish', attempt: 2, input: { params, input, output } });
    assert.deepEqual(await again.result, reference);
    assert.deepEqual(await objectNames(s3, output), names);
  });

  it('two runs at once for one interval do not disturb each other: the dataset is that of one of them', async () => {
    const { environment, s3, bucket } = setting;
    const rows = [...Array(25).keys()].map((id) => [String(id)]);
    const input = await putDataset(s3, `s3://${bucket}/twice-source/`, [{ name: 'id', type: 'bigint' }], rows);
    const output = `s3://${bucket}/twice/20240101T000000Z/`;
    const attempts = ['scheduled', 'manual'].map((workflowId) =>
      startSparkAttempt({ environment, workflowId, input: { params: { job_name: 'copy_dataset' }, input, output } }),
    );
    for (const { result } of attempts) assert.equal(((await result) as { rows: number }).rows, 25);
    assert.deepEqual(
      (await readDataset(s3, output)).sort((a, b) => Number(a[0]) - Number(b[0])),
      rows,
    );
  });

  it("puts the script's own exception on the first line of a failure that is retried", async () => {
    const output = `s3://${setting.bucket}/raises/`;
    const attempt = startSparkAttempt({
      environment: { ...setting.environment, SLUICE_CONN_OTHER: 'postgresql://ann:canary-of-a-job@h/d' },
      workflowId: 'raises',
      input: { params: { job_name: 'raises' }, output },
    });
    const { message, type, nonRetryable } = await failureOf(attempt);
    assert.equal(
      message.split('\n')[0],
      "Job 'raises' failed: ValueError: invalid literal for int() with base 10: 'twelve' (raises.py, line 7)",
    );
    assert.deepEqual({ type, nonRetryable }, { type: 'JobFailed', nonRetryable: false });
    assert.match(message, /Traceback/);
    // What a job prints is scrubbed like everything else.
    assert.deepEqual(
      [message, ...attempt.log].filter((text) => text.includes('canary-of-a-job')),
      [],
    );
    assert.ok(Buffer.byteLength(message) < 10_000);
    assert.deepEqual(await objectNames(setting.s3, output), []);
  });

  it('refuses a job, a bucket and a program that are not there', async () => {
    const { environment, bucket } = setting;
    const run = (params: Record<string, Json>, more: object = {}, output?: string) =>
      failureOf(
        startSparkAttempt({
          environment: { ...environment, ...more },
          workflowId: 'refused',
          input: { params, ...(output && { output }) },
        }),
      );
    const missing = await run({ job_name: 'copy_datasets' });
    assert.equal(missing.type, 'JobNotFound');
    assert.match(
      missing.message,
      /Did you mean 'copy_dataset'\? Jobs there: copy_dataset, leaves_thread, mark_and_wait, raises, says_all, trains, writes_nothing\./,
    );
    assert.equal((await run({ job_name: 'raises' }, {}, 's3://no-such-bucket-here/x/')).type, 'BucketNotFound');
    const nowhere = JSON.stringify({ type: 'spark', master: 'local[*]', spark_home: '/nowhere' });
    assert.equal((await run({ job_name: 'raises' }, { SLUICE_CONN_SPARK_DEFAULT: nowhere })).type, 'ProgramNotFound');
    assert.equal((await run({ job_name: 'writes_nothing' }, {}, `s3://${bucket}/nothing/`)).type, 'DatasetNotFound');
  });

  it('ends the whole process group when the run is cancelled, and deletes what it wrote', async () => {
    const job = markAndWait({ child: true });
    const attempt = startSparkAttempt(job.options);
    await job.started(1);
    const pid = await pidOf(attempt);
    const members = await poll('shell, JVM, Python and its child', () => {
      const all = sessionMembers(pid);
      return all.length >= 4 ? all : undefined;
    });
    const { bucket, key } = { bucket: setting.bucket, key: job.output.slice(`s3://${setting.bucket}/`.length) };
    await setting.s3.send(
      new PutObjectCommand({ Bucket: bucket, Key: `${key}run-${ownMark(`${job.options.workflowId}/task`)}/part-0.csv.gz`, Body: 'half' }),
    );
    attempt.activity.cancel('CANCELLED', new ActivityCancellationDetails({ cancelRequested: true }));
    await assert.rejects(attempt.result, CancelledFailure);
    assert.deepEqual(sessionMembers(pid), []);
    assert.deepEqual(members.filter(processIdentity), []);
    assert.deepEqual(await objectNames(setting.s3, job.output), []);
  });

  it('ends the job just before its timeout', async () => {
    const job = markAndWait({ timeoutMs: 30_000 });
    const attempt = startSparkAttempt(job.options);
    await job.started(1);
    const pid = await pidOf(attempt);
    await poll('the end of the job', () => sessionMembers(pid).length === 0 || undefined, 40);
    // This is where the server says so.
    attempt.activity.cancel('TIMED_OUT', new ActivityCancellationDetails({ timedOut: true }));
    await assert.rejects(attempt.result);
  });

  it('takes the job up again after its worker was killed: it runs once', async () => {
    const job = markAndWait();
    const worker = startWorker(job.options);
    await job.started(1);
    worker.process.kill('SIGKILL');
    await worker.answer;
    const second = startSparkAttempt({ ...job.options, attempt: 2 });
    await pidOf(second);
    job.finish();
    assert.equal(await second.result, null);
    assert.equal(job.starts().length, 1);
    assert.ok(second.log.some((line) => line.includes('runs on since an earlier attempt')));
    assert.ok(second.log.some((line) => line.startsWith('INFO done')));
  });

  it('takes the result of a job that ended while no worker was there', async () => {
    const job = markAndWait();
    const worker = startWorker(job.options);
    await job.started(1);
    worker.process.kill('SIGKILL');
    await worker.answer;
    const leader = leaderOf(Number(job.starts()[0]));
    job.finish();
    await poll('the end of the job', () => sessionMembers(leader).length === 0 || undefined);
    assert.equal(await startSparkAttempt({ ...job.options, attempt: 2 }).result, null);
    assert.equal(job.starts().length, 1);
  });

  it('leaves the job to the next worker when this one shuts down', async () => {
    const job = markAndWait();
    const first = startSparkAttempt(job.options);
    await job.started(1);
    const pid = await pidOf(first);
    await poll("the job's output in the log", () => first.log.some((line) => line.startsWith('INFO marked')) || undefined);
    const reports = first.progress.length;
    // One of them may be a mere repetition, for the heartbeat.
    await poll('progress that knows of it', () => first.progress.length > reports + 2 || undefined);
    first.activity.cancel('WORKER_SHUTDOWN', new ActivityCancellationDetails({ workerShutdown: true }));
    assert.equal((await failureOf(first)).type, 'WorkerShutdown');
    assert.ok(processIdentity(pid), 'the job was ended');
    const second = startSparkAttempt({ ...job.options, attempt: 2, resumePoint: first.progress.at(-1) ?? null });
    assert.equal(await pidOf(second), pid);
    job.finish();
    assert.equal(await second.result, null);
    assert.equal(job.starts().length, 1);
    assert.ok(!second.log.some((line) => line.startsWith('INFO marked')), 'a line of the log was handed on twice');
  });

  it('starts again when the job was killed together with its worker, and reports one that was killed alone', async () => {
    const job = markAndWait();
    const first = startSparkAttempt(job.options);
    await job.started(1);
    const worker = startWorker({ ...job.options, attempt: 2 });
    const pid = await pidOf(first);
    first.activity.cancel('WORKER_SHUTDOWN', new ActivityCancellationDetails({ workerShutdown: true }));
    worker.process.kill('SIGKILL');
    await Promise.allSettled([first.result, worker.answer]);
    // The launcher first: it would write down how the job ended.
    process.kill(pid, 'SIGKILL');
    for (const member of sessionMembers(pid)) process.kill(member, 'SIGKILL');
    const third = startSparkAttempt({ ...job.options, attempt: 3 });
    await job.started(2);
    process.kill(-(await pidOf(third)), 'SIGKILL');
    const { type, message } = await failureOf(third);
    assert.equal(type, 'SparkFailed');
    assert.match(message, /^Job 'mark_and_wait' vanished on /);
    assert.equal(job.starts().length, 2);
  });

  it('an attempt that the server gave up does not touch the job of its successor', async () => {
    const job = markAndWait();
    const first = startSparkAttempt(job.options);
    await job.started(1);
    const second = startSparkAttempt({ ...job.options, attempt: 2 });
    const pid = await pidOf(second);
    first.activity.cancel('NOT_FOUND', new ActivityCancellationDetails({ notFound: true }));
    await assert.rejects(first.result);
    assert.ok(processIdentity(pid), 'the job was ended');
    job.finish();
    assert.equal(await second.result, null);
    assert.equal(job.starts().length, 1);
  });

  it('does not take up the job of a run that was reset', async () => {
    const job = markAndWait();
    const worker = startWorker(job.options);
    await job.started(1);
    worker.process.kill('SIGKILL');
    await worker.answer;
    const [pidOfFirst = 0] = job.starts().map(Number);
    const second = startSparkAttempt({ ...job.options, runId: 'run after reset' });
    await job.started(2);
    assert.equal(processIdentity(pidOfFirst), undefined);
    job.finish();
    assert.equal(await second.result, null);
  });
});

/** The pid that leads the job's session: the launcher's. */
function leaderOf(member: number): number {
  const stat = readFileSync(`/proc/${member}/stat`, 'utf8');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[3]);
}
