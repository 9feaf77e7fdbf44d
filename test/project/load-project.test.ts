import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, it } from 'mocha';
import type { Client } from '@temporalio/client';
import { createActivities } from '../../activities/run/create-activities.ts';
import { ResourceCompiler } from '../../compiler/compile-resources.ts';
import type { DefinitionKind } from '../../project/definitions.ts';
import { Compiler } from '../../compiler/compile.ts';
import { diffPlans } from '../../cli/view/plan-diff.ts';
import { parseConnection } from '../../connections/parse.ts';
import { projectRoot } from '../../lib/roots.ts';
import { RESERVED_TASK_TYPES } from '../../project/check-definition.ts';
import { BUILT_IN } from '../../project/definitions.ts';
import { environmentOf, loadProject, type Project } from '../../project/load-project.ts';
import { withUnknown } from '../../temporal/worker/known-activities.ts';
import { createRunActivities } from '../../temporal/worker/run-activities.ts';
import { ROOT } from '../../lib/environment.ts';
import type { Plan } from '../../workflows/plan/plan.ts';
import { activitiesOf, WORKER_CHECK_ACTIVITY } from '../../workflows/plan/worker-check.ts';
import { OWN_DEFINITIONS, ownPipeline } from '../support/own-definitions.ts';
import { taskDependencies } from '../support/task-dependencies.ts';
import { TestProject } from '../support/test-project.ts';

const TASK = OWN_DEFINITIONS['tasks/greet.ts'];

