import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { sluice } from '../../support/processes.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const WAIT = 'wait, type: wait_for_s3, bucket: raw-data, key: a.csv, timeout: 2h';

/** Pipelines with a case each: what it declares, what comes of it, and what a wrong expectation is told. */
const FILES = {
  soft: `dag_id: soft
schedule_interval: null
tasks:
  - {name: ${WAIT}, soft_fail: true}
  - {name: load, type: empty, trigger_rule: none_failed}
---
  - {name: never comes, tasks: {wait: {fail: not there}}, expect: {state: success, tasks: {wait: skipped, load: success}, takes_at_most: 2h}}
  - {name: the third look, tasks: {wait: {fail: not there, times: 2}}, expect: {state: success, tasks: {wait: success}, attempts: {wait: 3}}}`,
  hard: `dag_id: hard
tasks:
  - {name: ${WAIT}}
---
  - {name: in vain, tasks: {wait: {fail: not there}}, expect: {state: failed, tasks: {wait: failed}}}
  - {name: too slow, tasks: {wait: {takes: 3h}}, expect: {state: success}}
  - {name: said why, tasks: {wait: {fail: not there}}, expect: {state: success}}`,
  empties: `dag_id: empties
tasks:
  - {name: first, type: empty}
  - {name: second, type: empty, depends_on: [first]}
---
  - {name: fails, tasks: {first: {fail: no reason}}, expect: {state: failed, tasks: {first: failed, second: upstream_failed}}}
  - {name: gives, tasks: {first: {output: 7}}, expect: {state: success, outputs: {first: 7}}}`,
  params: `dag_id: params
params: {n: {type: integer}}
tasks: [{name: d, type: empty, when: params.n > 4}]
---
  - {name: no n, expect: {state: success}}
  - {name: wrong n, params: {n: many}, expect: {state: success}}
  - {name: good n, params: {n: 5}, expect: {tasks: {d: success}}}
  - {name: unknown task, params: {n: 5}, tasks: {e: {fail: x}}, expect: {state: failed}}
  - {name: no approval, params: {n: 5}, tasks: {d: {decision: approve}}, expect: {state: success}}`,
  asks: `dag_id: asks
tasks: [{name: ask, type: approval, prompt: Go?}]
---
  - {name: nobody decides, expect: {state: success}}
  - {name: decided, tasks: {ask: {decision: approve}}, expect: {state: success}}
  - {name: failed, tasks: {ask: {fail: no}}, expect: {state: failed}}`,
};

interface Result {
  readonly file: string;
  readonly pipeline: string;
  readonly name: string;
  readonly mistakes: readonly string[];
}

describe('sluice test', function () {
  this.timeout('30s');
  let folder: { path: string; remove(): Promise<void> };
  let results: Result[];
  let text: { code: number | null; stdout: string; stderr: string };

  before(async () => {
    folder = await temporaryFolder();
    for (const [name, content] of Object.entries(FILES)) {
      const [pipeline = '', cases = ''] = content.split('---\n');
      await writeFile(join(folder.path, `${name}.yaml`), pipeline);
      await writeFile(join(folder.path, `${name}.test.yaml`), `pipeline: ${name}.yaml\ncases:\n${cases}\n`);
    }
    await writeFile(join(folder.path, 'lost.test.yaml'), 'pipeline: nowhere.yaml\ncases: [{name: x, expect: {state: success}}]\n');
    await writeFile(join(folder.path, 'wrong.test.yaml'), 'pipeline: soft.yaml\ncases: [{name: x}]\n');
    const [shown, data] = await Promise.all([sluice(['test', folder.path]), sluice(['test', folder.path, '-o', 'json'])]);
    text = shown;
    results = JSON.parse(data.stdout) as Result[];
  });
  after(() => folder.remove());

  const mistakes = (name: string): readonly string[] | undefined => results.find((each) => each.name === name)?.mistakes;

  it('a wait is polled until its timeout, and fails or is skipped then', () => {
    for (const name of ['never comes', 'the third look', 'in vain']) assert.deepEqual(mistakes(name), [], name);
  });

  it('says why a run failed', () => {
    assert.match(
      String(mistakes('said why')),
      /^the run is failed, not success: Task wait failed: Waited for 2h in vain\. not there \(0 of 1 tasks succeeded\)$/,
    );
    assert.match(String(mistakes('too slow')), /^the run is failed, not success: .*Waited for 2h in vain\. The attempt took too long\. \(/);
  });

  it('a task that is not an activity does what the case defines', () => {
    assert.deepEqual([mistakes('fails'), mistakes('gives')], [[], []]);
  });

  it('what is wrong with a case makes it a failed case, and the others run', () => {
    assert.match(String(mistakes('no n')), /'n' must be given/);
    assert.match(String(mistakes('wrong n')), /'n' must be/);
    assert.deepEqual(mistakes('good n'), []);
    assert.match(String(mistakes('unknown task')), /lists a task 'e' that params does not have. Its tasks: d/);
    assert.match(String(mistakes('no approval')), /'d' is not an approval/);
    assert.match(String(mistakes('nobody decides')), /waits for an event that cannot happen/);
    assert.deepEqual(mistakes('decided'), []);
    assert.match(String(mistakes('failed')), /'ask' is an approval: use 'decision: approve'/);
  });

  it('names file and pipeline of each case; a file that cannot be read stops no other', () => {
    assert.equal(text.code, 1);
    assert.match(text.stdout, /soft\.test\.yaml {2}\(soft\)\n✔ never comes\n✔ the third look/);
    assert.ok(results.every(({ file, pipeline }) => file.endsWith(`${pipeline}.test.yaml`)));
    assert.match(text.stderr, /nowhere\.yaml/);
    assert.match(text.stderr, /wrong\.test\.yaml:2:\d+/);
    assert.match(text.stderr, /^7 of 15 cases are as expected\.$/m);
    assert.doesNotMatch(text.stderr, /Internal error/);
  });
});
