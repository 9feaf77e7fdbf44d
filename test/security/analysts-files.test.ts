import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmod, mkdir, open, readFile, symlink, truncate, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { CATALOG } from '../../activities/catalog.ts';
import { Compiler, type PipelineFile } from '../../compiler/compile.ts';
import { loadPipelines } from '../../compiler/read/load-pipelines.ts';
import { ROOT } from '../../lib/environment.ts';
import { compiler } from '../support/compiler.ts';
import { sluice, startProcess } from '../support/processes.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { unique } from '../support/test-sensors.ts';
import { testStack } from '../support/test-stack.ts';

/** What one file may take, in milliseconds, on a machine that does other things too. */
const LONGEST = 5_000;

const lines = (count: number, line: (n: number) => string): string => Array.from({ length: count }, (_, n) => line(n)).join('\n');
const task = (n: number): string => `  - {name: t${n}, type: empty}`;
const pipeline = (more: string): string => `dag_id: evil\nschedule_interval: null\n${more}\ntasks:\n  - {name: a, type: empty}\n`;

/** Files that stop a parser, a process or the patience of people, with the code that is to be reported; each made by one line. */
const EVIL: Readonly<Record<string, [code: string | RegExp, text: string]>> = {
  'an alias of itself': ['SL104', 'x: &x [*x]'],
  'an alias of itself as a key': [/SL104|SL201/, '? &x [*x]\n: 1'],
  'an alias of itself in a pipeline': ['SL104', pipeline('params: &p {a: {default: *p}}')],
  'aliases that double': ['SL104', `a0: &a0 [1]\n${lines(30, (n) => `a${n + 1}: &a${n + 1} [*a${n}, *a${n}]`)}`],
  'one list, a thousand times': ['SL104', `a: &a [${'1,'.repeat(5_000)}]\nb: [${'*a,'.repeat(1_000)}]`],
  'aliases without end': ['SL104', `${lines(20_000, (n) => `- &a${n} 1`)}\n${lines(20_000, (n) => `- *a${n}`)}`],
  'keys of keys': ['SL104', '? '.repeat(10_000)],
  'keys of keys, on lines': ['SL104', lines(400, (n) => `${' '.repeat(n)}?`)],
  'keys of lists of keys': ['SL104', '? - '.repeat(5_000)],
  'keys of keys after tabs': ['SL104', '?\t'.repeat(5_000)],
  'lists of lists': ['SL104', `a:\n  ${'- '.repeat(20_000)}x`],
  brackets: ['SL104', '['.repeat(500_000)],
  'brackets with keys': ['SL104', '[a: '.repeat(100_000)],
  'values of values': ['SL104', lines(500, (n) => `${' '.repeat(n)}a:`)],
  '60,000 unknown keys': ['SL104', pipeline(lines(60_000, (n) => `key_${n}: 1`))],
  '60,000 keys in one line': ['SL104', `{${'a: 1, '.repeat(60_000)}}`],
  '60,000 unknown keys in maps of their own': [
    /SL109|SL104/,
    `dag_id: evil\ntasks:\n${lines(100, (n) => `${task(n).slice(0, -1)}, ${lines(600, (k) => `dep${k}: 1,`).replaceAll('\n', ' ')}}`)}`,
  ],
  '20,000 tasks without a type': [/SL109|SL104/, `dag_id: evil\ntasks:\n${lines(20_000, (n) => `  - {name: t${n}}`)}`],
  '100,000 keys that stand twice': ['SL104', 'a: 1\n'.repeat(100_000)],
  '300,000 commas': ['SL104', `[${','.repeat(300_000)}]`],
  '100,000 documents': [/SL10[45]/, '--- a\n'.repeat(100_000)],
  '200,000 marks of documents': [/SL10[45]/, '---\n'.repeat(170_000)],
  '500,000 closing braces': ['SL104', '}'.repeat(500_000)],
  '500,000 quotes': ['SL104', '"'.repeat(500_000)],
  '100,000 anchors': ['SL104', '&a '.repeat(100_000)],
  '300,000 empty keys': ['SL104', ':\n'.repeat(300_000)],
  'a million characters too many': ['SL103', `# ${'x'.repeat(1_100_000)}`],
  'an expression of 800,000 characters': [
    /SL50/,
    `dag_id: evil\ntasks:\n  - {name: a, type: empty, when: "${'1 + '.repeat(100_000)}1", retry_delay: "{{ ${'1 + '.repeat(100_000)}1 }}"}\n`,
  ],
  'a cron expression of 900,000 characters': [/SL20/, pipeline('').replace('null', `"${'0,'.repeat(400_000)} * * * *"`)],
  'a name of 900,000 characters': [
    /SL20/,
    `dag_id: ${'a'.repeat(900_000)}\nscheduel: 1\ntasks: [{name: ${'b'.repeat(10)}, type: ${'c'.repeat(100_000)}}]`,
  ],
  'tasks in a chain of 3,000': [
    /^$/,
    `dag_id: evil\ntasks:\n${lines(3_000, (n) => `  - {name: t${n}, type: empty${n > 0 ? `, depends_on: [t${n - 1}]` : ''}}`)}`,
  ],
};

