import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, it } from 'mocha';
import { findTestFiles } from '../../dev/launch/test-files.mjs';
import { ROOT } from '../../lib/environment.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/** A tree of files in which each kind of test file stands once. */
const TREE: Readonly<Record<string, string>> = {
  'test/support/test-stack.ts': "import { startStack } from '../../dev/stack.ts';",
  'test/support/yaml-runs.ts': "import {\n  testStack,\n} from './test-stack.ts';",
  'test/support/processes.ts': "import { spawn } from 'node:child_process';",
  'test/support/late.ts': "const { testStack } = await import('./test-stack.ts');",
  'dev/stack.ts': '',
  'lib/tool.ts': "import { execFile } from 'node:child_process';",
  'test/a/pure.test.ts': "import type { TestStack } from '../support/test-stack.ts';\nimport assert from 'node:assert/strict';",
  'test/a/of-a-library.test.ts': "import { tool } from '../../lib/tool.ts';",
  'test/b/with-stack.test.ts': "import { createYamlRuns } from '../support/yaml-runs.ts';",
  'test/b/with-stack-of-its-own.test.ts': "import { startStack } from '../../dev/stack.ts';",
  'test/b/late.test.ts': "import '../support/late.ts';",
  'test/c/d/with-helper-process.test.ts': "import { run } from '../../support/processes.ts';",
  'test/c/d/with-process.test.ts': "import { spawn } from 'node:child_process';",
};

describe('test files', () => {
  it('are unit tests unless something that they import starts servers or processes', async () => {
    const { path: folder, remove } = await temporaryFolder();
    for (const [file, text] of Object.entries(TREE)) {
      await mkdir(dirname(join(folder, file)), { recursive: true });
      await writeFile(join(folder, file), text);
    }
    const found = findTestFiles(folder);
    await remove();
    assert.deepEqual(found, {
      unit: ['test/a/of-a-library.test.ts', 'test/a/pure.test.ts'],
      withServers: [
        'test/b/late.test.ts',
        'test/b/with-stack-of-its-own.test.ts',
        'test/b/with-stack.test.ts',
        'test/c/d/with-helper-process.test.ts',
        'test/c/d/with-process.test.ts',
      ],
    });
  });

  it('of this repository are of both kinds', () => {
    const { unit, withServers } = findTestFiles(ROOT);
    assert.ok(unit.length > 90 && withServers.length > 100);
    for (const file of ['test/compiler/mistakes.test.ts', 'test/histories/replay.test.ts', 'test/house/test-files.test.ts'])
      assert.ok(unit.includes(file), file);
    for (const file of ['test/house/places.test.ts', 'test/activities/sql.test.ts', 'test/dev/stack.test.ts', 'test/cli/cli.test.ts'])
      assert.ok(withServers.includes(file), file);
  });
});
