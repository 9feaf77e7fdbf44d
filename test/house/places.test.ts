import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'mocha';
import { ROOT } from '../../lib/environment.ts';
import { type Edit, filesWithTypeErrors } from '../support/type-check.ts';

const sources = (...rooms: string[]): string[] =>
  rooms.flatMap((room) =>
    readdirSync(join(ROOT, room), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .map((file) => join(room, file)),
  );

describe('places that must change together', function () {
  this.timeout('2m');

  it('are not the names of messages: both sides use the definitions in workflows/plan', () => {
    const named = /\.(signal|query|executeUpdate|startUpdate|executeUpdateWithStart)\s*(<[^(]*>)?\(\s*['"`]|\bsignal: ['"`]/;
    const found = sources('workflows', 'temporal', 'monitors', 'cli').filter((file) => named.test(readFileSync(join(ROOT, file), 'utf8')));
    assert.deepEqual(found, []);
    const imported = /import [^;]*\bdefine(Signal|Query|Update)\b[^;]*@temporalio/;
    assert.deepEqual(
      sources('workflows').filter((file) => imported.test(readFileSync(join(ROOT, file), 'utf8'))),
      [],
    );
  });

  it('are not the words of an error: errorText() has them', () => {
    const inline = /(\w+) instanceof Error \? \1\.message/;
    const found = sources('.').filter(
      (file) => !/^(node_modules|\.sluice|dist)\//.test(file) && inline.test(readFileSync(join(ROOT, file), 'utf8')),
    );
    assert.deepEqual(found, []);
  });

  describe('a key of every task', () => {
    const files = [
      'compiler/schema/task-keys.ts',
      'compiler/resolve/emit.ts',
      'workflows/run/task-fields.ts',
      'workflows/host/activity.ts',
      'cli/test/simulated-host.ts',
    ];
    const key: Edit = ['workflows/plan/tasks/common-task-keys.ts', "'retries',", "'retries', 'timeout_action',"];
    const schema: Edit = [
      'compiler/schema/task-keys.ts',
      '  retry_delay:',
      "  timeout_action: text('Action', 'What a timeout leads to.', 'fail'),\n  retry_delay:",
    ];
    const field: Edit = [
      'workflows/plan/plan.ts',
      '  readonly retry: RetryPlan;',
      '  readonly retry: RetryPlan;\n  readonly timeoutAction?: string;',
    ];
    const emitted: Edit = [
      'compiler/resolve/emit.ts',
      '  retry_delay: retries,',
      '  retry_delay: retries,\n  timeout_action: ({ keys }) => ({ timeoutAction: textOf(keys.timeout_action) }),',
    ];
    const listed: Edit = ['workflows/run/task-fields.ts', "  retry: 'host',", "  retry: 'host',\n  timeoutAction: 'host',"];
    const onTemporal: Edit = [
      'workflows/host/activity.ts',
      '  retry: retryOptions,',
      '  retry: retryOptions,\n  timeoutAction: ({ timeoutAction }) => ({ summary: timeoutAction ?? "" }),',
    ];
    const simulated: Edit = ['cli/test/simulated-host.ts', '  queue: NO_WORKERS,', '  queue: NO_WORKERS,\n  timeoutAction: NO_WORKERS,'];

    it('does not compile where it is declared and nothing makes it, nor a field of plans that nothing makes or carries out', () => {
      assert.deepEqual(filesWithTypeErrors(files, [key]), ['compiler/schema/task-keys.ts', 'compiler/resolve/emit.ts']);
      assert.deepEqual(filesWithTypeErrors(files, [field]), ['compiler/resolve/emit.ts', 'workflows/run/task-fields.ts']);
    });

    it('does not compile where a host does not carry out what is for hosts', () => {
      const made = [key, schema, field, emitted, listed];
      assert.deepEqual(filesWithTypeErrors(files, made), ['workflows/host/activity.ts', 'cli/test/simulated-host.ts']);
    });

    it('compiles when each place has it', () => {
      assert.deepEqual(filesWithTypeErrors(files, [key, schema, field, emitted, listed, onTemporal, simulated]), []);
    });
  });
});