/** Those that are made of bytes on the disk. */
const GOOD = (dagId: string): string => `dag_id: ${dagId}\nschedule_interval: null\ntasks:\n  - {name: a, type: empty}\n`;

describe('who writes the files of analysts', function () {
  this.timeout('2m');
  let folder: { path: string; remove(): Promise<void> };
  before(async () => (folder = await temporaryFolder()));
  after(() => folder.remove());

  async function folderOf(name: string, files: Readonly<Record<string, string>>): Promise<string> {
    const path = join(folder.path, name);
    await mkdir(path);
    for (const [file, text] of Object.entries(files)) await writeFile(join(path, file), text);
    return path;
  }

  /** As `sluice validate -o json` prints them: the codes of each file, and whether it is good. */
  async function validated(path: string, environment?: Record<string, string>): Promise<Record<string, string[] | 'good'>> {
    const { stdout, stderr } = await sluice(['validate', path, '-o', 'json'], environment);
    assert.ok(!stderr.includes('Internal error of Sluice. Please'), stderr);
    const files = JSON.parse(stdout) as { file: string; dag_id: string | null; diagnostics: { code: string }[] }[];
    return Object.fromEntries(
      files.map(({ file, dag_id: dagId, diagnostics }) => [basename(file), dagId === null ? diagnostics.map(({ code }) => code) : 'good']),
    );
  }

  for (const [name, [code, text]] of Object.entries(EVIL)) {
    it(`${name}: a mistake of that file alone, in bounded time; the others are good`, () => {
      const began = performance.now();
      const [before, evil, behind] = compiler.compileAll([
        { file: 'before.yaml', text: GOOD('before') },
        { file: 'evil.yaml', text },
        { file: 'behind.yaml', text: GOOD('behind') },
      ]);
      const took = performance.now() - began;
      assert.ok(before?.plan && behind?.plan);
      const codes = evil?.diagnostics.map((each) => each.code) ?? [];
      assert.ok(codes.length <= 501);
      assert.ok(!codes.includes('SL110'), JSON.stringify(evil?.diagnostics.find((each) => each.code === 'SL110')));
      if (typeof code === 'string') assert.ok(codes.includes(code as never), `${code} is not in ${codes.slice(0, 5).join()}`);
      else assert.match(codes.join(), code);
      assert.ok(JSON.stringify(evil?.diagnostics).length < 4_000_000);
      assert.ok(took < LONGEST, `it took ${took} ms`);
    });
  }

  it('an internal error in one file is reported for that file; other files are not affected', () => {
    const broken = CATALOG.map((each) =>
      each.type === 'http'
        ? {
            ...each,
            mistakes: () => {
              throw new RangeError('boom');
            },
          }
        : each,
    );
    const [bad, good] = new Compiler(broken).compileAll([
      { file: 'bad.yaml', text: `${GOOD('bad')}  - {name: b, type: http, conn_id: x, path: /}\n` },
      { file: 'good.yaml', text: GOOD('good') },
    ]);
    assert.ok(good?.plan && !bad?.plan);
    assert.match(bad?.diagnostics.find(({ code }) => code === 'SL110')?.message ?? '', /Internal error of Sluice in this file: boom/);
  });

  it('validate names each bad file, and the good ones are good', async () => {
    const recursive = await readFile(join(ROOT, 'test/fixtures/recursive-alias.yaml'), 'utf8');
    const path = await folderOf('mixed', {
      'a.yaml': GOOD('a'),
      'recursive.yaml': recursive,
      'keys.yaml': '? '.repeat(10_000),
      'z.yaml': GOOD('z'),
    });
    await (await open(join(path, 'huge.yaml'), 'w')).close();
    await truncate(join(path, 'huge.yaml'), 600 * 1024 * 1024);
    assert.deepEqual(await validated(path), {
      'a.yaml': 'good',
      'huge.yaml': ['SL103'],
      'keys.yaml': ['SL104'],
      'recursive.yaml': ['SL104'],
      'z.yaml': 'good',
    });
  });

  it('a file and a folder that may not be read are mistakes of those alone', async function () {
    if (process.getuid?.() !== 0) return this.skip();
    const path = await folderOf('forbidden', { 'a.yaml': GOOD('a'), 'secret.yaml': GOOD('secret') });
    await mkdir(join(path, 'closed'));
    await writeFile(join(path, 'closed', 'b.yaml'), GOOD('b'));
    await chmod(join(path, 'secret.yaml'), 0o600);
    await chmod(join(path, 'closed'), 0o700);
    await chmod(folder.path, 0o755);
    let files: PipelineFile[];
    process.seteuid?.(65534);
    try {
      files = await loadPipelines(path);
    } finally {
      process.seteuid?.(0);
    }
    const compiled = compiler.compileAll(files);
    assert.deepEqual(
      compiled.map(({ file, plan, diagnostics }) => [
        basename(file),
        plan?.dagId,
        diagnostics.map(({ code, message }) => `${code} ${message}`),
      ]),
      [
        ['a.yaml', 'a', []],
        ['closed', undefined, ['SL108 The folder cannot be read: permission denied.']],
        ['secret.yaml', undefined, ['SL108 The file cannot be read: permission denied.']],
      ],
    );
  });

  it('a pipe, a device and a link to them are never read: validate ends', async () => {
    const path = await folderOf('pipes', { 'a.yaml': GOOD('a') });
    execFileSync('mkfifo', [join(path, 'pipe.yaml')]);
    await symlink('/dev/zero', join(path, 'zero.yaml'));
    assert.deepEqual(await validated(path), { 'a.yaml': 'good', 'pipe.yaml': ['SL108'], 'zero.yaml': ['SL108'] });
    for (const name of ['pipe.yaml', 'zero.yaml']) {
      const [file] = await loadPipelines(join(path, name));
      assert.match(file?.refused?.message ?? '', /a pipe, a device/);
    }
  });

  it('links within the folder are followed, and others are mistakes of those alone: a mounted ConfigMap has the first', async () => {
    const outside = await folderOf('host', { 'secret.yaml': GOOD('secret') });
    const path = await folderOf('mounted', {});
    await mkdir(join(path, '..2026_11_28'));
    await writeFile(join(path, '..2026_11_28', 'a.yaml'), GOOD('a'));
    await symlink('..2026_11_28', join(path, '..data'));
    await symlink('..data/a.yaml', join(path, 'a.yaml'));
    await symlink(join(outside, 'secret.yaml'), join(path, 'secret.yaml'));
    await symlink('gone.yaml', join(path, 'lost.yaml'));
    assert.deepEqual(await validated(path), { 'a.yaml': 'good', 'lost.yaml': ['SL108'], 'secret.yaml': ['SL108'] });
    const reasons = (await loadPipelines(path)).flatMap(({ refused }) => refused?.message ?? []);
    assert.match(reasons.join(' '), /broken link: it no longer exists.*outside of the folder/);
  });

  it('3,000 files are read with few open at a time', async () => {
    const path = join(folder.path, 'many');
    await mkdir(path);
    for (let n = 0; n < 3_000; n++) await writeFile(join(path, `p${n}.yaml`), 'x: 1\n');
    await writeFile(join(path, 'good.yaml'), GOOD('good'));
    // A shell limits its own files before it becomes the CLI.
    const { spawn } = await import('node:child_process');
    const child = spawn(
      '/bin/sh',
      ['-c', 'ulimit -n 256 && exec "$0" "$@"', process.execPath, join(ROOT, 'bin/sluice.mjs'), 'validate', path],
      { cwd: ROOT },
    );
    let stderr = '';
    child.stdout.resume();
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    const code = await new Promise((resolve) => child.once('close', resolve));
    assert.equal(code, 3, stderr.slice(-2_000));
    assert.match(stderr, /in 3000 of 3001 files/);
  });

  it('a bad test file is reported, and the cases of the others run: sluice test', async () => {
    const cases = 'pipeline: a.yaml\ncases:\n  - {name: works, expect: {state: success}}\n';
    const path = await folderOf('tests', {
      'a.yaml': GOOD('a'),
      'a.test.yaml': 'x: &x [*x]',
      'b.test.yaml': '? '.repeat(10_000),
      'c.test.yaml': cases,
      'd.test.yaml': 'pipeline: 7',
    });
    const { code, stdout, stderr } = await sluice(['test', path]);
    assert.equal(code, 1, stderr);
    assert.match(stdout, /✔ works/);
    for (const file of ['a', 'b', 'd']) assert.match(stderr, new RegExp(`${file}\\.test\\.yaml:1:`));
  });

  it('the scheduler applies the good files, and deletes nothing because of the bad ones', async function () {
    this.timeout('15m');
    const { environment } = await testStack(['temporal']);
    const name = unique();
    const good = (dagId: string): string => GOOD(dagId).replace('null', '"@daily"');
    const path = await folderOf('scheduler', { 'a.yaml': good(`a_${name}`), 'b.yaml': good(`b_${name}`) });
    const apply = async (): Promise<string> => {
      const scheduler = startProcess('scheduler.ts', ['--pipelines', path, '--task-queue', `files-${name}`], environment);
      await scheduler.exited;
      return scheduler.stderr();
    };
    assert.match(await apply(), /2 of 2 pipelines applied/);
    await writeFile(join(path, 'b.yaml'), 'x: &x [*x]');
    await writeFile(join(path, 'c.yaml'), good(`c_${name}`));
    const said = await apply();
    assert.match(said, new RegExp(`create c_${name}`));
    assert.match(said, /b\.yaml is left as it was/);
    assert.ok(!/delete|Internal error/.test(said), said);
  });
});
