import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { sluice } from '../support/processes.ts';

describe('sluice models, without a server', function () {
  this.timeout('1m');
  for (const [args, message] of [
    [
      ['list', '--store', 's3://models/../others'],
      /--store is 's3:\/\/models\/\.\.\/others', and must be of the form s3:\/\/bucket\/prefix/,
    ],
    [['list', '--store', 'models'], /--store is 'models', and must be of the form/],
    [['show', '../others', '--store', 's3://models'], /'\.\.\/others' cannot be a model: small letters/],
  ] as const) {
    it(`takes no place that a task would not take: ${args.join(' ')}`, async () => {
      const { code, stderr } = await sluice(['models', ...args]);
      assert.equal(code, 1);
      assert.match(stderr, message);
    });
  }
});
