import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Submission, sparkEnvironment, sparkSubmitArguments } from '../../../activities/spark/spark-submit-arguments.ts';

const home = mkdtempSync(join(tmpdir(), 'sluice-arguments-'));
const SECRET = 'wJalrXUtnFEMI/K7MDENG';
const submission: Submission = {
  program: join(home, 'bin/spark-submit'),
  job: { name: 'prices', path: '/jobs/prices.py', library: ['/jobs/sluice_job.py'] },
  applicationName: 'etl.prices 2024-01-01',
  params: { job_name: 'prices' },
  spark: { type: 'spark', master: 'spark://host:7077', deploy_mode: 'client', jars: join(home, 'extra') },
  storage: {
    type: 'aws',
    region_name: 'eu-west-1',
    access_key_id: 'AKIAEXAMPLE',
    secret_access_key: SECRET,
    endpoint_url: 'http://127.0.0.1:7070',
  },
  interval: { start: '2024-01-01T00:00:00.000Z', end: '2024-01-02T00:00:00.000Z' },
  input: 's3://raw/in/',
  output: 's3://out/here/',
  work: '/state/work',
};
const LOCAL = { ...submission, spark: { ...submission.spark, master: 'local[*]' } };

function configuration(argv: readonly string[]): Record<string, string> {
  const pairs = argv.flatMap((argument, at) => (argument === '--conf' ? [argv[at + 1] ?? ''] : []));
  return Object.fromEntries(pairs.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]));
}

describe('activities/spark/spark-submit-arguments', () => {
  before(() => {
    for (const [folder, jar] of [
      ['bin', 'spark-submit'],
      ['jars', 'netty-common-4.2.13.Final.jar'],
      ['extra', 'netty-common-4.1.126.Final.jar'],
      ['extra', 'hadoop-aws-3.5.0.jar'],
      ['extra', 'notes.txt'],
    ] as const) {
      mkdirSync(join(home, folder), { recursive: true });
      writeFileSync(join(home, folder, jar), '');
    }
  });
  after(() => rmSync(home, { recursive: true }));

  it("hands the job its arguments after its path, and the task's own last", () => {
    const params = {
      ...submission.params,
      params: { segment: '-x y', limit: 3, dry: true, none: null },
      application_args: ['--extra', "a 'b'"],
    };
    const argv = sparkSubmitArguments({ ...submission, params });
    assert.deepEqual(argv.slice(argv.indexOf('/jobs/prices.py')), [
      ...['/jobs/prices.py', '--input', 's3://raw/in/', '--output', 's3://out/here/'],
      ...['--data-interval-start', '2024-01-01T00:00:00.000Z', '--data-interval-end', '2024-01-02T00:00:00.000Z'],
      ...['--param=segment=-x y', '--param=limit=3', '--param=dry=true', '--param=none=', '--extra', "a 'b'"],
    ]);
    assert.deepEqual(argv.slice(0, 7), [
      ...[submission.program, '--master', 'spark://host:7077', '--deploy-mode', 'client', '--name', 'etl.prices 2024-01-01'],
    ]);
  });

  it('leaves out what the task does not have, and takes sizes and the deploy mode from it', () => {
    const params = {
      deploy_mode: 'cluster',
      executor_cores: 2,
      executor_memory: '4g',
      num_executors: 3,
      driver_memory: '1g',
      packages: ['a:b:1'],
    } as const;
    const argv = sparkSubmitArguments({ ...submission, params, input: undefined, output: undefined });
    assert.ok(!argv.includes('--input') && !argv.includes('--output'));
    const flags = argv.join(' ');
    for (const part of [
      '--deploy-mode cluster',
      '--executor-cores 2',
      '--executor-memory 4g',
      '--num-executors 3',
      '--driver-memory 1g',
      '--packages a:b:1',
    ]) {
      assert.ok(flags.includes(part), part);
    }
  });

  it('never shows a key, and gives it in the environment', () => {
    const theirs = {
      PATH: '/bin',
      AWS_PROFILE: 'x',
      AWS_SESSION_TOKEN: 't',
      SLUICE_CONN_POSTGRES_DEFAULT: 'postgres://u:p@h/d',
      TEMPORAL_API_KEY: 'k',
      NODE_OPTIONS: '-r x',
    };
    for (const each of [submission, LOCAL]) {
      const argv = sparkSubmitArguments(each).join('\n');
      assert.ok(!argv.includes(SECRET) && !argv.includes('AKIAEXAMPLE'));
      const environment = sparkEnvironment(each, theirs);
      assert.equal(environment['AWS_SECRET_ACCESS_KEY'], SECRET);
      assert.equal(environment['PATH'], '/bin');
      for (const name of ['AWS_PROFILE', 'AWS_SESSION_TOKEN', 'SLUICE_CONN_POSTGRES_DEFAULT', 'TEMPORAL_API_KEY', 'NODE_OPTIONS']) {
        assert.equal(environment[name], undefined, name);
      }
    }
    const role = { ...submission, storage: { type: 'aws', region_name: 'eu-west-1' } } as const;
    assert.equal(sparkEnvironment(role, theirs)['AWS_PROFILE'], 'x');
  });

  it('refuses keys in conf', () => {
    for (const key of [
      'spark.hadoop.fs.s3a.secret.key',
      'spark.hadoop.fs.s3a.bucket.raw.access.key',
      'spark.hadoop.fs.s3a.session.token',
    ]) {
      assert.throws(() => sparkSubmitArguments({ ...submission, params: { conf: { [key]: 'x' } } }), { type: 'InvalidParameters' }, key);
    }
  });

  it("lets the pipeline's conf win, and adds to Java's options", () => {
    const conf = {
      'spark.sql.shuffle.partitions': 7,
      'spark.driver.extraJavaOptions': '-Dx=1',
      'spark.sql.session.timeZone': 'Asia/Tokyo',
    };
    const given = configuration(sparkSubmitArguments({ ...LOCAL, params: { conf } }));
    assert.equal(given['spark.sql.shuffle.partitions'], '7');
    assert.equal(given['spark.sql.session.timeZone'], 'Asia/Tokyo');
    assert.match(given['spark.driver.extraJavaOptions'] ?? '', /-Djava\.io\.tmpdir=\/state\/work\/tmp -Dx=1$/);
  });

  it('listens on loopback only when Spark is local, and sets no address on a cluster', () => {
    const local = configuration(sparkSubmitArguments(LOCAL));
    assert.equal(local['spark.driver.bindAddress'], '127.0.0.1');
    assert.equal(local['spark.ui.enabled'], 'false');
    const cluster = configuration(sparkSubmitArguments(submission));
    assert.equal(cluster['spark.driver.bindAddress'], undefined);
    assert.equal(cluster['spark.sql.shuffle.partitions'], undefined);
    assert.equal(cluster['spark.hadoop.fs.s3a.path.style.access'], 'true');
  });

  it('adds the jars that Spark lacks, not those it has', () => {
    const jar = join(home, 'extra/hadoop-aws-3.5.0.jar');
    const argv = sparkSubmitArguments(submission);
    assert.equal(argv[argv.indexOf('--jars') + 1], jar);
    assert.equal(configuration(sparkSubmitArguments(LOCAL))['spark.driver.extraClassPath'], jar);
    const nowhere = { ...submission, spark: { ...submission.spark, jars: '/nowhere' } };
    assert.throws(() => sparkSubmitArguments(nowhere), { type: 'ProgramNotFound' });
  });
});