describe('a project', function () {
  this.timeout('30s');
  const projects: TestProject[] = [];
  const projectWith = async (files: Readonly<Record<string, string>>): Promise<TestProject> => {
    const project = await TestProject.create(files);
    projects.push(project);
    return project;
  };
  const load = async (files: Readonly<Record<string, string>>): Promise<Project> => loadProject((await projectWith(files)).environment);
  afterEach(async () => {
    for (const project of projects.splice(0)) await project.remove();
  });

  it('has the built-in definitions, those of its plugins, and its own', async () => {
    const project = await load(OWN_DEFINITIONS);
    const added = (kind: DefinitionKind): unknown => Object.fromEntries(project.origins[kind]);
    assert.deepEqual(added('tasks'), { greet: 'tasks/greet.ts', hold: 'tasks/hold.ts', shout: 'plugin sluice-shout' });
    assert.deepEqual(added('connections'), { vault: 'connections/vault.ts' });
    assert.deepEqual(added('triggers'), { inbox: 'triggers/inbox.ts' });
    assert.deepEqual(added('channels'), { bell: 'channels/bell.ts' });
    assert.deepEqual(added('resources'), { shelf: 'resources/shelf.ts' });
    assert.equal(project.tasks.length, BUILT_IN.tasks.length + 3);
    assert.equal(environmentOf(project, {}).SLUICE_TASK_QUEUE, 'acme_data');
    assert.equal(environmentOf(project, { SLUICE_TASK_QUEUE: 'mine' }).SLUICE_TASK_QUEUE, 'mine');
    const context = { connectionTypes: new Map([['vault_default', 'vault']]) };
    const [compiled] = Compiler.of(project).compileAll([{ file: 'x.yaml', text: ownPipeline('own') }], context);
    assert.deepEqual(compiled?.diagnostics, []);
    const shelf = (size: string): string => `resources: [{name: books, type: shelf, ${size}: 3}]`;
    const [right, wrong] = ['size', 'siz'].map(
      (key) => new ResourceCompiler(project.resources).compileAll([{ file: 'x.yaml', text: shelf(key) }])[0],
    );
    assert.deepEqual([right?.resources?.[0]?.connId, wrong?.diagnostics[0]?.hint], ['vault_default', "did you mean 'size'?"]);
  });

  it('without a configuration and folders has the built-in definitions', async () => {
    const { tasks, connections, triggers, channels, resources } = await load({ 'pipelines/x.yaml': '' });
    assert.deepEqual({ tasks, connections, triggers, channels, resources }, BUILT_IN);
  });

  it('without a configuration has the definitions of its folders', async () => {
    const { origins, config } = await load({
      'tasks/greet.ts': TASK,
      'connections/vault.ts': OWN_DEFINITIONS['connections/vault.ts'],
      'lib/greeting.ts': OWN_DEFINITIONS['lib/greeting.ts'],
    });
    assert.deepEqual([[...origins.tasks.keys()], config], [['greet'], {}]);
  });

  it('can have the files that docs/11 shows', async () => {
    const page = await readFile(join(ROOT, 'docs', '11-own-project.md'), 'utf8');
    const shown = [...page.matchAll(/^```ts\n\/\/ ((?:connections|tasks)\/\S+)\n(.*?)^```$/gms)].map(([, file = '', text = '']) => [
      file,
      text,
    ]);
    const { connections, origins } = await load(Object.fromEntries(shown) as Record<string, string>);
    assert.deepEqual([...origins.tasks.keys()], ['fetch_file']);
    const connection = parseConnection('ftp_default', 'ftp://:secret@files', connections);
    assert.deepEqual(connection, { type: 'ftp', host: 'files', password: 'secret' });
  });

  it('compiles its files once, and again when one of them or a file that it imports has changed', async () => {
    const project = await projectWith(OWN_DEFINITIONS);
    const compiled = async (): Promise<string[]> => {
      await loadProject(project.environment);
      return (await readdir(join(project.root, '.sluice', 'cache', 'definitions'))).filter((name) => !name.endsWith('.json')).sort();
    };
    const [first, second] = [await compiled(), await compiled()];
    assert.deepEqual([first.length, second], [1, first]);
    await project.write({ 'lib/greeting.ts': 'export const greeting = (who: string): string => `Good day, ${who}!`;\n' });
    assert.equal((await compiled()).length, 2);
    await project.write(OWN_DEFINITIONS);
    assert.equal((await compiled()).length, 2);
  });

  it('is found upwards from the working directory by its configuration', async () => {
    const { root } = await projectWith(OWN_DEFINITIONS);
    const below = join(root, 'pipelines', 'sales');
    await mkdir(below, { recursive: true });
    assert.equal(projectRoot({}, below), root);
    await rm(join(root, 'sluice.config.ts'));
    assert.equal(projectRoot({}, below), below, 'without a configuration it is the working directory');
    assert.equal(projectRoot({}, join(ROOT, 'pipelines')), ROOT, 'the clone is a project');
    assert.equal(projectRoot({ SLUICE_PROJECT: root }, below), root);
  });

  it('in SLUICE_PROJECT must exist', async () => {
    await assert.rejects(loadProject({ SLUICE_PROJECT: '/no/such/folder' }), {
      name: 'SettingError',
      message: "SLUICE_PROJECT is '/no/such/folder', which does not exist. Set it to the folder with sluice.config.ts, or unset it.",
    });
  });

  const config = (text: string): Record<string, string> => ({
    'sluice.config.ts': `import { defineConfig, definePlugin } from 'sluice';\n${text}\n`,
  });
  const own = { 'connections/vault.ts': OWN_DEFINITIONS['connections/vault.ts'], 'lib/greeting.ts': OWN_DEFINITIONS['lib/greeting.ts'] };
  const REFUSED: Readonly<Record<string, readonly [Readonly<Record<string, string>>, RegExp]>> = {
    'two files with one task type': [
      { ...own, 'tasks/greet.ts': TASK, 'tasks/hello.ts': TASK },
      /^tasks\/hello\.ts and tasks\/greet\.ts both define the task type 'greet'\. Rename one of them, or remove it\.$/,
    ],
    'a file with the task type of a plugin': [
      { ...OWN_DEFINITIONS, 'tasks/greet.ts': TASK.replace("type: 'greet'", "type: 'shout'") },
      /^tasks\/greet\.ts and plugin sluice-shout both define the task type 'shout'/,
    ],
    'a built-in task type': [
      { ...own, 'tasks/greet.ts': TASK.replace("type: 'greet'", "type: 'sql'") },
      /^tasks\/greet\.ts defines the task type 'sql', which Sluice itself has\. Give it another name, such as 'my_sql'\.$/,
    ],
    'a built-in connection type': [
      { 'connections/vault.ts': own['connections/vault.ts'].replaceAll("'vault'", "'postgres'") },
      /^connections\/vault\.ts defines the connection type 'postgres', which Sluice itself has/,
    ],
    'the URI scheme of another connection type': [
      { 'connections/vault.ts': own['connections/vault.ts'].replace("schemes: ['vault']", "schemes: ['postgres']") },
      /the connection type 'vault' has the URI scheme 'postgres', which 'postgres' has too\. Use another scheme\.$/,
    ],
    'a name of an activity of Sluice': [
      { ...own, 'tasks/greet.ts': TASK.replace("type: 'greet'", "type: 'request_slots'") },
      /^tasks\/greet\.ts: the definition is a task type called 'request_slots', a name that Sluice uses itself\. Rename it\.$/,
    ],
    'a name that is not an identifier': [
      { ...own, 'tasks/greet.ts': TASK.replace("type: 'greet'", "type: 'Greet me'") },
      /is a task type called 'Greet me'\. Use lowercase letters, digits and _, starting with a letter/,
    ],
    'a plugin of a later api': [
      config("export default defineConfig({ plugins: [{ ...definePlugin({ name: 'sluice-late', api: 1 }), api: 2 }] });"),
      /^sluice\.config\.ts: the plugin 'sluice-late' needs api 2 of Sluice; this release supports only api 1\. Upgrade sluice, or install an earlier release of the plugin\.$/,
    ],
    'a plugin that is none': [
      config('export default defineConfig({ plugins: [42 as never] });'),
      /^sluice\.config\.ts: plugins\[0\] is not a plugin\. List the default export/,
    ],
    'an unknown key of the configuration': [
      config("export default { deploymnt: 'x' };"),
      /^sluice\.config\.ts: 'deploymnt' is not a key of the configuration\. Its keys: deployment, policy, plugins/,
    ],
    'a policy with unknown keys and folders outside of the project': [
      config("export default { policy: { '../x': {}, 'pipelines/a': { owner: ['x'], queues: 'gpu' } } };"),
      /^sluice\.config\.ts: policy: '\.\.\/x' must be a folder of the project[^]*policy\['pipelines\/a'\]: 'owner' is not a key of a policy\. Its keys: owners, queues, connections, dagIdPrefixes\.[^]*policy\['pipelines\/a'\]\.queues must be a list of texts\./,
    ],
    'a deployment that is no name': [
      config('export default defineConfig({ deployment: "a b" });'),
      /^sluice\.config\.ts: 'deployment' must be a text of letters/,
    ],
    'no default export': [
      { ...own, 'tasks/greet.ts': TASK.replace('export default', 'export const greet =') },
      /^tasks\/greet\.ts has no default export \(it exports greet\)\. Write `export default …`; a file without a definition belongs outside of tasks\//,
    ],
    'a default export that is no definition': [
      { 'tasks/greet.ts': 'export default () => 1;\n' },
      /^tasks\/greet\.ts: the definition is not a task type, but a function\. Write `defineTask\(\{ … \}\)`, with defineTask from 'sluice'\.$/,
    ],
    'a definition of another kind': [
      { 'tasks/vault.ts': own['connections/vault.ts'] },
      /^tasks\/vault\.ts: the definition is a connection type, not a task type\. Move it to connections\.$/,
    ],
    'a syntax error': [
      { ...own, 'tasks/greet.ts': TASK.replace('result: ', 'result ') },
      /^tasks\/greet\.ts:10:\d+ Expected "\}" but found "Type"\.\n +result Type/,
    ],
    'an import that cannot be resolved': [
      { ...own, 'tasks/greet.ts': TASK.replace('../lib/greeting.ts', '../lib/greetings.ts') },
      /^tasks\/greet\.ts:3:\d+ Could not resolve "\.\.\/lib\/greetings\.ts"/,
    ],
    'an import of a name that sluice does not have': [
      { ...own, 'tasks/greet.ts': TASK.replaceAll('defineTask', 'defineTsk') },
      /^tasks\/greet\.ts:1:\d+ No matching export in "sluice:sluice" for import "defineTsk"/,
    ],
    'a folder that cannot be written': [
      { ...own, '.sluice/cache': '' },
      /\.sluice\/cache\/definitions cannot be written: ENOTDIR.*The compiled files of the project are kept there\. Make it writable, or run `sluice validate`/,
    ],
    'an error while a file is loaded': [
      { ...own, 'tasks/greet.ts': `${TASK}\nthrow new Error('no luck');\n` },
      /^tasks\/greet\.ts cannot be loaded: no luck/,
    ],
    'a parameter with the name of a common key': [
      { ...own, 'tasks/greet.ts': TASK.replace("who: fields.text('Who'", "queue: fields.text('Who'") },
      /^tasks\/greet\.ts cannot be loaded: The parameter 'queue' of the task type 'greet' has the name of a key that every task has/,
    ],
    'a package that is not installed': [
      { ...own, 'tasks/greet.ts': `import 'not-installed-here';\n${TASK}` },
      /^tasks\/greet\.ts cannot be loaded: Cannot find package 'not-installed-here'/,
    ],
  };
  for (const [name, [files, message]] of Object.entries(REFUSED)) {
    it(`is refused for ${name}`, async () => {
      await assert.rejects(load(files), (error: Error) => {
        assert.equal(error.name, 'ProjectError');
        assert.match(error.message, message);
        return true;
      });
    });
  }

  it('is refused with all its problems at once', async () => {
    const files = { 'tasks/a.ts': 'export const a = 1;\n', 'channels/b.ts': 'throw new Error("b");\n' };
    await assert.rejects(load(files), { message: /^tasks\/a\.ts has no default export.*\nchannels\/b\.ts cannot be loaded: b/s });
  });

  it('records the version and the origin of its task types in plans; workers with an earlier version do not know the later one', async () => {
    const first = await load(OWN_DEFINITIONS);
    const second = await load({ ...OWN_DEFINITIONS, 'tasks/greet.ts': TASK.replace("type: 'greet',", "type: 'greet',\n  version: 2,") });
    const context = { connectionTypes: new Map([['vault_default', 'vault']]) };
    const text =
      'dag_id: own\ntasks:\n  - {name: a, type: greet, who: Ada}\n  - {name: b, type: shout, word: hey}\n  - {name: c, type: http, path: /a}\n';
    const planOf = (project: Project): Plan =>
      Compiler.of(project).compileAll([{ file: 'x.yaml', text }], context)[0]?.plan ?? assert.fail();
    const [before, after] = [planOf(first), planOf(second)];
    const typesOf = ({ tasks }: Plan): unknown => tasks.map(({ type, typeVersion, typeOrigin }) => [type, typeVersion, typeOrigin]);
    assert.deepEqual(typesOf(before), [
      ['greet', undefined, 'tasks/greet.ts'],
      ['shout', undefined, 'plugin sluice-shout'],
      ['http', undefined, undefined],
    ]);
    assert.deepEqual(typesOf(after), [
      ['greet', 2, 'tasks/greet.ts'],
      ['shout', undefined, 'plugin sluice-shout'],
      ['http', undefined, undefined],
    ]);
    assert.notEqual(before.hash, after.hash);
    const changed = (a: Plan, b: Plan): string[] => diffPlans(a, b).filter((line) => /^[-+]/.test(line));
    assert.deepEqual(changed(before, after), ['-     type: greet', '+     type: greet@2']);

    const needs = (plan: Plan): string[] => [...(activitiesOf(plan, 'q').get('q') ?? [])].sort();
    assert.deepEqual(
      [needs(before), needs(after)],
      [
        ['greet', 'http', 'shout'],
        ['greet@2', 'http', 'shout'],
      ],
    );
    const missing = ({ tasks }: Project, plan: Plan): Promise<string[]> => {
      const activities = withUnknown({} as Client, createActivities(tasks, taskDependencies({})));
      const check = activities[WORKER_CHECK_ACTIVITY] as unknown as (needed: readonly string[]) => Promise<string[]>;
      return check(needs(plan));
    };
    // A later version carries out earlier plans.
    assert.deepEqual(await Promise.all([missing(first, before), missing(second, before), missing(second, after)]), [[], [], []]);
    assert.deepEqual(await missing(first, after), ['greet@2']);
  });

  it('refuses a version that is not a whole number', async () => {
    const files = { ...OWN_DEFINITIONS, 'tasks/greet.ts': TASK.replace("type: 'greet',", "type: 'greet',\n  version: 1.5,") };
    await assert.rejects(load(files), {
      message: /tasks\/greet\.ts: the definition is a task type with the version 1\.5\. Write a whole number from 1 to 999\./,
    });
  });

  it('cannot define a task type with the name of an activity of Sluice', () => {
    const client = {} as Client;
    const { connection_fields: _, ...tasks } = createActivities([], taskDependencies({}));
    assert.deepEqual(tasks, {});
    const activities = withUnknown(client, {
      connection_fields: _,
      ...createRunActivities(client, {}, 'sluice'),
    });
    assert.deepEqual(Object.keys(activities).sort(), [...RESERVED_TASK_TYPES].sort());
  });
});
