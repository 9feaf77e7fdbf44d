import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { after, before, describe, it } from 'mocha';
import { connectClient } from '../../temporal/connect.ts';
import { pipelineRunId } from '../../temporal/names.ts';
import { runStart } from '../../temporal/runs/run-start.ts';
import { ensureSearchAttributes } from '../../temporal/search-attributes.ts';
import { blankText, escapeLine, escapeText } from '../../workflows/plan/values/printable.ts';
import { compiler } from '../support/compiler.ts';
import { eventually } from '../support/eventually.ts';
import { sluice } from '../support/processes.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { unique } from '../support/test-sensors.ts';
import { testStack } from '../support/test-stack.ts';

/** Clears the screen, sets the title, rewrites the line, reverses the text that follows; also as single C1 characters. */
const ATTACK = '\u001b[2J\u001b]0;owned\u0007\r\u202egnp\u009b31m';
/** What a terminal would obey, or show in another order. */
// eslint-disable-next-line no-control-regex
const OBEYED = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]|[\u{e0000}-\u{e007f}]/u;

describe('who attacks terminals', () => {
  let folder: { path: string; remove(): Promise<void> };
  before(async () => (folder = await temporaryFolder()));
  after(() => folder.remove());

  async function harmless(args: readonly string[], environment?: Record<string, string>): Promise<{ stdout: string; stderr: string }> {
    const { stdout, stderr } = await sluice(args, environment);
    for (const [name, text] of Object.entries({ stdout, stderr })) {
      assert.ok(!OBEYED.test(text), `${args[0]} writes to ${name}: ${JSON.stringify(text.slice(0, 400))}`);
    }
    return { stdout, stderr };
  }

  it('with the name of a file, its keys and its values: validate', async () => {
    const path = join(folder.path, 'validate');
    await mkdir(path);
    await writeFile(
      join(path, `a\nb${ATTACK}.yaml`),
      `"x\\e[2J": 1\ndag_id: "a\\e]0;owned\\a\\nforged.yaml:1:1  SL100  b"\ntasks: []\n#${ATTACK}\n`,
    );
    await writeFile(join(path, 'c.yaml'), `dag_id: c # ${ATTACK.replaceAll('\r', '')}\nkey${ATTACK.replaceAll('\r', '')}: 1\n`);
    const { stdout } = await harmless(['validate', path]);
    assert.ok(!/^forged\.yaml/m.test(stdout), stdout);
    assert.ok(!/^b/m.test(stdout), stdout);
    assert.match(stdout, /\\u001b/);
    await harmless(['validate', path, '-o', 'github']);
    const json = await harmless(['validate', path, '-o', 'json']);
    const files = (JSON.parse(json.stdout) as { file: string }[]).map(({ file }) => file);
    assert.ok(
      files.some((file) => file.endsWith(`a\nb${ATTACK}.yaml`)),
      'JSON keeps the name',
    );
    await harmless(['plan', path], { TEMPORAL_ADDRESS: '127.0.0.1:1' });
  });

  it('with a DAG of Airflow: import', async () => {
    const file = join(folder.path, `dag${ATTACK}.yml`);
    await writeFile(
      file,
      `d:\n  default_args: {owner: "x\\e[2J"}\n  "k\\e[2J\\nforged (dag.yml:1:1)": 1\n  tasks:\n    "t\\e[2J": {operator: "Strange\\e[2JOperator"}\n`,
    );
    const { stderr } = await harmless(['import', file]);
    assert.ok(!/^forged/m.test(stderr), stderr);
  });

  it('with the id of a run, its state and what its tasks say: runs, show', async function () {
    this.timeout('15m');
    const stack = await testStack(['temporal']);
    // No worker serves the queue: the run stays what it is.
    const taskQueue = `nobody-${unique()}`;
    const environment = { ...stack.environment, SLUICE_TASK_QUEUE: taskQueue };
    const client = await connectClient(environment);
    const dagId = `esc_${unique()}`;
    const { plan } = compiler.compile({
      file: 'esc.yaml',
      text: `dag_id: ${dagId}\nowner: "ann\\e[2J"\ntasks: [{name: a, type: empty}]\n`,
    });
    assert.ok(plan);
    await ensureSearchAttributes(client);
    const run = await client.workflow.start(dagId, {
      workflowId: pipelineRunId(dagId, 'manual', `esc${ATTACK}\nforged/manual/x  success`),
      ...runStart(plan, 'manual', taskQueue),
    });
    try {
      await eventually(async () => assert.match((await harmless(['runs', dagId], environment)).stdout, /esc\\u001b/), 20_000);
      const { stdout } = await harmless(['runs', dagId], environment);
      assert.ok(!/^forged/m.test(stdout), stdout);
      await harmless(['runs', dagId, '-o', 'json'], environment);
      await harmless(['show', run.workflowId], environment);
    } finally {
      await run.terminate();
      await client.connection.close();
    }
  });

  it('escaped text is harmless, stays in its line, and is the same value in JSON', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        assert.ok(!OBEYED.test(escapeText(text)) && !/\p{Cs}/u.test(escapeText(text)));
        assert.ok(!/[\n\r\t]/.test(escapeLine(text)));
        assert.equal(blankText(text).length, text.length);
        assert.equal(JSON.parse(escapeText(JSON.stringify({ text }))).text, text);
      }),
    );
  });
});
