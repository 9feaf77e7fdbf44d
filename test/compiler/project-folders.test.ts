import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'mocha';
import { loadPipelines } from '../../compiler/read/load-pipelines.ts';
import { compiler } from '../support/compiler.ts';
import { TestProject } from '../support/test-project.ts';

describe('a folder of the project that pipelines name files of', () => {
  it('is never inside the folder of pipelines', async () => {
    const pipeline = (route: string): string =>
      `dag_id: ${route}\ntasks:\n  - {name: a, type: camel_route, s3_bucket: raw-data, route: ${route}}\n`;
    const route = '- route: {from: {uri: "timer:x", steps: [{log: "x"}]}}\n';
    const project = await TestProject.create({
      'sluice.config.ts': '',
      'routes/reviewed.yaml': route,
      'pipelines/package.json': '{"name": "own"}',
      'pipelines/routes/own.yaml': route,
      'pipelines/team/sluice.config.ts': '',
      'pipelines/team/routes/own.yaml': route,
      'pipelines/team/a.yaml': pipeline('reviewed'),
      'pipelines/team/b.yaml': pipeline('own'),
    });
    try {
      for (const path of ['pipelines', 'pipelines/team', 'pipelines/team/b.yaml']) {
        const files = (await loadPipelines(join(project.root, path))).filter(({ file }) => /team\/[ab]\.yaml$/.test(file));
        const found = compiler.compileAll(files).map(({ plan, diagnostics }) => plan?.dagId ?? diagnostics.map(({ code }) => code).join());
        assert.deepEqual(found, path.endsWith('.yaml') ? ['SL113'] : ['reviewed', 'SL113'], path);
      }
    } finally {
      await project.remove();
    }
  });
});
