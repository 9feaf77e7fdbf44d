import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { OWN_DEFINITIONS, ownPipeline } from '../support/own-definitions.ts';
import { sluice } from '../support/processes.ts';
import { TestProject } from '../support/test-project.ts';

const SECRET = 'hunter2-the-token';
/** No Temporal answers there. */
const CONNECTIONS = { SLUICE_CONN_VAULT_DEFAULT: `vault://:${SECRET}@vault.acme`, TEMPORAL_ADDRESS: '127.0.0.1:9' };

const TESTS = `pipeline: own.yaml
cases:
  - name: greets
    params: {who: Ben}
    connections: {vault_default: {host: vault.acme}}
    expect: {state: success}
`;

describe('commands in a project', function () {
  this.timeout('60s');
  let project: TestProject;
  const run = (...args: string[]): ReturnType<typeof sluice> => sluice(args, { ...project.environment, ...CONNECTIONS });

  before(async () => {
    project = await TestProject.create({
      ...OWN_DEFINITIONS,
      'pipelines/own.yaml': ownPipeline('own'),
      'pipelines/own.test.yaml': TESTS,
    });
  });
  after(() => project.remove());

  it('build compiles the definitions, so that processes only read them', async () => {
    const { code, stderr } = await run('build');
    assert.equal(code, 0, stderr);
    assert.match(stderr, /^Compiled:\ntask type shout \(plugin sluice-shout\)\n[^]*task type greet \(tasks\/greet\.ts\)/);
    const cache = join(project.root, '.sluice/cache/definitions');
    const kept = await readdir(cache);
    assert.equal((await run('types')).code, 0);
    assert.deepEqual(await readdir(cache), kept);
  });

  it('validate checks own definitions like built-in ones', async () => {
    const well = await run('validate');
    assert.deepEqual([well.code, well.stderr], [0, '1 of 1 files are valid.\n'], well.stdout);
    const wrong = ownPipeline('wrong')
      .replace('type: greet, who', 'type: greet, wo')
      .replace('conn.vault_default.host', 'conn.vault_default.token')
      .replace('{bell: {}}', '{bel: {}}')
      .replace('path: /var', 'pth: /var')
      .replace('outputs.say_hello.greeting', 'outputs.say_hello.greting');
    await project.write({ 'wrong/wrong.yaml': wrong });
    const { code, stdout } = await run('validate', join(project.root, 'wrong'));
    assert.equal(code, 3);
    for (const hint of ["did you mean 'who'", "did you mean 'bell'", "did you mean 'path'"]) assert.ok(stdout.includes(hint), stdout);
  });

  it('validate checks expressions over own connections and outputs', async () => {
    const pipeline = ownPipeline('wrong').replace('default.host', 'default.token').replace('greeting', 'greting');
    await project.write({ 'expressions/wrong.yaml': pipeline });
    const { code, stdout } = await run('validate', join(project.root, 'expressions'));
    assert.equal(code, 3);
    assert.match(stdout, /cannot read 'token' of 'vault_default', a connection of type vault: secrets are never values/);
    assert.match(stdout, /greting/);
  });

  it('validate and plan refuse what the policy of the project does not allow', async () => {
    await project.write({
      'sluice.config.ts': `${OWN_DEFINITIONS['sluice.config.ts'].replace('defineConfig({', "defineConfig({ policy: { 'guarded': { owners: ['sales'] } },")}`,
      'guarded/a.yaml': 'dag_id: a\nowner: hr\ntasks: [{name: a, type: empty}]\n',
    });
    try {
      for (const command of ['validate', 'plan']) {
        const { code, stdout, stderr } = await run(command, join(project.root, 'guarded'));
        assert.equal(code, 3, stderr);
        assert.match(stdout + stderr, /guarded\/a\.yaml:2:8 {2}SL318 {2}Owner 'hr' is not allowed in guarded; allowed: sales\./);
      }
    } finally {
      await project.write({ 'sluice.config.ts': OWN_DEFINITIONS['sluice.config.ts'] });
    }
  });

  it('plan compiles them', async () => {
    const { code, stdout, stderr } = await run('plan', '-o', 'json');
    assert.equal(code, 0, stderr);
    const [{ dag_id, action }] = JSON.parse(stdout) as [{ dag_id: string; action: string }];
    assert.deepEqual([dag_id, action], ['own', 'compiled']);
  });

  it('schema describes them, for the editor of the project', async () => {
    const { code, stdout } = await run('schema');
    assert.equal(code, 0);
    for (const text of ['The name to greet.', 'The word to shout.', 'Ring a bell.', 'The file.']) assert.ok(stdout.includes(text), text);
    assert.equal((await run('schema', '--write')).code, 0);
    const settings = await readFile(join(project.root, '.vscode', 'settings.json'), 'utf8');
    assert.ok(settings.includes('./pipelines/pipeline.schema.json'), settings);
  });

  it('test runs cases with the task types of the project', async () => {
    const { code, stdout, stderr } = await run('test');
    assert.deepEqual([code, stderr], [0, '1 of 1 cases are as expected.\n'], stdout);
  });

  it('doctor checks an own connection, and hides its secret', async () => {
    const { stdout } = await run('doctor');
    assert.match(stdout, /✘ connection vault_default: vault\.acme has refused the token \S+ \(SLUICE_CONN_VAULT_DEFAULT\)/);
    assert.ok(!stdout.includes(SECRET), stdout);
  });

  it('say what is wrong with the project, and work without it where they can', async () => {
    const broken = await TestProject.create({ 'sluice.config.ts': 'export default 1;\n' });
    try {
      const { code, stderr } = await sluice(['validate'], broken.environment);
      assert.deepEqual(
        [code, stderr],
        [1, 'sluice.config.ts: its default export is not a configuration. Write `export default defineConfig({ … })`.\n'],
      );
      assert.equal((await sluice(['explain', 'SL201'], broken.environment)).code, 0);
      const missing = await sluice(['validate'], { SLUICE_PROJECT: '/no/such/folder' });
      assert.deepEqual(
        [missing.code, /^SLUICE_PROJECT is '\/no\/such\/folder', which does not exist/.test(missing.stderr)],
        [1, true],
        missing.stderr,
      );
    } finally {
      await broken.remove();
    }
  });
});
