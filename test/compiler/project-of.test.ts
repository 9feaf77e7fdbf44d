import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { pathInProject, projectOf } from '../../compiler/read/project.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

describe('the project of a pipeline file', () => {
  let folder: { path: string; remove(): Promise<void> };
  const write = async (path: string, text = ''): Promise<string> => {
    const file = join(folder.path, path);
    await mkdir(join(file, '..'), { recursive: true });
    await writeFile(file, text);
    return file;
  };
  const place = (file: string): string => pathInProject(projectOf(file), file);
  beforeEach(async () => (folder = await temporaryFolder()));
  afterEach(() => folder.remove());

  it('is that around pipelines/ with its policy, regardless of other projects among the pipelines', async () => {
    await write('sluice.config.ts');
    const file = await write('pipelines/sales/orders.yaml');
    for (const own of ['package.json', 'sluice.config.ts'])
      for (const where of ['pipelines', 'pipelines/sales']) {
        await write(`${where}/${own}`, '{"name": "other"}');
        assert.equal(place(file), 'pipelines/sales/orders.yaml');
      }
  });

  it('is the nearest of several in one repository', async () => {
    await write('sluice.config.ts');
    await write('teams/sales/package.json', '{"name": "sales"}');
    assert.equal(place(await write('teams/sales/pipelines/orders.yaml')), 'pipelines/orders.yaml');
  });
});
