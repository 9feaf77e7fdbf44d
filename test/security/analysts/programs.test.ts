import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'mocha';
import { type ChildUser, childUser, giveFolder } from '../../../activities/support/programs/child-user.ts';
import { readExit, startProcess } from '../../../activities/spark/detached-process.ts';
import { sparkEnvironment } from '../../../activities/spark/spark-submit-arguments.ts';
import { ROOT } from '../../../lib/environment.ts';
import { eventually } from '../../support/eventually.ts';
import { startProcess as startSluice } from '../../support/processes.ts';
import { createYamlRuns, planOf, type YamlRuns } from '../../support/yaml-runs.ts';

const CANARY = 'canary-7f3a9c51e0';
const NODE = process.execPath;
/** Variables with which a program that is allowed runs code that is not, by whom they reach it. */
const STEERING = [
  ...['LD_PRELOAD', 'LD_LIBRARY_PATH', 'LD_AUDIT', 'DYLD_INSERT_LIBRARIES', 'GCONV_PATH', 'GLIBC_TUNABLES', 'HOSTALIASES'],
  ...['BASH_ENV', 'ENV', 'BASH_FUNC_ls%%', 'SHELLOPTS', 'BASHOPTS', 'PS4', 'IFS', 'CDPATH', 'PROMPT_COMMAND', 'ZDOTDIR'],
  ...['OMP_TOOL_LIBRARIES', 'PROJ_LIB', 'GDAL_DRIVER_PATH', 'NUMBA_CACHE_DIR', 'MPLCONFIGDIR', 'LESS_CONFIG_FILE', 'TZDIR', 'DISPLAY'],
  ...['PATH', 'HOME', 'TMPDIR', 'SHELL', 'USER', 'XDG_CONFIG_HOME'],
  ...['PYTHONPATH', 'PYTHONSTARTUP', 'PYTHONWARNINGS', 'PYTHONHOME', 'PYTHONINSPECT', 'PYTHONUSERBASE', 'PIP_INDEX_URL', 'VIRTUAL_ENV'],
  ...['NODE_OPTIONS', 'NODE_PATH', 'NODE_EXTRA_CA_CERTS', 'npm_config_script_shell', 'JAVA_TOOL_OPTIONS', '_JAVA_OPTIONS', 'CLASSPATH'],
  ...['JDK_JAVA_OPTIONS', 'PERL5OPT', 'PERL5LIB', 'RUBYOPT', 'RUBYLIB', 'GEM_HOME', 'LUA_INIT', 'PHPRC', 'R_PROFILE_USER', 'GOFLAGS'],
  ...['DOTNET_STARTUP_HOOKS', 'CORECLR_PROFILER', 'GIT_SSH_COMMAND', 'GIT_CONFIG_COUNT', 'GIT_EXTERNAL_DIFF', 'SSH_ASKPASS', 'RSYNC_RSH'],
  ...[
    'EDITOR',
    'PAGER',
    'LESSOPEN',
    'MANPAGER',
    'MAKEFLAGS',
    'OPENSSL_CONF',
    'SSL_CERT_FILE',
    'http_proxy',
    'HTTPS_PROXY',
    'PGSERVICEFILE',
  ],
  ...[
    'AWS_CONFIG_FILE',
    'KUBECONFIG',
    'SPARK_SUBMIT_OPTS',
    'SLUICE_COMMANDS',
    'SLUICE_IDEMPOTENCY_KEY',
    'TEMPORAL_ADDRESS',
    '1A',
    'A B',
    '',
  ],
];
const HARMLESS = ['REGION', 'DAY', 'ENVIRONMENT', 'INPUT_PATH', 'LANG', 'TZ', 'N', 'dry_run', 'CUDA_VISIBLE_DEVICES'];
/** Says what it can read: the environment of every process, and whose it is. */
const SPY = `
const fs = require('fs');
const read = (file) => { try { return fs.readFileSync(file, 'latin1'); } catch { return ''; } };
const holders = fs.readdirSync('/proc').filter((pid) => /^\\d+$/.test(pid))
  .filter((pid) => (read('/proc/' + pid + '/environ') + read('/proc/' + pid + '/cmdline')).includes(process.argv.slice(1).join('-')));
const parent = read('/proc/' + process.ppid + '/environ');
console.log(JSON.stringify({ holders: holders.map((pid) => pid + ' ' + read('/proc/' + pid + '/cmdline').slice(0, 80)), parent: parent.length, uid: process.getuid(), gid: process.getgid(), groups: process.getgroups(), env: process.env }));`;

