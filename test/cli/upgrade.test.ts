import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { ROOT } from '../../lib/environment.ts';
import { sluice } from '../support/processes.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

describe('sluice upgrade --check', function () {
  this.timeout('1m');
  let folder: { path: string; remove(): Promise<void> };
  const PIPELINE = 'schedule_interval: "@daily"\ntasks: [{name: a, type: http, path: /a}]\n';

  before(async () => {
    folder = await temporaryFolder();
    await mkdir(join(folder.path, 'pipelines'));
    await writeFile(join(folder.path, 'pipelines/a.yaml'), `dag_id: a\n${PIPELINE}`);
    await writeFile(join(folder.path, 'pipelines/b.yaml'), `dag_id: b\n${PIPELINE}`);
  });
  after(() => folder.remove());

  const check = (from: string) => sluice(['upgrade', '--check', join(folder.path, 'pipelines'), '--from', from, '-o', 'json']);

  /** An installation whose compiler adds a field to the plan of `a`, as an older release might lack one. */
  async function otherRelease(): Promise<string> {
    const path = join(folder.path, 'other');
    await mkdir(path, { recursive: true });
    await writeFile(join(path, 'package.json'), JSON.stringify({ name: 'sluice', bin: { sluice: 'sluice.mjs' } }));
    const program = `import { execFileSync } from 'node:child_process';
const plans = JSON.parse(execFileSync(process.execPath, [${JSON.stringify(join(ROOT, 'bin/sluice.mjs'))}, ...process.argv.slice(2)], { stdio: ['ignore', 'pipe', 'ignore'] }));
console.log(JSON.stringify(plans.map((plan) => (plan.dag_id === 'a' ? { ...plan, hash: '0'.repeat(64) } : plan))));\n`;
    await writeFile(join(path, 'sluice.mjs'), program);
    return path;
  }

  it('lists no plan when both installations compile the files alike', async () => {
    const { code, stdout, stderr } = await check(ROOT);
    assert.deepEqual([code, JSON.parse(stdout)], [0, []], stderr);
    assert.match(stderr, /0 of 2 plans change\./);
  });

  it('lists the plans whose hash changes', async () => {
    const { code, stdout, stderr } = await check(await otherRelease());
    const changed = JSON.parse(stdout) as { dag_id: string; before: string; after: string }[];
    assert.deepEqual([code, changed.map(({ dag_id }) => dag_id), changed[0]?.before], [2, ['a'], '0'.repeat(64)], stderr);
    assert.match(changed[0]?.after ?? '', /^[1-9a-f][0-9a-f]{63}$|^0[0-9a-f]{63}$/);
    assert.match(stderr, /1 of 2 plans change\./);
  });

  it('refuses a folder that is not an installation, and shows why', async () => {
    const { code, stderr } = await check(folder.path);
    assert.equal(code, 1);
    assert.match(stderr, /is not an installation of Sluice: its package\.json cannot be read/);
  });
});
