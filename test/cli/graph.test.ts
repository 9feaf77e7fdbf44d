import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { sluice } from '../support/processes.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const PIPELINE = 'dag_id: graph_sample\ntasks:\n  - {name: a, type: empty}\n  - {name: b, type: empty}\n';
const PICTURE = '┌───────┐\n│ a     │\n│ empty │\n└───┬───┘\n    ▼\n┌───────┐\n│ b     │\n│ empty │\n└───────┘\n';

describe('sluice graph', () => {
  let folder: { path: string; remove(): Promise<void> };
  let several: string;

  before(async () => {
    folder = await temporaryFolder();
    several = join(folder.path, 'several');
    await mkdir(several);
    await writeFile(join(folder.path, 'one.yaml'), PIPELINE);
    await writeFile(join(several, 'one.yaml'), PIPELINE);
    await writeFile(join(several, 'two.yaml'), PIPELINE.replace('graph_sample', 'other_sample'));
    await writeFile(join(several, 'bad.yaml'), PIPELINE.replace('graph_sample', 'bad_sample').replace('type', 'tpye'));
  });
  after(() => folder.remove());

  it('draws a file', async () => {
    assert.deepEqual(await result(['graph', join(folder.path, 'one.yaml')]), [0, PICTURE, '']);
  });

  it('draws a pipeline by its id', async () => {
    const [code, stdout] = await result(['graph', 'product_category_etl']);
    assert.equal(code, 0);
    assert.match(stdout, /extract_category_data[^]*▼[^]*transform_category_data[^]*▼[^]*load_category_data/);
  });

  it('draws each of a folder under its name, reports mistakes and ends with 3', async () => {
    const [code, stdout, stderr] = await result(['graph', several]);
    assert.deepEqual([code, stdout], [3, `graph_sample\n\n${PICTURE}\nother_sample\n\n${PICTURE}`]);
    assert.match(stderr, /bad\.yaml:3:\d+ {2}SL2/);
  });

  it('prints Mermaid, SVG and data for programs', async () => {
    const file = join(folder.path, 'one.yaml');
    assert.match((await result(['graph', file, '-o', 'mermaid']))[1], /^flowchart TD\n {2}n0\["a<br\/>empty"\]/);
    assert.match((await result(['graph', file, '-o', 'svg']))[1], /^<svg [^]*<title>graph_sample<\/title>[^]*<\/svg>\n$/);
    assert.deepEqual(JSON.parse((await result(['graph', file, '-o', 'json']))[1]), [
      {
        dag_id: 'graph_sample',
        nodes: [
          { id: 'a', label: 'a', detail: 'empty' },
          { id: 'b', label: 'b', detail: 'empty' },
        ],
        edges: [{ from: 'a', to: 'b' }],
      },
    ]);
  });

  it('asks for one pipeline where a picture can show no more', async () => {
    const [, stdout, stderr] = await result(['graph', several, '-o', 'svg']);
    assert.equal(stdout, '');
    assert.match(stderr, /An SVG shows one pipeline, and .*several has 2\. Choose one: graph_sample, other_sample\.\n$/);
  });

  it('names the nearest when there is no such pipeline', async () => {
    const [code, , stderr] = await result(['graph', 'product_category_elt']);
    assert.equal(code, 1);
    assert.match(stderr, /No valid pipeline 'product_category_elt'.*Did you mean 'product_category_etl'\?/);
  });

  it('says that a file is not there', async () => {
    const [code, , stderr] = await result(['graph', 'pipelines/nosuch.yaml']);
    assert.equal(code, 1);
    assert.match(stderr, /^✗? ?File 'pipelines\/nosuch\.yaml' does not exist in /m);
  });
});

async function result(args: readonly string[]): Promise<[code: number | null, stdout: string, stderr: string]> {
  const { code, stdout, stderr } = await sluice(args);
  return [code, stdout, stderr];
}
