import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'mocha';
import { stringify } from 'yaml';
import { CATALOG } from '../../../activities/catalog.ts';
import { dagIdOf, listBrokenFiles } from '../../../compiler/read/broken-files.ts';
import { formatDiagnostic } from '../../../compiler/mistakes/diagnostic.ts';
import { ROOT } from '../../../lib/environment.ts';
import { TRIGGERS } from '../../../sensors/catalog.ts';
import { scheduleSpec } from '../../../temporal/schedules/schedule-spec.ts';
import { diffSchedules } from '../../../temporal/schedules/schedules.ts';
import { diffSensors } from '../../../temporal/sensors/sensors.ts';
import { refusal } from '../../../workflows/plan/not-yet.ts';
import { escapeLine, escapeText } from '../../../workflows/plan/values/printable.ts';
import { compiler } from '../../support/compiler.ts';
import { FUZZ_SEED, fuzzCount, Slowest } from '../../support/fuzzing.ts';
import { oddFiles } from '../../support/odd-files.ts';

/** What one file may take of the CPU, in milliseconds. */
const LONGEST = 5_000;
/** So many files in the suite. */
const SHORT = 600;
const COUNT = fuzzCount(SHORT);
/** So many files are applied together, with a good one at each end. */
const TOGETHER = 20;

const good = (dagId: string): { file: string; text: string } => ({
  file: `${dagId}.yaml`,
  text: `dag_id: ${dagId}\nschedule_interval: "@daily"\ntasks:\n  - {name: a, type: empty}\n`,
});

/** Good files with every type of task and trigger. */
function goodFiles(): string[] {
  const folder = join(ROOT, 'pipelines');
  const demo = readdirSync(folder).filter((name) => name.endsWith('.yaml') && !name.endsWith('.test.yaml'));
  const tasks = CATALOG.map(({ example }) => stringify({ dag_id: 'x', schedule_interval: '@daily', tasks: [example] }));
  const triggers = TRIGGERS.map(({ example }) =>
    stringify({
      dag_id: 'x',
      schedule_interval: null,
      triggers: [example],
      tasks: [{ name: 'a', type: 'empty', when: 'params.a == 1' }],
      params: { a: 1 },
    }),
  );
  const alerts = 'sla:\n  - {name: p, within: 2h}\n  - {name: q, assert: outputs.a.rows > 0}\nalerts: {slack: {conn_id: slack_default}}\n';
  return [...demo.map((name) => readFileSync(join(folder, name), 'utf8')), ...tasks, ...triggers, `${good('x').text}${alerts}`];
}

describe(`fuzzing: ${COUNT} random pipeline files, of the seed ${FUZZ_SEED}`, function () {
  this.timeout('3h');

  it('are each compiled or have mistakes of that file alone in bounded time, and the good ones beside them are scheduled', async () => {
    const [next, slowest] = [oddFiles(FUZZ_SEED, goodFiles()), new Slowest()];
    let compiled = 0;
    for (let done = 0; done < COUNT; done += TOGETHER) {
      const odd = Array.from({ length: TOGETHER }, (_, n) => ({ file: `odd-${n}.yaml`, text: next() }));
      for (const file of odd) {
        const { diagnostics, plan } = await slowest.measure(file.text, () => compiler.compile(file));
        assert.ok(plan || diagnostics.length > 0, file.text);
        assert.ok(!diagnostics.some(({ code }) => code === 'SL110'), `${JSON.stringify(diagnostics)}\n${file.text}`);
        compiled += plan ? 1 : 0;
      }
      schedule([good('before'), ...odd, good('zz_behind')]);
    }
    assert.ok(compiled > COUNT / 100, 'some of them are good');
    assert.ok(slowest.ms < LONGEST, String(slowest));
  });
});

/** What the scheduler does with files before it asks Temporal. */
function schedule(files: readonly { readonly file: string; readonly text: string }[]): void {
  const compilations = compiler.compileAll(files, { queues: new Set<string>() });
  const plans = compilations.flatMap(({ plan }) => plan ?? []);
  const bad = compilations.filter(({ plan }) => !plan);
  const said = bad.flatMap(({ diagnostics }) => diagnostics.map(formatDiagnostic));
  for (const text of said) assert.equal(escapeText(text), text);
  const ids = files.filter(({ file }) => bad.some((each) => each.file === file)).map(dagIdOf);
  const changes = diffSchedules(plans, [], (dagId) => ids.includes(dagId), 'key');
  for (const dagId of ['before', 'zz_behind']) {
    assert.ok(
      changes.some((change) => change.dagId === dagId && change.action === 'create'),
      `${dagId}: ${JSON.stringify(compilations.find(({ file }) => file === `${dagId}.yaml`)?.diagnostics)}`,
    );
  }
  const applied = plans.map(({ dagId }) => ({
    dagId,
    planHash: 'another',
    isPending: false,
    paused: false,
    note: '',
    nextRuns: [],
    startedRuns: [],
  }));
  assert.equal(diffSchedules(plans, applied, () => false, 'key').length, plans.length);
  for (const { schedule: planned } of plans) if (planned) scheduleSpec(planned, Date.parse('2026-11-28T00:00:00Z'));
  diffSensors(
    plans.filter((plan) => refusal(plan) === undefined),
    [],
    () => false,
  );
  for (const { mistake } of listBrokenFiles(files, compilations, new Map())) assert.equal(escapeLine(mistake), mistake);
}
