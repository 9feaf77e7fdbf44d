import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, describe, it } from 'mocha';
import { parse } from 'yaml';
import { allowsNode } from '../../bin/node-range.mjs';
import { readTemplates } from '../../cli/write-files.ts';
import { ROOT } from '../../lib/environment.ts';
import packageJson from '../../package.json' with { type: 'json' };
import { SHUTDOWN_GRACE } from '../../temporal/worker/worker-process.ts';
import { parseDuration } from '../../workflows/plan/values/duration.ts';
import { sluice } from '../support/processes.ts';

/** The command of the package, as npm installs it. */
const COMMAND = `node_modules/.bin/${Object.keys(packageJson.bin)[0] ?? ''}`;

interface Service {
  readonly build?: string;
  readonly command: string;
  readonly depends_on?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly stop_grace_period?: string;
}

/** What `sluice init` writes to make images, against what the package offers. Images cannot be built here. */
describe('the images of a project', function () {
  this.timeout('2m');
  let files: ReadonlyMap<string, string>;
  let instructions: readonly (readonly [name: string, rest: string])[];
  let services: Readonly<Record<string, Service>>;

  before(async () => {
    files = await readTemplates('project', {});
    const dockerfile = files.get('Dockerfile') ?? '';
    const lines = dockerfile.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    instructions = lines.map((line) => [line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1)] as const);
    ({ services } = parse(files.get('compose.yaml') ?? '', { merge: true }) as { services: typeof services });
  });

  const all = (name: string): string[] => instructions.flatMap(([each, rest]) => (each === name ? [rest] : []));

  /** Checks a command line of the package: its command and each of its options exist. */
  async function check(line: string): Promise<void> {
    const [command = '', ...options] = line.split(' ');
    const { code, stdout, stderr } = await sluice([command, '--help']);
    assert.equal(code, 0, stderr);
    assert.match(stdout, new RegExp(`^Usage: sluice ${command} `));
    for (const option of options) assert.match(stdout, new RegExp(`${option}\\b`), line);
  }

  it('have a release of Node that the package allows, and run as a user without privileges', () => {
    const [, major = ''] = /^node:(\d+)-slim$/.exec(all('FROM')[0] ?? '') ?? [];
    assert.ok(allowsNode(packageJson.engines.node, Number(major), 99));
    assert.deepEqual(all('USER'), ['node']);
    const names = instructions.map(([name]) => name);
    assert.ok(names.indexOf('USER') < names.indexOf('COPY'), 'whatever is installed belongs to that user');
    assert.deepEqual(all('ENV'), ['NODE_ENV=production']);
  });

  it('contain files of the project, and nothing that is made there', () => {
    const named = all('COPY').flatMap((rest) =>
      rest
        .split(' ')
        .filter((word) => !word.startsWith('--'))
        .slice(0, -1),
    );
    // npm install writes the lock file.
    for (const name of named) assert.ok(name === '.' || name === 'package-lock.json' || files.has(name), name);
    assert.deepEqual((files.get('.dockerignore') ?? '').trim().split('\n').sort(), ['.git', '.sluice', 'node_modules']);
  });

  it('are built and started with commands of the package', async () => {
    const built = all('RUN').flatMap((rest) => rest.split(' && ').filter((line) => line.startsWith('node_modules/')));
    assert.deepEqual(
      built.map((line) => line.split(' ')[0]),
      [COMMAND, COMMAND],
    );
    assert.deepEqual(JSON.parse(all('ENTRYPOINT')[0] ?? ''), [COMMAND]);
    const [started = ''] = JSON.parse(all('CMD')[0] ?? '[]') as string[];
    const own = Object.values(services).filter(({ build }) => build === '.');
    assert.equal(own.length, 3);
    const lines = [...built.map((line) => line.slice(COMMAND.length + 1)), started, ...own.map(({ command }) => command)];
    for (const line of new Set(lines)) await check(line);
    for (const { depends_on: needed = [], environment = {}, stop_grace_period: grace = '' } of own) {
      assert.deepEqual(needed, ['temporal']);
      assert.equal(environment.TEMPORAL_ADDRESS, 'temporal:7233');
      assert.ok(files.has(`environments/${environment.SLUICE_ENV}.yaml`));
      assert.ok((parseDuration(grace) ?? 0) > (parseDuration(SHUTDOWN_GRACE) ?? Infinity), 'a worker ends its tasks first');
    }
  });

  it('are those of the documentation', async () => {
    const page = await readFile(join(ROOT, 'docs/11-own-project.md'), 'utf8');
    assert.equal(/```dockerfile\n([^]*?)```/.exec(page)?.[1], files.get('Dockerfile'));
  });
});
