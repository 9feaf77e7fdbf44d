import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { sluice } from '../support/processes.ts';

describe('sluice models, without a server', function () {
  this.timeout('1m');
  for (const [args, message] of [
    [['list', '--store', 's3://models/../others'], /--store 's3:\/\/models\/\.\.\/others' is invalid: it must be s3:\/\/bucket\/prefix/],
    [['list', '--store', 'models'], /--store 'models' is invalid: it must be/],
    [['show', '../others', '--store', 's3://models'], /'\.\.\/others' is not a valid model name: lowercase letters/],
  ] as const) {
    it(`takes no place that a task would not take: ${args.join(' ')}`, async () => {
      const { code, stderr } = await sluice(['models', ...args]);
      assert.equal(code, 1);
      assert.match(stderr, message);
    });
  }
});