const commandYaml = (argv: readonly string[], env: string): string => `
dag_id: attack
params: {env: {type: object, default: {}}}
tasks: [{name: a, type: command, argv: ${JSON.stringify(argv)}, retries: 0${env === '' ? '' : `, env: ${env}`}}]
`;
const SPY_YAML = commandYaml([NODE, '-e', SPY, ...CANARY.split('-')], '');
/** What every program gets. */
const GIVEN = /^(PATH|LANG|LC_ALL|TZ|HOME|USER|TMPDIR|SLUICE_(DAG_ID|TASK|DATA_INTERVAL_START|DATA_INTERVAL_END|IDEMPOTENCY_KEY))$/;
const SETTINGS = { SLUICE_COMMANDS: `${NODE},env(REGION)`, SLUICE_CONN_CANARY: `postgresql://ann:${CANARY}@127.0.0.1/x` };

describe('who can write YAML and run programs', function () {
  this.timeout('2m');
  let runs: YamlRuns;
  let nobody: ChildUser | undefined;

  before(async function () {
    this.timeout('20m');
    if (process.getuid?.() === 0) nobody = childUser({ SLUICE_RUN_AS: 'nobody' });
    runs = await createYamlRuns({ environment: SETTINGS });
  });
  after(() => runs.close());

  it('env: names that steer a loader or an interpreter are mistakes of the file', () => {
    for (const name of STEERING) {
      assert.throws(
        () => planOf(commandYaml([NODE], `{${JSON.stringify(name)}: x}`)),
        (error: Error) => error.message.includes(`'env' cannot set ${name}`),
        `${name} is taken`,
      );
    }
    planOf(commandYaml([NODE], `{${HARMLESS.map((name) => `${name}: x`).join(', ')}}`));
  });

  it('env: and as values of an expression the task refuses them before it starts anything', async () => {
    const mark = join(tmpdir(), `sluice-attack-${CANARY}`);
    const yaml = commandYaml([NODE, '--version'], '"{{ params.env }}"');
    for (const env of [{ NODE_OPTIONS: `--require=${mark}` }, { PATH: tmpdir() }, { 'BASH_FUNC_x%%': '() { id; }' }]) {
      const { tasks } = await runs.run(yaml, { params: { env } });
      assert.match(tasks.a?.error ?? '', /'env' (cannot set|sets) (NODE_OPTIONS|PATH|BASH_FUNC_x%%)/, JSON.stringify(tasks.a));
    }
    const { state } = await runs.run(yaml, { params: { env: { REGION: 'eu' } } });
    assert.equal(state, 'success');
  });

  it('env: a worker may name the only variables of a program', async () => {
    const { tasks } = await runs.run(commandYaml(['env'], '{DAY: x}'));
    assert.match(tasks.a?.error ?? '', /'env' sets DAY, which this worker does not allow for 'env': SLUICE_COMMANDS allows REGION\./);
    assert.equal((await runs.run(commandYaml(['env'], '{REGION: eu}'))).state, 'success');
  });

  it('secrets: no process that a program can see has them in its environment', async () => {
    const seen = await spy(runs);
    assert.deepEqual([seen.holders, seen.parent > 0], [[], true]);
    assert.deepEqual(
      Object.keys(seen.env).filter((name) => !GIVEN.test(name)),
      [],
    );
  });

  it('secrets: a worker that was started by a process that holds them runs no programs', async () => {
    const run = { params: { argv: ['true'] }, environment: {} };
    const task = spawn(NODE, ['--import=tsx', 'test/support/task-process.ts', 'command', JSON.stringify(run)], {
      cwd: ROOT,
      env: { PATH: process.env.PATH, SLUICE_COMMANDS: 'true', SLUICE_CONN_CANARY: CANARY },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    assert.match(await text(task.stderr), /This worker runs no programs: process \d+ .* was started with SLUICE_CONN_CANARY/);
  });

  it('secrets: another user runs the programs of a worker that may start them', async function () {
    if (!nobody) return this.skip();
    const separated = await createYamlRuns({ environment: { ...SETTINGS, SLUICE_RUN_AS: 'nobody' } });
    try {
      const seen = await spy(separated);
      assert.deepEqual([seen.uid, seen.gid, seen.groups, seen.holders, seen.parent], [nobody.uid, nobody.gid, [nobody.gid], [], 0]);
      assert.deepEqual([seen.env.HOME, seen.env.USER], [nobody.home, 'nobody']);
    } finally {
      await separated.close();
    }
  });

  it('secrets: another user runs Spark, in a separate folder', async function () {
    if (!nobody) return this.skip();
    const folder = mkdtempSync(join(tmpdir(), 'sluice-attack-'));
    try {
      mkdirSync(join(folder, 'work', 'tmp'), { recursive: true });
      writeFileSync(join(folder, 'work', 'tmp', 'part'), '');
      await assert.rejects(giveFolder(join(folder, 'work'), nobody), /cannot reach .*work: .*sluice-attack-\w+ is closed to others/);
      chmodSync(folder, 0o711);
      await giveFolder(join(folder, 'work'), nobody);
      await startProcess(
        folder,
        { run: 'run', attempt: 1, order: '' },
        ['/bin/sh', '-c', 'id -u; id -G; touch work-is-ours tmp/part; cat ../process.json; ls ..'],
        {},
        nobody,
      );
      await eventually(async () => assert.notEqual(await readExit(folder), undefined));
      const said = readFileSync(join(folder, 'log'), 'utf8');
      assert.match(said, new RegExp(`^${nobody.uid}\n${nobody.gid}\n.*process.json: Permission denied\n.*: Permission denied\n$`, 's'));
      assert.deepEqual(readdirSync(join(folder, 'work')), ['tmp', 'work-is-ours']);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('secrets: Spark starts with what it needs of the environment', () => {
    const worker = {
      PATH: '/bin',
      SPARK_CONF_DIR: '/conf',
      LD_PRELOAD: 'x',
      PGPASSWORD: CANARY,
      SLUICE_CONN_A: CANARY,
      GITHUB_TOKEN: CANARY,
    };
    const connections = {
      spark: { type: 'spark', master: 'yarn', deploy_mode: 'cluster' },
      storage: { type: 'aws', region_name: 'a' },
    } as const;
    const { PATH, SPARK_CONF_DIR, ...others } = sparkEnvironment({ ...connections, work: '/work' }, worker);
    assert.deepEqual([PATH, SPARK_CONF_DIR], ['/bin', '/conf']);
    assert.equal(JSON.stringify(others).includes(CANARY) || 'LD_PRELOAD' in others, false);
  });

  it('secrets: no other place starts programs', () => {
    const rooms = ['activities', 'sensors', 'monitors', 'channels', 'connections', 'lib', 'temporal', 'workflows'];
    const files = rooms.flatMap((room) => readdirSync(join(ROOT, room), { recursive: true }).map((file) => join(room, String(file))));
    const starting = files.filter(
      (file) => /\.m?ts$|\.mjs$/.test(file) && readFileSync(join(ROOT, file), 'utf8').includes('child_process'),
    );
    const STARTERS = ['command/run-program.ts', 'spark/detached-process.ts', 'spark/launcher.mjs', 'support/programs/process-table.mjs'];
    // `sluice doctor` asks Spark for its version, without the secrets of the environment.
    const expected = [...STARTERS.map((file) => join('activities', file)), join('connections', 'spark.ts')];
    assert.deepEqual(starting.sort(), expected);
  });

  it('a wrong SLUICE_RUN_AS ends the worker at its start', async () => {
    const environment = { ...runs.environment, SLUICE_RUN_AS: 'no-such-user' };
    const worker = startSluice('worker.ts', [], environment);
    assert.equal(await worker.exited, 1);
    assert.match(worker.stderr(), /SLUICE_RUN_AS is 'no-such-user': it is neither a user of this machine nor of the form uid:gid/);
    assert.throws(() => childUser({ SLUICE_RUN_AS: '0:0' }), /SLUICE_RUN_AS is '0:0', /);
  });
});

interface Seen {
  readonly holders: readonly string[];
  readonly parent: number;
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
  readonly env: Readonly<Record<string, string>>;
}

async function spy(runs: YamlRuns): Promise<Seen> {
  const { tasks } = await runs.run(SPY_YAML);
  assert.equal(tasks.a?.state, 'success', tasks.a?.error);
  return (tasks.a?.output as unknown as { json: Seen }).json;
}
