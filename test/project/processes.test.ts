import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Client, ScheduleNotFoundError } from '@temporalio/client';
import { after, before, describe, it } from 'mocha';
import { READY_LINES } from '../../lib/ready-lines.ts';
import { connectClient } from '../../temporal/connect.ts';
import { listRuns } from '../../temporal/runs/runs.ts';
import { monitorId, probeId } from '../../workflows/plan/incidents/incident.ts';
import type { RunResult } from '../../workflows/plan/runs/run.ts';
import { eventually } from '../support/eventually.ts';
import { type Inbox, openInbox } from '../support/inbox.ts';
import { OWN_DEFINITIONS, ownPipeline } from '../support/own-definitions.ts';
import { sluice, startProcess, type TestProcess } from '../support/processes.ts';
import { TestProject } from '../support/test-project.ts';
import { testStack } from '../support/test-stack.ts';

const SECRET = 'hunter2-the-token';

describe('the processes of a project', function () {
  this.timeout('2m');
  const id = randomUUID().slice(0, 8);
  const [deployment, dagId, lateId, holdId] = [`acme_${id}`, `own_${id}`, `late_${id}`, `hold_${id}`];
  let project: TestProject;
  let environment: Record<string, string>;
  let bell: Inbox;
  let client: Client;
  let worker: TestProcess;
  const processes: TestProcess[] = [];
  const start = async (script: string, ...args: string[]): Promise<TestProcess> => {
    const process = startProcess(script, args, environment);
    processes.push(process);
    await process.says(`: ${READY_LINES.worker}`);
    return process;
  };
  const tasksOf = async (...args: string[]): Promise<Record<string, { state: string; output: unknown }>> => {
    const { code, stdout, stderr } = await sluice(['run', dagId, '--wait', '-o', 'json', ...args], environment);
    assert.equal(code, 0, `${stderr}\n${stdout}`);
    assert.ok(!stdout.includes(SECRET), stdout);
    const { tasks } = JSON.parse(stdout) as { tasks: { task: string; state: string; output: unknown }[] };
    return Object.fromEntries(tasks.map(({ task, ...rest }) => [task, rest]));
  };

  before(async function () {
    this.timeout('15m');
    const stack = await testStack(['temporal']);
    bell = await openInbox();
    project = await TestProject.create({
      ...OWN_DEFINITIONS,
      'sluice.config.ts': OWN_DEFINITIONS['sluice.config.ts'].replace('acme_data', deployment),
      'inbox.txt': '',
    });
    await project.write({
      'pipelines/own.yaml': ownPipeline(dagId, join(project.root, 'inbox.txt')),
      'pipelines/hold.yaml': `dag_id: ${holdId}
tasks: [{name: hold, type: hold, path: ${join(project.root, 'go.txt')}}]
`,
      'pipelines/late.yaml': `dag_id: ${lateId}
alerts: {bell: {}}
sla: [{name: soon, within: 1s, reference: started_at}]
tasks:
  - {name: wait, type: approval, prompt: "Go?"}
`,
    });
    environment = {
      ...stack.encrypting,
      ...project.environment,
      SLUICE_CONN_VAULT_DEFAULT: `vault://:${SECRET}@vault.acme`,
      SLUICE_CONN_BELL_DEFAULT: bell.url,
    };
    client = await connectClient(environment);
    [worker] = await Promise.all([start('worker.ts', '--watch'), start('worker.ts', '--monitors')]);
    const applied = await sluice(['apply'], environment);
    assert.equal(applied.code, 0, applied.stderr);
  });
  after(async () => {
    for (const each of [dagId, lateId, holdId]) await client.schedule.getHandle(each).delete();
    const open = client.workflow.list({ query: `TaskQueue STARTS_WITH '${deployment}' AND ExecutionStatus = 'Running'` });
    for await (const { workflowId } of open) await client.workflow.getHandle(workflowId).terminate();
    for (const workflowId of [monitorId(deployment), probeId(deployment)])
      await client.workflow
        .getHandle(workflowId)
        .terminate()
        .catch(() => undefined);
    await Promise.all(processes.map((each) => each.stop('SIGKILL')));
    await client.connection.close();
    bell.close();
    await project.remove();
  });

  it('run its task types with its connections, notify its channel, and keep its secrets', async () => {
    const tasks = await tasksOf();
    const { leak, ...rest } = tasks.say_hello?.output as Record<string, string>;
    assert.deepEqual(rest, { greeting: 'Hello, Ada of vault.acme!', host: 'vault.acme' });
    assert.match(leak ?? '', /^the token is /);
    assert.deepEqual(tasks.shout?.output, { shouted: 'HELLO, ADA OF VAULT.ACME!' });
    assert.ok(bell.seen.some(({ body }) => body.text === 'all is well'));
  });

  it('start runs from its trigger', async () => {
    await project.write({ 'inbox.txt': 'Ben\n' });
    await eventually(async () => {
      const ids = (await listRuns(client, 10, dagId)).map(({ pipelineRunId }) => pipelineRunId);
      assert.ok(ids.includes(`${dagId}/inbox/Ben`), ids.join());
    }, 30_000);
  });

  it('page its channel', async () => {
    assert.equal((await sluice(['run', lateId], environment)).code, 0);
    await eventually(() => Promise.resolve(assert.ok(bell.seen.some(({ body }) => String(body.text).startsWith('trigger: ')))), 30_000);
  });

  it('run edited task types without a restart, and lose no running task; a mistake in an edit changes nothing', async () => {
    const { stdout } = await sluice(['run', holdId, '-o', 'json'], environment);
    const { run } = JSON.parse(stdout) as { run: string };
    await eventually(async () => assert.equal((await client.workflow.getHandle(run).describe()).raw.pendingActivities?.[0]?.state, 2));
    await project.write({ 'tasks/greet.ts': OWN_DEFINITIONS['tasks/greet.ts'].replace('result:', 'result') });
    await worker.says('The project was not reloaded: tasks/greet.ts:10:');
    await project.write({
      'tasks/greet.ts': OWN_DEFINITIONS['tasks/greet.ts'],
      'lib/greeting.ts': 'export const greeting = (who: string): string => `Good day, ${who}!`;\n',
    });
    await worker.says(READY_LINES.reloaded);
    const { say_hello: greeted } = await tasksOf('--param', 'who=Cy');
    assert.equal((greeted?.output as { greeting: string }).greeting, 'Good day, Cy of vault.acme!');
    await project.write({ 'go.txt': '' });
    const { tasks } = (await client.workflow.getHandle(run).result()) as RunResult;
    assert.equal(tasks.hold?.state, 'success');
    assert.equal(await worker.stop(), 0);
  });

  it('are all started by `sluice dev --once`, which runs each pipeline that the policy allows', async () => {
    const onceId = `once_${id}`;
    // The codec server of the UI would need the port of another stack.
    const servers = Object.fromEntries(Object.entries(environment).filter(([name]) => name !== 'SLUICE_CODEC_ENDPOINT'));
    const [own, other] = [ownPipeline(onceId), ownPipeline(`${onceId}_b`)];
    await rm(join(project.root, 'pipelines', 'hold.yaml'), { force: true });
    await project.write({
      'sluice.config.ts': OWN_DEFINITIONS['sluice.config.ts'].replace(
        'defineConfig({',
        "defineConfig({ policy: { 'pipelines/guarded': { owners: ['sales'] } },",
      ),
      'pipelines/own.yaml': own,
      'pipelines/late.yaml': other,
      'pipelines/guarded/refused.yaml': `dag_id: refused_${id}\nowner: hr\ntasks: [{name: a, type: empty}]\n`,
    });
    const home = { SLUICE_HOME: join(project.root, '.sluice'), SLUICE_TASK_QUEUE: onceId };
    try {
      const { code, stdout, stderr } = await sluice(['dev', '--once'], { ...servers, ...home });
      assert.deepEqual([code, stdout.match(/^\S+: success$/gm)?.sort()], [0, [`${onceId}: success`, `${onceId}_b: success`]], stderr);
      assert.match(
        stderr,
        /pipelines\/guarded\/refused\.yaml:2:8 {2}SL318 {2}Owner 'hr' is not allowed in pipelines\/guarded; allowed: sales\./,
      );
      await assert.rejects(client.schedule.getHandle(`refused_${id}`).describe(), ScheduleNotFoundError);
    } finally {
      for (const dag of [onceId, `${onceId}_b`]) await client.schedule.getHandle(dag).delete();
    }
  });
});
